import { outlineCentroid } from '../../segmentation/geometry';
import type { JudgedPlace } from '../search/searchRequest';
import type { StoredJudgement } from './judgements';

/** Where judged objects lie and what they were judged to be; a choice among candidates judges no object. */
export function judgedPlaces(judgements: readonly StoredJudgement[]): JudgedPlace[] {
  return judgements.flatMap(({ kind, outline, imageUri }) =>
    outline === undefined
      ? []
      : [{ ...outlineCentroid(outline), imageUri, label: kind === 'reject' ? 0 : 1 }],
  );
}
