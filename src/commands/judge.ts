import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { BridgeError } from '../errors';
import type { Feature, Judgement } from '../protocol/types.gen';
import { EXIT, UsageError, readOptions, stateFolder, type Command, type Surroundings } from './command';
import { findIntent } from './intentChoice';
import { withOpenImage } from './openedImage';
import { readOptionalNumber, wholeBetween } from './optionValues';
import type { RpcClient } from './rpcClient';

const OPTIONS = {
  intent: { type: 'string' },
  accept: { type: 'string', multiple: true },
  reject: { type: 'string', multiple: true },
  geojson: { type: 'string' },
  next: { type: 'string' },
  undo: { type: 'boolean' },
  redo: { type: 'boolean' },
  out: { type: 'string' },
  state: { type: 'string' },
} as const;

const KINDS = ['accept', 'reject', 'add', 'edit'] as const;

/** `sampo judge` */
export const judge: Command = {
  name: 'judge',
  options: OPTIONS,
  help: `usage: sampo judge IMAGE --intent NAME [--accept ID,...] [--reject ID,...] [--geojson FILE] [--next N [--out FILE]]
       sampo judge --intent NAME --undo | --redo

Stores what you think of found objects; sampo refine learns from it. An object is named by its id in the GeoJSON of
sampo segment. A later judgement of the same object replaces an earlier one.

  --intent NAME    the intent, by name or id
  --accept ID,...  objects of the type; may be given several times
  --reject ID,...  objects that are not
  --geojson FILE   judged objects: features whose properties hold "judgement", one of ${KINDS.join(', ')}
                   ("add": an outline of your own; "edit": a better outline of the object of this id)
  --next N         the N objects whose judgement teaches most: searches the image with the intent, and prints one line
                   each (id, score, centre); after judging, if both are asked for
  --out FILE       writes them as GeoJSON too; fill in "judgement" and give it back with --geojson
  --undo, --redo   takes the latest submission back, or brings it back again
  --state DIR      state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const { intent: name, geojson, undo, redo, out } = values;
    if (name === undefined) throw new UsageError('--intent is missing');
    const state = stateFolder(values.state, around);
    if (undo === true || redo === true) {
      if (positionals.length > 0 || (undo && redo))
        throw new UsageError('--undo and --redo stand with --intent alone');
      await withOpenImage(state, [], around, async (client) => {
        const { intentId } = await findIntent(client, name);
        const moved = await client.request(undo ? 'preference/undo' : 'preference/redo', { intentId });
        const word = undo ? 'taken back' : 'brought back';
        around.out(`${moved.judgementIds.length} ${word}; ${moved.total} judgements of "${name}"\n`);
      });
      return EXIT.ok;
    }
    const [image, ...rest] = positionals;
    if (image === undefined || rest.length > 0) throw new UsageError('judge needs one image');
    const count = readOptionalNumber('--next', values.next, wholeBetween(1, 1000));
    if (out !== undefined && count === undefined) throw new UsageError('--out goes with --next');
    const judgements = [
      ...ids(values.accept).map((objectId): Judgement => ({ kind: 'accept', objectId })),
      ...ids(values.reject).map((objectId): Judgement => ({ kind: 'reject', objectId })),
      ...(geojson === undefined ? [] : readJudged(geojson)),
    ];
    if (judgements.length === 0 && count === undefined)
      throw new UsageError('nothing to do: say --accept, --reject, --geojson or --next');
    await withOpenImage(state, [image], around, async (client, [imageId]) => {
      const { intentId } = await findIntent(client, name);
      const byIdAlone = judgements.some(({ geometry }) => geometry === undefined);
      const resultId =
        count !== undefined || byIdAlone ? await searchAgain(client, imageId!, intentId, around) : undefined;
      if (judgements.length > 0) {
        const { total, conflicts } = await client.request('preference/submit', {
          intentId,
          imageId: imageId!,
          judgements,
        });
        const replaced = conflicts.length > 0 ? `, ${conflicts.length} replace earlier ones` : '';
        around.out(`${judgements.length} stored${replaced}; ${total} judgements of "${name}"\n`);
      }
      if (count === undefined) return;
      const { objects, judged, total } = await client.request('review/next', {
        resultId: resultId!,
        intentId,
        count,
      });
      for (const object of objects) around.out(`${line(object)}\n`);
      around.err(`${basename(image)}: ${judged} of ${total} nuclei are judged\n`);
      if (out !== undefined) writeFileSync(resolve(out), `${JSON.stringify(toJudge(objects))}\n`);
    });
    return EXIT.ok;
  },
};

/** All nuclei of the image with the intent's scores: ids are those of any other search. */
async function searchAgain(
  client: RpcClient,
  imageId: string,
  intentId: string,
  around: Surroundings,
): Promise<string> {
  const { resultId } = await client.request(
    'segment/prompt',
    { imageId, intents: [{ intentId }], extent: { type: 'image' } },
    { signal: around.signal },
  );
  return resultId;
}

function ids(texts: readonly string[] = []): string[] {
  return texts.flatMap((text) => text.split(',')).flatMap((part) => part.trim() || []);
}

/** @throws BridgeError FileNotFound, GeometryInvalid */
function readJudged(path: string): Judgement[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BridgeError('FileNotFound', `${path} cannot be read: ${(error as Error).message}`);
  }
  let features: unknown;
  try {
    const value = JSON.parse(text) as { features?: unknown };
    features = Array.isArray(value) ? value : value.features;
  } catch (error) {
    throw new BridgeError('GeometryInvalid', `${path} is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(features))
    throw new BridgeError('GeometryInvalid', `${path} is no collection of GeoJSON features`);
  const judged = features.flatMap((one: unknown, i): Judgement[] => {
    const { id, geometry, properties } = (one ?? {}) as Partial<Feature>;
    const said = (properties as { judgement?: unknown } | undefined)?.judgement;
    if (said === undefined || said === null || said === '') return [];
    const kind = KINDS.find((known) => known === said);
    if (kind === undefined || geometry === undefined)
      throw new BridgeError('GeometryInvalid', `feature ${i} of ${path} has no geometry, or a judgement that is none of ${KINDS.join(', ')}`); // prettier-ignore
    return [{ kind, geometry, ...(id !== undefined && kind !== 'add' && { objectId: String(id) }) }];
  });
  if (judged.length === 0)
    throw new BridgeError('GeometryInvalid', `no feature of ${path} has a judgement`, {
      hint: `put "judgement" into its properties: ${KINDS.join(', ')}`,
    });
  return judged;
}

function line({ id, geometry, properties }: Feature): string {
  const { measurements } = properties as { measurements?: Record<string, number> };
  const points = (geometry as { coordinates: unknown }).coordinates;
  const flat = (points as number[][][][]).flat(Infinity) as unknown as number[];
  const middle = (axis: number): number => {
    const values = flat.filter((_, i) => i % 2 === axis);
    return Math.round((Math.min(...values) + Math.max(...values)) / 2);
  };
  return `${id}  ${(measurements?.['SAMPO score'] ?? 0).toFixed(3)}  ${middle(0)},${middle(1)}`;
}

/** A collection with an empty "judgement" in each feature. */
function toJudge(objects: readonly Feature[]) {
  const features = objects.map((one) => ({ ...one, properties: { ...one.properties, judgement: '' } }));
  return { type: 'FeatureCollection', features };
}
