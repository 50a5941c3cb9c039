import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledFolder } from '../bundledModels';
import type { Engine } from '../engine/engine';
import { createEngineClient } from '../engine/engineClient';
import type { IntentPredictor, ModelIdentity } from '../benchmark/intentPredictor';
import { openTinyPredictor } from '../benchmark/tinyPredictor';
import { UsageError, type Surroundings } from './command';
import { COUNT, readNumber } from './optionValues';
import { openRpcPredictor } from './rpcPredictor';
import { withServer } from './withServer';

/** Options of every benchmark. */
export const OPTIONS = {
  data: { type: 'string' },
  split: { type: 'string' },
  clicks: { type: 'string' },
  seeds: { type: 'string' },
  methods: { type: 'string' },
  perturb: { type: 'string' },
  sheets: { type: 'string' },
  'max-images': { type: 'string' },
  rounds: { type: 'string' },
  judgements: { type: 'string' },
  wrong: { type: 'string' },
  unseen: { type: 'string' },
  steps: { type: 'string' },
  seconds: { type: 'string' },
  mpp: { type: 'string' },
  names: { type: 'string' },
  out: { type: 'string' },
  model: { type: 'string' },
  device: { type: 'string' },
  threads: { type: 'string' },
  'over-rpc': { type: 'boolean' },
  ablate: { type: 'boolean' },
  ceilings: { type: 'boolean' },
} as const;

type Flag = 'over-rpc' | 'ablate' | 'ceilings';

/** Their values. */
export type Values = {
  readonly [Name in Exclude<keyof typeof OPTIONS, Flag>]?: string | undefined;
} & {
  readonly [Name in Flag]?: boolean | undefined;
} & {
  readonly data: string;
};

/** Does `work` with the model of `--model`, its engine started for it. */
export async function withPredictor<T>(
  values: Values,
  around: Surroundings,
  work: (predictor: IntentPredictor) => Promise<T>,
): Promise<T> {
  return withEngine(values, around, async (engine) => {
    const predictor = await openTinyPredictor(engine, modelFolder(values));
    nameModel(predictor.model, around);
    return values['over-rpc'] === true ? overRpc(predictor.model, values, around, work) : work(predictor);
  });
}

/** Does `work` through a server of its own, with nothing kept. */
async function overRpc<T>(
  model: ModelIdentity,
  values: Values,
  around: Surroundings,
  work: (predictor: IntentPredictor) => Promise<T>,
): Promise<T> {
  if (values.model !== undefined)
    throw new UsageError('--over-rpc measures the model of this package: leave out --model');
  const stateFolder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  try {
    return await withServer({ stateFolder, device: values.device ?? 'cpu' }, around, async (client) =>
      work(await openRpcPredictor(client, model)),
    );
  } finally {
    rmSync(stateFolder, { recursive: true, force: true });
  }
}

/** Does `work` with an engine of `--device` and `--threads`. */
export async function withEngine<T>(
  values: Values,
  around: Surroundings,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await createEngineClient({
    device: values.device ?? 'cpu',
    threads: values.threads === undefined ? undefined : positive('--threads', values.threads),
    log: (line) => around.err(`${line}\n`),
  });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** `--model`, or the model of this package. */
export function modelFolder({ model }: Values): string {
  return model ?? bundledFolder();
}

/** Says which model makes the numbers. */
export function nameModel({ name, version, sha256 }: ModelIdentity, around: Surroundings): void {
  around.err(
    `model ${name} ${version}, encoder ${sha256.encoder.slice(0, 12)}, decoder ${sha256.decoder.slice(0, 12)}\n`,
  );
}

/** `--max-images`. @throws UsageError */
export function mostImages(values: Values): number | undefined {
  const most = values['max-images'];
  return most === undefined ? undefined : positive('--max-images', most);
}

/** The parts of a list with commas. */
export function list(text: string): string[] {
  return text.split(',').flatMap((part) => part.trim() || []);
}

/** A whole number above 0. @throws UsageError */
export function positive(option: string, text: string): number {
  return readNumber(option, text, COUNT);
}

/** Time since a `Date.now()`, as text. */
export function secondsSince(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
