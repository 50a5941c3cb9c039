import type { Point, Size } from './geometry';
import type { RgbImage } from './preprocess';
import type { TissueMask } from './tissue';

/** Counts of objects in square cells over an image. */
export class DensityMap {
  /** [rows * columns] */
  readonly counts: Float32Array;
  readonly columns: number;
  readonly rows: number;

  /** @param image full-resolution px @param cell side of a cell, image px */
  constructor(
    private readonly image: Size,
    private readonly cell: number,
  ) {
    this.columns = Math.max(1, Math.ceil(image.width / cell));
    this.rows = Math.max(1, Math.ceil(image.height / cell));
    this.counts = new Float32Array(this.columns * this.rows);
  }

  /** @param at image px */
  add({ x, y }: Point): void {
    const column = Math.min(this.columns - 1, Math.max(0, Math.floor(x / this.cell)));
    const row = Math.min(this.rows - 1, Math.max(0, Math.floor(y / this.cell)));
    this.counts[row * this.columns + column]!++;
  }

  /** The map over a faded picture of the image: the more objects in a cell, the more of the colour. */
  draw(picture: RgbImage, color: readonly [number, number, number]): RgbImage {
    const most = this.counts.reduce((a, b) => Math.max(a, b), 0);
    const { width, height } = picture;
    const data = new Uint8Array(picture.data.length);
    for (let y = 0, i = 0; y < height; y++) {
      const row = Math.min(this.rows - 1, Math.floor(((y + 0.5) * this.image.height) / height / this.cell));
      for (let x = 0; x < width; x++, i += 3) {
        const column = Math.min(
          this.columns - 1,
          Math.floor(((x + 0.5) * this.image.width) / width / this.cell),
        );
        const share = most === 0 ? 0 : Math.sqrt(this.counts[row * this.columns + column]! / most);
        for (let c = 0; c < 3; c++) {
          const faded = 255 - 0.35 * (255 - picture.data[i + c]!);
          data[i + c] = Math.round((1 - 0.85 * share) * faded + 0.85 * share * color[c]!);
        }
      }
    }
    return { width, height, data };
  }
}

/** A picture with the edge of the tissue drawn on it, two pixels wide. */
export function drawTissueEdge(
  picture: RgbImage,
  { width, height, data: mask }: TissueMask,
  [red, green, blue]: readonly [number, number, number],
): RgbImage {
  const data = Uint8Array.from(picture.data);
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) {
      const [mx, my] = [Math.floor((x * width) / picture.width), Math.floor((y * height) / picture.height)];
      const edge =
        inside(mx, my) &&
        !(inside(mx - 2, my) && inside(mx + 2, my) && inside(mx, my - 2) && inside(mx, my + 2));
      if (edge) data.set([red, green, blue], 3 * (y * picture.width + x));
    }
  return { width: picture.width, height: picture.height, data };
}

/** Pictures of one height beside each other on white. @param gap between them, px */
export function sideBySide(pictures: readonly RgbImage[], gap: number): RgbImage {
  const height = Math.max(...pictures.map((picture) => picture.height));
  const width = pictures.reduce((sum, picture) => sum + picture.width, gap * (pictures.length - 1));
  const data = new Uint8Array(width * height * 3).fill(255);
  let left = 0;
  for (const picture of pictures) {
    for (let y = 0; y < picture.height; y++)
      data.set(
        picture.data.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width),
        3 * (y * width + left),
      );
    left += picture.width + gap;
  }
  return { width, height, data };
}
