import { eachSpan } from '../segmentation/rasterize';
import type { Outline } from '../segmentation/geometry';
import type { RgbImage } from '../segmentation/preprocess';

/** 8-bit RGB. */
export type Colour = readonly [number, number, number];

/** A grid of panels of one size on white, with drawing in the coordinates of a panel. */
export class SheetCanvas implements RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;

  constructor(
    private readonly panel: { readonly width: number; readonly height: number },
    columns: number,
    rows: number,
    private readonly gap = 8,
  ) {
    this.width = columns * (panel.width + gap) - gap;
    this.height = rows * (panel.height + gap) - gap;
    this.data = new Uint8Array(this.width * this.height * 3).fill(255);
  }

  /** Lays an image of the panel's size into a panel. */
  image(column: number, row: number, { width, height, data }: RgbImage): void {
    for (let y = 0; y < height; y++)
      this.data.set(data.subarray(y * width * 3, (y + 1) * width * 3), this.at(column, row, 0, y));
  }

  /** A disc with a white rim, at px of the panel. */
  dot(column: number, row: number, x: number, y: number, radius: number, colour: Colour): void {
    const reach = Math.ceil(radius + 1.5);
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++) {
        const distance = Math.hypot(dx, dy);
        if (distance > radius + 1.5) continue;
        this.set(
          column,
          row,
          Math.floor(x) + dx,
          Math.floor(y) + dy,
          distance <= radius ? colour : [255, 255, 255],
        );
      }
  }

  /** The border pixels of an outline, two px wide on the inside. */
  outline(column: number, row: number, outline: Outline, colour: Colour): void {
    const { width, height } = this.panel;
    const inside = new Set<number>();
    eachSpan(outline, { x: 0, y: 0, width, height }, (y, from, to) => {
      for (let x = from; x < to; x++) inside.add(y * width + x);
    });
    this.border(column, row, inside, colour);
  }

  /** The border of a set of pixels of the panel (y * width + x). */
  border(column: number, row: number, inside: ReadonlySet<number>, colour: Colour): void {
    const { width } = this.panel;
    for (const at of inside)
      if (![at - width, at - 1, at + 1, at + width].every((next) => inside.has(next)))
        this.set(column, row, at % width, Math.floor(at / width), colour);
  }

  private at(column: number, row: number, x: number, y: number): number {
    const left = column * (this.panel.width + this.gap) + x;
    return ((row * (this.panel.height + this.gap) + y) * this.width + left) * 3;
  }

  private set(column: number, row: number, x: number, y: number, colour: Colour): void {
    if (x < 0 || y < 0 || x >= this.panel.width || y >= this.panel.height) return;
    this.data.set(colour, this.at(column, row, x, y));
  }
}
