import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createEngineClient } from '../../engine/engineClient';
import { failed, ok, problem, type Finding } from './finding';

/** Embeddings of a few slides, judgements and checkpoints fit in it. */
const ENOUGH_BYTES = 1e9;

/** Starts an engine as the server would: the device it works on, and why the others do not. */
export async function deviceCheck(wanted: string | undefined): Promise<Finding> {
  try {
    const engine = await createEngineClient({ device: wanted });
    const { device } = await engine.status();
    await engine.close();
    const others = device.tried
      .filter((trial) => !trial.ok)
      .map((trial) => `${trial.device} does not work: ${firstLine(trial.reason ?? 'no reason given')}`);
    const found = [`${device.used} is used`, ...others].join('; ');
    if (wanted !== undefined && wanted !== 'auto' && device.used !== wanted)
      return problem(
        'device',
        found,
        `${wanted} was asked for: install its driver, or leave --device and SAMPO_DEVICE out`,
      );
    return ok('device', found);
  } catch (error) {
    return failed('device', error, 'install the package again');
  }
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/** The state folder: writable, and with room. */
export function stateCheck(folder: string): Finding {
  const advice = 'give this user the right to write there, or choose another folder: --state, or SAMPO_STATE';
  try {
    const fresh = firstMissing(folder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const trial = join(folder, `.doctor-${process.pid}`);
    try {
      writeFileSync(trial, 'x');
    } finally {
      rmSync(trial, { force: true });
      if (fresh !== undefined) rmSync(fresh, { recursive: true, force: true });
    }
  } catch (error) {
    return problem('state', `${folder} cannot be written: ${(error as Error).message}`, advice);
  }
  const { bavail, bsize } = statfsSync(nearest(folder));
  const free = bavail * bsize;
  const found = `${folder}, ${(free / 1e9).toFixed(1)} GB free`;
  return free < ENOUGH_BYTES
    ? problem('state', found, 'free some space there, or choose another folder: --state, or SAMPO_STATE')
    : ok('state', found);
}

/** The topmost folder that a trial would create; undefined when `folder` is there. */
function firstMissing(folder: string): string | undefined {
  if (existsSync(folder)) return undefined;
  return firstMissing(dirname(folder)) ?? folder;
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder));
}
