import type { Point, Rectangle } from './geometry';

/** Which pixels of an image have been given to an object; memory in square chunks that live while a reserved window needs them. */
export class PixelClaims {
  private readonly chunks = new Map<number, { claimed: Uint8Array | undefined; readers: number }>();
  private readonly columns: number;

  /** @param width of the image @param size of a chunk, px */
  constructor(
    width: number,
    private readonly size: number,
  ) {
    this.columns = Math.ceil(width / size);
  }

  /** Announces that `window` will claim pixels. */
  reserve(window: Rectangle): void {
    for (const index of this.chunksOf(window)) {
      const chunk = this.chunks.get(index);
      if (chunk === undefined) this.chunks.set(index, { claimed: undefined, readers: 1 });
      else chunk.readers++;
    }
  }

  /** Says that a reserved window is done. */
  release(window: Rectangle): void {
    for (const index of this.chunksOf(window)) {
      const chunk = this.chunks.get(index);
      if (chunk !== undefined && --chunk.readers === 0) this.chunks.delete(index);
    }
  }

  /** Gives a pixel of the image away. -> false when it has been given away before */
  take({ x, y }: Point): boolean {
    const { size } = this;
    const chunk = this.chunks.get(Math.floor(y / size) * this.columns + Math.floor(x / size));
    if (chunk === undefined) return true;
    const claimed = (chunk.claimed ??= new Uint8Array(size * size));
    const at = (y % size) * size + (x % size);
    if (claimed[at] !== 0) return false;
    claimed[at] = 1;
    return true;
  }

  private *chunksOf({ x, y, width, height }: Rectangle): Iterable<number> {
    for (let row = Math.floor(y / this.size); row <= Math.floor((y + height - 1) / this.size); row++)
      for (
        let column = Math.floor(x / this.size);
        column <= Math.floor((x + width - 1) / this.size);
        column++
      )
        yield row * this.columns + column;
  }
}
