import { BridgeError } from '../../errors';
import { readGeometry, toGeometry } from '../../segmentation/features';
import type { Outline } from '../../segmentation/geometry';
import { finishOutline } from '../../segmentation/thresholds';
import type { SearchResult } from '../search/searchResult';

export type JudgementKind = 'accept' | 'reject' | 'add' | 'edit' | 'better';

/** One decision of the user, as a client sends it. */
export interface SubmittedJudgement {
  readonly kind: JudgementKind;
  readonly objectId?: string | undefined;
  /** GeoJSON, full-resolution px. */
  readonly geometry?: unknown;
  readonly resultId?: string | undefined;
  readonly chosen?: number | undefined;
  readonly rejected?: readonly number[] | undefined;
  readonly promptId?: string | undefined;
}

/** "This mask is better": which of the candidates of one click. */
export interface CandidateChoice {
  /** Full-resolution px. */
  readonly x: number;
  readonly y: number;
  readonly chosen: number;
  readonly rejected: readonly number[];
}

/** What a judgement says about pixels; it stands by itself, so results may be forgotten. */
export interface Evidence {
  /** What is judged: a later judgement of the same target replaces an earlier one. */
  readonly target: string;
  readonly objectId?: string;
  /** Full-resolution px. */
  readonly outline?: Outline;
  readonly choice?: CandidateChoice;
  /** Image px per model px. */
  readonly scale: number;
}

/** Where judged objects are looked up. */
export interface EvidenceSource {
  readonly intentId: string;
  readonly imageUri: string;
  /** Image px per model px where no result tells it. */
  readonly scale: number;
  /** The client's results, the latest first. */
  readonly results: readonly SearchResult[];
}

/**
 * What one submitted judgement refers to. @param place its JSON pointer, for messages
 * @throws BridgeError `ObjectNotFound`; `InvalidParams` when its kind lacks a part; `GeometryInvalid`
 */
export function evidenceOf(one: SubmittedJudgement, from: EvidenceSource, place: string): Evidence {
  const results = from.results.filter(
    ({ resultId, setting }) =>
      setting.image.uri === from.imageUri && (one.resultId === undefined || one.resultId === resultId),
  );
  if (one.kind === 'better') return choiceOf(one, from, results, place);
  const drawn = one.geometry === undefined ? undefined : readDrawn(one.geometry, place);
  if ((one.kind === 'add' || one.kind === 'edit') && drawn === undefined)
    throw incomplete(place, `"${one.kind}" needs a geometry`);
  if (one.objectId === undefined) {
    if (drawn === undefined || one.kind === 'edit')
      throw incomplete(place, `"${one.kind}" needs an objectId`);
    return { target: `drawn:${JSON.stringify(toGeometry(drawn))}`, outline: drawn, scale: from.scale };
  }
  const found = lookUp(one.objectId, results);
  const outline = drawn ?? found?.outline;
  if (outline === undefined)
    throw new BridgeError('ObjectNotFound', `no result of this image holds the object ${one.objectId}`, {
      objectId: one.objectId,
      hint: 'segment again, or send the geometry of the object with the judgement',
    });
  return {
    target: `object:${one.objectId}`,
    objectId: one.objectId,
    outline,
    scale: found?.scale ?? from.scale,
  };
}

function lookUp(
  objectId: string,
  results: readonly SearchResult[],
): { readonly outline: Outline; readonly scale: number } | undefined {
  for (const { ids, objects, setting } of results) {
    const object = objects[ids.indexOf(objectId)];
    if (object !== undefined)
      return { outline: finishOutline(object.outline, setting.spaces), scale: setting.spaces.scale };
  }
  return undefined;
}

function choiceOf(
  { chosen, rejected, promptId }: SubmittedJudgement,
  { intentId }: EvidenceSource,
  results: readonly SearchResult[],
  place: string,
): Evidence {
  if (promptId === undefined || chosen === undefined)
    throw incomplete(place, '"better" needs a promptId and what was chosen');
  for (const { candidates, setting } of results) {
    const prompt = candidates.find(
      (one) => one.promptId === promptId && setting.intents[one.intent]?.intentId === intentId,
    );
    if (prompt === undefined) continue;
    const others = [...prompt.masks.keys()].filter((mask) => mask !== chosen);
    const lost = rejected ?? others;
    if (chosen >= prompt.masks.length || lost.some((mask) => !others.includes(mask)))
      throw incomplete(
        place,
        `the prompt has candidates 0 to ${prompt.masks.length - 1}, one of them chosen`,
      );
    const { x, y } = prompt.click;
    return {
      target: `click:${x},${y}`,
      choice: { x, y, chosen, rejected: lost },
      scale: setting.spaces.scale,
    };
  }
  throw new BridgeError('ObjectNotFound', `no result of this image holds the prompt ${promptId}`, {
    promptId,
  });
}

function readDrawn(geometry: unknown, place: string): Outline {
  try {
    return readGeometry(geometry);
  } catch (error) {
    throw new BridgeError('GeometryInvalid', `${place}/geometry: ${(error as Error).message}`);
  }
}

function incomplete(pointer: string, message: string): BridgeError {
  return new BridgeError('InvalidParams', `${pointer}: ${message}`, { problems: [{ pointer, message }] });
}
