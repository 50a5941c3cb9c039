import type { Tensor } from '../../tensor';
import type { RgbPixels } from './pixels';

/** Pixels as a float32 tensor [1, 3, height, width], RGB planes, each value times `scale` (1 keeps 0 to 255). */
export function regionTensor({ width, height, data }: RgbPixels, scale = 1): Tensor {
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let pixel = 0; pixel < area; pixel++) {
    planes[pixel] = data[3 * pixel]! * scale;
    planes[area + pixel] = data[3 * pixel + 1]! * scale;
    planes[2 * area + pixel] = data[3 * pixel + 2]! * scale;
  }
  return { type: 'float32', dims: [1, 3, height, width], data: planes };
}
