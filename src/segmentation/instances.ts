import { dropSmall, fillHoles, type LabelImage } from './components';
import { scratch } from './scratch';
import { findMarkers, flood, toLevels } from './watershed';

/** How maps become instances; the names and defaults are those of a manifest's `postprocess`. */
export interface InstanceOptions {
  /** Nucleus probability from which a pixel is foreground, 0..1. */
  readonly nucleusThreshold: number;
  /** Distance-map height from which a summit is a marker, 0..1. */
  readonly markerThreshold: number;
  /** Rise over the saddle that makes a second summit a second nucleus, 0..1. */
  readonly markerDynamics: number;
  readonly minMarkerAreaPixels: number;
  /** Smaller objects are dropped, model px². */
  readonly minAreaPixels: number;
}

/** Used where a manifest is silent. */
export const DEFAULT_INSTANCE_OPTIONS: InstanceOptions = {
  nucleusThreshold: 0.5,
  markerThreshold: 0.55,
  markerDynamics: 0.1,
  minMarkerAreaPixels: 3,
  minAreaPixels: 24,
};

const maskScratch = scratch(Uint8Array);

/**
 * Splits the class-agnostic head's maps into nuclei: foreground by probability, markers by the distance map's summits, touching
 * nuclei by marker-controlled watershed, holes filled. Foreground without a marker is one object per component. Instances are
 * 4-connected and numbered in raster order; equal input gives equal output.
 * @param nucleusLogits, distanceMap [height * width] @throws RangeError when a map does not fit the size
 */
export function segmentInstances(
  nucleusLogits: Float32Array,
  distanceMap: Float32Array,
  width: number,
  height: number,
  options: InstanceOptions = DEFAULT_INSTANCE_OPTIONS,
): LabelImage {
  const n = width * height;
  if (nucleusLogits.length !== n || distanceMap.length !== n)
    throw new RangeError(`maps of ${width} x ${height} have ${n} values`);
  // Compare logits with the threshold's own logit: no sigmoid per pixel.
  const cut = Math.log(options.nucleusThreshold / (1 - options.nucleusThreshold));
  const mask = maskScratch(n);
  for (let i = 0; i < n; i++) mask[i] = nucleusLogits[i]! > cut ? 1 : 0;
  const levels = toLevels(distanceMap, mask);
  const labels = findMarkers(levels, mask, width, options.markerThreshold, options.markerDynamics);
  dropSmallMarkers(labels, options.minMarkerAreaPixels);
  flood(labels, levels, mask, width);
  addUnmarked(labels, mask, width);
  const image = { width, height, labels, count: n };
  fillHoles(image);
  return dropSmall(image, options.minAreaPixels);
}

const areaScratch = scratch(Int32Array);

function dropSmallMarkers(labels: Int32Array, minArea: number): void {
  const areas = areaScratch(labels.length + 1).fill(0);
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) areas[labels[i]!]!++;
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0 && areas[labels[i]!]! < minArea) labels[i] = 0;
}

const queueScratch = scratch(Int32Array);

/** Gives each component of foreground that no marker reached a label of its own: its first pixel + 1, which no summit there has. */
function addUnmarked(labels: Int32Array, mask: Uint8Array, width: number): void {
  const n = labels.length;
  const queue = queueScratch(n);
  for (let start = 0; start < n; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    const label = start + 1;
    labels[start] = label;
    queue[0] = start;
    let tail = 1;
    for (let head = 0; head < tail; head++) {
      const at = queue[head]!;
      const x = at % width;
      for (let side = 0; side < 4; side++) {
        if (side === 0 ? at < width : side === 1 ? x === 0 : side === 2 ? x === width - 1 : at + width >= n)
          continue;
        const to = side === 0 ? at - width : side === 1 ? at - 1 : side === 2 ? at + 1 : at + width;
        if (mask[to] === 0 || labels[to] !== 0) continue;
        labels[to] = label;
        queue[tail++] = to;
      }
    }
  }
}
