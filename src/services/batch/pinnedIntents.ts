import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFileChecked, writeFileAtomic } from '../../store/files';
import { readExportedCheckpoint, type Checkpoints } from '../intents/checkpoints';
import { readDocument, type IntentDocument } from '../intents/intentDocument';
import type { NucleusModel } from '../models/nucleusModel';
import type { SearchIntent } from '../search/searchRequest';
import { RESULT_MODE, type PinnedIntent } from './job';

/** Keeps an intent as it is now with a job: what is refined, renamed or deleted later does not touch the job. */
export async function pinIntent(folder: string, position: number, document: IntentDocument): Promise<string> {
  mkdirSync(join(folder, 'intents'), { recursive: true, mode: 0o700 });
  return writeFileAtomic(intentPath(folder, position), Buffer.from(JSON.stringify(document)));
}

/**
 * A pinned intent as a search uses it, its decoder loaded into the engine.
 * @throws BridgeError `FileNotFound`, `FileDamaged`, `IntentInvalid`, `CheckpointDamaged`
 */
export async function loadPinnedIntent(
  folder: string,
  position: number,
  pinned: PinnedIntent,
  {
    model,
    checkpoints,
  }: {
    readonly model: NucleusModel;
    readonly checkpoints: Pick<Checkpoints, 'loadDecoder'>;
  },
): Promise<SearchIntent> {
  const bytes = await readFileChecked(intentPath(folder, position), pinned.sha256);
  const document = JSON.parse(Buffer.from(bytes).toString('utf8')) as IntentDocument;
  const form = { modelId: model.id, channels: model.promptLimits.channels };
  const { exemplars, tokens, scoreThreshold, round } = readDocument(document, form);
  const plain: SearchIntent = {
    intentId: pinned.intentId,
    classification: { name: pinned.name, color: pinned.color },
    exemplars,
    tokens: tokens ?? undefined,
    round,
    scoreThreshold: scoreThreshold ?? undefined,
  };
  const checkpoint = readExportedCheckpoint(document['checkpoint']);
  if (checkpoint === undefined) return plain;
  const { refinement } = checkpoint;
  const decoder = `batch/${pinned.sha256}`;
  await checkpoints.loadDecoder(decoder, refinement.parameters);
  return {
    ...plain,
    decoder,
    tokens: refinement.tokens,
    round: checkpoint.round,
    scoreThreshold: refinement.scoreThreshold ?? plain.scoreThreshold,
    exemplars: [
      ...exemplars,
      ...refinement.exemplars.map((exemplar) => ({
        ...exemplar,
        source: 'judgement' as const,
        modelId: model.id,
      })),
    ],
  };
}

/** Copies the pinned intents of a job to where other machines see them. @throws BridgeError as `readFileChecked`, `writeFileAtomic` */
export async function sharePinnedIntents(
  folder: string,
  sharedFolder: string,
  intents: readonly PinnedIntent[],
): Promise<void> {
  mkdirSync(join(sharedFolder, 'intents'), { recursive: true });
  for (const [position, { sha256 }] of intents.entries())
    await writeFileAtomic(
      intentPath(sharedFolder, position),
      await readFileChecked(intentPath(folder, position), sha256),
      RESULT_MODE,
    );
}

function intentPath(folder: string, position: number): string {
  return join(folder, 'intents', `${position}.json`);
}
