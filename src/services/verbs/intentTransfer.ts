import { readExportedCheckpoint, type Checkpoints } from '../intents/checkpoints';
import type { IntentDocument } from '../intents/intentDocument';
import type { ImportedIntent, Intent, Intents } from '../intents/intents';
import type { NucleusModel } from '../models/nucleusModel';
import type { Warning } from '../warning';

/** What moving intents works with. */
export interface IntentTransferParts {
  readonly intents: Intents;
  readonly checkpoints: Checkpoints;
  readonly model: NucleusModel;
}

/** The verbs *export*, *import* and *delete*: an intent goes as a whole, with its examples and its active version. */
export class IntentTransfer {
  constructor(private readonly parts: IntentTransferParts) {}

  /** The intent as one JSON document. @throws BridgeError `IntentNotFound`, `CheckpointDamaged` */
  async export(intentId: string) {
    const { intents, checkpoints } = this.parts;
    const checkpoint = await checkpoints.export(intentId);
    return { ...intents.export(intentId), ...(checkpoint && { checkpoint }) };
  }

  /** Takes an exported intent in, whole or not at all. @throws BridgeError `IntentInvalid`, `IntentModelMismatch`, `CheckpointDamaged` */
  async import(document: IntentDocument): Promise<{ intent: Intent; warnings: Warning[] }> {
    const { intents, checkpoints, model } = this.parts;
    // Read before anything is kept.
    const checkpoint = readExportedCheckpoint(document['checkpoint']);
    const imported = intents.import(document, model.promptLimits.channels);
    const { intentId } = imported.intent;
    if (checkpoint && imported.sameModel)
      await checkpoints.import(intentId, checkpoint).catch((error: unknown) => {
        intents.delete(intentId);
        throw error;
      });
    const warnings = importWarnings(imported, {
      madeWith: String(document['modelId']),
      modelId: model.id,
      refined: checkpoint !== undefined,
    });
    return { intent: intents.get(intentId), warnings };
  }

  /** Forgets an intent with all its versions and judgements. @throws BridgeError `IntentNotFound` */
  async delete(intentId: string): Promise<void> {
    const { intents, checkpoints } = this.parts;
    await checkpoints.deleteAll(intentId);
    intents.delete(intentId);
  }
}

function importWarnings(
  { intent, renamed, sameModel, foreign, images }: ImportedIntent,
  origin: { readonly madeWith: string; readonly modelId: string; readonly refined: boolean },
): Warning[] {
  const warnings: Warning[] = [];
  if (renamed)
    warnings.push({
      name: 'IntentIdTaken',
      message: 'an intent with this id is here already; the import has a new one',
    });
  if (foreign > 0)
    warnings.push({
      name: 'IntentOfOtherModel',
      message: `"${intent.name}" was made with the model ${origin.madeWith}, this is ${origin.modelId}: ${foreign} examples will be embedded again when the images that hold them are open: ${images.join(', ')}`,
    });
  if (origin.refined && !sameModel)
    warnings.push({
      name: 'RefinementLeftOut',
      message: `the refinement of "${intent.name}" belongs to the other model and is left out`,
    });
  return warnings;
}
