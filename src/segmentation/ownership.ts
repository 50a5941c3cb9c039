import { connectedComponents, labelAreas, type LabelImage } from './components';
import type { Rectangle } from './geometry';

/** Keeps only the largest 4-connected part of a label, in place. -> its area, px²; 0 when nothing is left. */
export function largestPart(image: LabelImage, label: number, box: Rectangle): number {
  const { width, labels } = image;
  const mask = new Uint8Array(box.width * box.height);
  for (let y = 0, i = 0; y < box.height; y++)
    for (let x = 0; x < box.width; x++, i++)
      mask[i] = labels[(box.y + y) * width + box.x + x] === label ? 1 : 0;
  const parts = connectedComponents(mask, box.width, box.height);
  const areas = labelAreas(parts);
  let largest = 0;
  for (let part = 1; part <= parts.count; part++)
    if (largest === 0 || areas[part]! > areas[largest]!) largest = part;
  for (let y = 0, i = 0; y < box.height; y++)
    for (let x = 0; x < box.width; x++, i++)
      if (mask[i] !== 0 && parts.labels[i] !== largest) labels[(box.y + y) * width + box.x + x] = 0;
  return largest === 0 ? 0 : areas[largest]!;
}
