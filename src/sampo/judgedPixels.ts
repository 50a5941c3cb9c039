import type { Direction } from './margin';

/** What the user has said about the pixels of one tile, at the mask's resolution `[H·W]`. */
export interface JudgedPixels {
  /** 1 where an object is wanted, 0 elsewhere. */
  readonly target: Float32Array;
  /** 1 on judged objects, `backgroundWeight` where surely nothing is, 0 on all that was never judged. */
  readonly judged: Float32Array;
  /**
   * What the pixel loss weighs a pixel: as `judged`, but wanted and unwanted objects weigh the same in sum, and what was never
   * judged weighs a little where it is anchored.
   */
  readonly weights: Float32Array;
}

/** What the intent said of pixels before it was tuned: probabilities `[H·W]`, and 1 where a nucleus is `[H·W]`. */
export interface Anchor {
  readonly probabilities: Float32Array;
  readonly nuclei: Uint8Array;
}

/** Objects of a tile: `labels [H·W]` hold 0 or the object's number; verdicts say which objects are wanted. */
export interface JudgedObjects {
  readonly labels: Int32Array;
  readonly verdicts: ReadonlyMap<number, boolean>;
  /** 1 where the class-agnostic head sees no nucleus at all `[H·W]`. */
  readonly background?: Uint8Array;
}

/**
 * Verdicts as pixels. Sure background weighs little, but keeps a mask from flooding when all verdicts are positive; an anchor
 * keeps nuclei that nobody judged as they were, the more certain the more: few verdicts must not move what they say nothing of.
 */
export function judgedPixels(
  objects: JudgedObjects,
  backgroundWeight: number,
  anchor?: Anchor & { readonly weight: number },
): JudgedPixels {
  const { labels, verdicts, background } = objects;
  const target = new Float32Array(labels.length);
  const judged = new Float32Array(labels.length);
  const areas = { wanted: 0, unwanted: 0 };
  for (let i = 0; i < labels.length; i++) {
    const verdict = labels[i] === 0 ? undefined : verdicts.get(labels[i]!);
    if (verdict !== undefined) areas[verdict ? 'wanted' : 'unwanted']++;
    target[i] = verdict === true ? 1 : 0;
    judged[i] = verdict !== undefined ? 1 : background?.[i] === 1 ? backgroundWeight : 0;
  }
  const { wanted, unwanted } = areas;
  const balance = (area: number): number =>
    wanted > 0 && unwanted > 0 ? (wanted + unwanted) / (2 * area) : 1;
  const weights = judged.map((value, i) => {
    if (value === 1) return balance(target[i] === 1 ? wanted : unwanted);
    if (value > 0 || anchor === undefined || anchor.nuclei[i] === 0 || labels[i] !== 0) return value;
    const before = anchor.probabilities[i]!;
    target[i] = before > 0.5 ? 1 : 0;
    return anchor.weight * Math.abs(2 * before - 1);
  });
  return { target, judged, weights };
}

/**
 * Utility of a mask: IoU with the confirmed pixels only. Judged objects count for or against; everything else is ignored.
 * 1 when nothing is wanted and nothing claimed. @param logits one head `[H·W]`, a pixel is in the mask where its logit > 0
 */
export function utility(logits: Float32Array, { target, judged }: JudgedPixels): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < logits.length; i++) {
    if (judged[i] !== 1) continue;
    const claimed = logits[i]! > 0;
    const wanted = target[i] === 1;
    if (claimed && wanted) both++;
    if (claimed || wanted) either++;
  }
  return either === 0 ? 1 : both / either;
}

/**
 * One direction per judged object: the mask with the user's verdict on it (chosen) against the mask without (rejected);
 * everything else equal, so D is the object: ±1/|D| on its pixels. Objects without a pixel give none.
 */
export function verdictDirections(objects: JudgedObjects): { object: number; direction: Direction }[] {
  return [...objects.verdicts].flatMap(([object, wanted]) => {
    let disagreeing = 0;
    for (const label of objects.labels) if (label === object) disagreeing++;
    if (disagreeing === 0) return [];
    const weights = new Float32Array(objects.labels.length);
    for (let i = 0; i < weights.length; i++)
      if (objects.labels[i] === object) weights[i] = (wanted ? 1 : -1) / disagreeing;
    return [{ object, direction: { weights, disagreeing } }];
  });
}
