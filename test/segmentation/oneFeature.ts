import { toFeatureCollection, type FeatureSource, type ObjectFeature } from '../../src/segmentation/features';

/** The canonical feature of one object. */
export function oneFeature(source: FeatureSource): ObjectFeature {
  return toFeatureCollection([source]).features[0]!;
}
