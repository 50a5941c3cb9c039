import type { Rectangle } from './geometry';
import { scratch } from './scratch';

/** Which pixels of an image have been given to an object; memory in square chunks that live while a reserved window needs them. */
export class PixelClaims {
  private readonly chunks = new Map<number, { claimed: Uint8Array | undefined; readers: number }>();
  private readonly columns: number;
  private readonly kept = scratch(Int32Array);

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

  /** Gives pixels of a reserved window away. @param pixels indices within it -> those that had not been given away before */
  take(window: Rectangle, pixels: Int32Array): Int32Array {
    const { size } = this;
    const kept = this.kept(pixels.length);
    let count = 0;
    let index = -1;
    let claimed: Uint8Array | undefined;
    let row = 0;
    for (let i = 0; i < pixels.length; i++) {
      const at = pixels[i]!;
      if (at < row * window.width || at >= (row + 1) * window.width) row = Math.floor(at / window.width);
      const x = window.x + at - row * window.width;
      const y = window.y + row;
      const column = Math.floor(x / size);
      const line = Math.floor(y / size);
      if (line * this.columns + column !== index) {
        index = line * this.columns + column;
        claimed = this.claimedOf(index);
      }
      const place = (y - line * size) * size + x - column * size;
      if (claimed !== undefined) {
        if (claimed[place] !== 0) continue;
        claimed[place] = 1;
      }
      kept[count++] = at;
    }
    return count === pixels.length ? pixels : kept.slice(0, count);
  }

  private claimedOf(index: number): Uint8Array | undefined {
    const chunk = this.chunks.get(index);
    return chunk && (chunk.claimed ??= new Uint8Array(this.size * this.size));
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
