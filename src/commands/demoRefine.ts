import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../packageFiles';
import type { Feature, Judgement } from '../protocol/types.gen';
import { outlineCentroid, type Point } from '../segmentation/geometry';
import { readGeometry } from '../segmentation/features';
import { matchPoints } from '../segmentation/matching';
import { detectionScores } from '../segmentation/metrics';
import type { RpcClient } from './rpcClient';

/** What the second act works with. */
export interface SecondAct {
  readonly imageId: string;
  readonly intentId: string;
  /** The first act's result. */
  readonly resultId: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The class of the bundled labels that the demo looks for. */
const ASKED = 'lymphocyte';
/** Centres this far apart are the same nucleus: 3 µm at 0.5 µm/px. */
const NEAR = 6;
const REVIEWED = 60;
const REJECTED = 3;
const ACCEPTED = 4;
/** Time for training: the demo stays short. */
const SECONDS = 5;

/** Judges a few of the most uncertain objects by the bundled labels, refines, and finds again. @returns what is found then, and what to write beside it */
export async function judgeAndRefine(
  client: RpcClient,
  { imageId, intentId, resultId, signal, say }: SecondAct,
): Promise<{ features: readonly Feature[]; legend: string }> {
  const truth = labels();
  const search = () =>
    client.request(
      'segment/prompt',
      { imageId, intents: [{ intentId }], extent: { type: 'image' } },
      { signal },
    );
  const before = figures((await search()).featureCollection.features, truth);
  const { objects } = await client.request('review/next', { resultId, intentId, count: REVIEWED });
  const right = new Set(matchPoints(objects.map(centre), truth, NEAR).map(({ object }) => object));
  const pick = (kind: 'accept' | 'reject', count: number): Judgement[] =>
    objects
      .filter((_, i) => right.has(i) === (kind === 'accept'))
      .slice(0, count)
      .map(({ id }) => ({ kind, objectId: String(id) }));
  const judgements = [...pick('reject', REJECTED), ...pick('accept', ACCEPTED)];
  const rejected = judgements.filter(({ kind }) => kind === 'reject').length;
  await client.request('preference/submit', { intentId, imageId, judgements });
  say(`judged the most uncertain ones: ${rejected} rejected, ${judgements.length - rejected} accepted`);
  const outcome = await client.request(
    'training/start',
    { intentId, settings: { seconds: SECONDS } },
    { signal },
  );
  const { steps = 0 } = outcome.metrics as { steps?: number };
  say(`refined in ${outcome.seconds.toFixed(1)} s, ${steps} steps: ${outcome.verdict}`);
  const { features } = (await search()).featureCollection;
  const after = figures(features, truth);
  say(`of ${truth.length} labelled lymphocytes, before: ${before}; after: ${after}`);
  return { features, legend: `after ${judgements.length} judgements and Refine: ${features.length} found` };
}

function labels(): Point[] {
  const path = join(PACKAGE_ROOT, 'models', 'demo', 'points.json');
  const { points } = JSON.parse(readFileSync(path, 'utf8')) as { points: (Point & { class: string })[] };
  return points.filter((point) => point.class === ASKED).map(({ x, y }) => ({ x: x + 0.5, y: y + 0.5 }));
}

function centre({ geometry }: Feature): Point {
  return outlineCentroid(readGeometry(geometry));
}

function figures(features: readonly Feature[], truth: readonly Point[]): string {
  const matched = matchPoints(features.map(centre), truth, NEAR).length;
  const { precision, recall, f1 } = detectionScores(matched, features.length, truth.length);
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  return `${features.length} found, ${percent(precision)} of them right, ${percent(recall)} of all (F1 ${f1.toFixed(2)})`;
}
