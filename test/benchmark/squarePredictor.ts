import { connectedComponents } from '../../src/segmentation/components';
import type { RgbImage } from '../../src/segmentation/preprocess';
import { labelBounds, traceLabel } from '../../src/segmentation/outlines';
import { outlineArea, outlineCentroid } from '../../src/segmentation/geometry';
import type { IntentPredictor } from '../../src/benchmark/intentPredictor';

/** Stands in for the model: finds the squares by brightness, and an object's score is how near its brightness is to that of the first positive click. */
export const squarePredictor: IntentPredictor = {
  model: {
    name: 'squares',
    version: '1.0.0',
    sha256: { encoder: 'e'.repeat(64), decoder: 'd'.repeat(64) },
    micronsPerPixel: 0.5,
    scoreThreshold: 0.5,
  },
  async prepare({ width, height, data }: RgbImage) {
    const red = (i: number): number => data[3 * i]!;
    const mask = Uint8Array.from({ length: width * height }, (_, i) => (red(i) < 200 ? 1 : 0));
    const labels = connectedComponents(mask, width, height);
    const boxes = labelBounds(labels);
    const objects = Array.from({ length: labels.count }, (_, i) => {
      const outline = traceLabel(labels, i + 1, boxes[i + 1]!);
      const centroid = outlineCentroid(outline);
      return { outline, area: outlineArea(outline), centroid, anchor: centroid, scores: [], nucleusScore: 1 };
    });
    const redOf = ({ x, y }: { x: number; y: number }): number => red(Math.floor(y) * width + Math.floor(x));
    return {
      objects,
      labels,
      scores: async (clicks) =>
        Float32Array.from(objects, ({ centroid }) =>
          Math.abs(redOf(centroid) - redOf(clicks[0]!)) < 40 ? 0.9 : 0.1,
        ),
      release: async () => undefined,
    };
  },
};
