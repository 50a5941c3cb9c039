import type { ChannelPixels, PixelRectangle } from '../imageSource';
import type { PlaneAxes } from './zarrQuestions';

// Which chunks a rectangle of one plane needs, and where their values go. Pure.

/** Values of a chunk, flat, and how far apart neighbours along each dimension lie. */
export interface ChunkValues {
  readonly values: ChannelPixels['data'];
  readonly stride: readonly number[];
}

/** The rectangle asked for, and which channels of it. */
export interface PlaneRequest {
  readonly axes: PlaneAxes;
  readonly rectangle: PixelRectangle;
  readonly channels: readonly number[];
}

/** Coordinates, in chunks, of those that the rectangle touches. @param chunks shape of a chunk */
export function chunkPlaces(chunks: readonly number[], request: PlaneRequest): number[][] {
  const { axes, rectangle, channels } = request;
  const between = (first: number, count: number, size: number): number[] => {
    const from = Math.floor(first / size);
    return Array.from(
      { length: Math.floor((first + count - 1) / size) - from + 1 },
      (_, index) => from + index,
    );
  };
  const along = chunks.map((size, axis): number[] => {
    if (axis === axes.x) return between(rectangle.x, rectangle.width, size);
    if (axis === axes.y) return between(rectangle.y, rectangle.height, size);
    if (axis === axes.channel) return [...new Set(channels.map((channel) => Math.floor(channel / size)))];
    return [Math.floor((axes.fixed[axis] ?? 0) / size)];
  });
  return along.reduce<number[][]>(
    (places, indices) => places.flatMap((place) => indices.map((index) => [...place, index])),
    [[]],
  );
}

/**
 * Copies what a chunk has of the rectangle into `plane`, channels interleaved.
 * @param place of the chunk, in chunks @param plane of rectangle.width × rectangle.height × channels values
 */
export function copyChunk(
  { values, stride }: ChunkValues,
  place: readonly number[],
  chunks: readonly number[],
  { axes, rectangle, channels }: PlaneRequest,
  plane: ChannelPixels['data'],
): void {
  const start = (axis: number) => place[axis]! * chunks[axis]!;
  let base = 0;
  for (const [axis, step] of stride.entries()) {
    const isPlane = axis === axes.x || axis === axes.y || axis === axes.channel;
    if (!isPlane) base += ((axes.fixed[axis] ?? 0) - start(axis)) * step;
  }
  const left = Math.max(rectangle.x, start(axes.x));
  const right = Math.min(rectangle.x + rectangle.width, start(axes.x) + chunks[axes.x]!);
  const top = Math.max(rectangle.y, start(axes.y));
  const bottom = Math.min(rectangle.y + rectangle.height, start(axes.y) + chunks[axes.y]!);
  const xStep = stride[axes.x]!;
  for (const [index, channel] of channels.entries()) {
    let channelBase = base;
    if (axes.channel !== undefined) {
      const inChunk = channel - start(axes.channel);
      if (inChunk < 0 || inChunk >= chunks[axes.channel]!) continue;
      channelBase += inChunk * stride[axes.channel]!;
    }
    for (let y = top; y < bottom; y += 1) {
      let from = channelBase + (y - start(axes.y)) * stride[axes.y]! + (left - start(axes.x)) * xStep;
      let to = ((y - rectangle.y) * rectangle.width + (left - rectangle.x)) * channels.length + index;
      for (let x = left; x < right; x += 1) {
        plane[to] = values[from]!;
        from += xStep;
        to += channels.length;
      }
    }
  }
}
