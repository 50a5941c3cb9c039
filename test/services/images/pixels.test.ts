import { crop, resample, toRgb8, type Pixels, type RgbPixels } from '../../../src/services/images/pixels';

function rgb(width: number, height: number, value: (x: number, y: number) => number): RgbPixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data.fill(value(x, y), (y * width + x) * 3, (y * width + x + 1) * 3);
  }
  return { width, height, channels: 3, data };
}
const whole = ({ width, height }: RgbPixels) => ({ x: 0, y: 0, width, height });
/** The first channel of each pixel. */
const values = ({ data }: RgbPixels) => [...data].filter((_, index) => index % 3 === 0);

describe('toRgb8', () => {
  const one = (channels: Pixels['channels'], data: Uint8Array | Uint16Array, bits?: number) => [
    ...toRgb8({ width: 1, height: 1, channels, data }, bits).data,
  ];
  test.each<[string, number[], number[]]>([
    ['grey is repeated', one(1, Uint8Array.of(77)), [77, 77, 77]],
    ['grey and alpha over white', one(2, Uint8Array.of(0, 51)), [204, 204, 204]],
    ['RGB stays', one(3, Uint8Array.of(1, 2, 3)), [1, 2, 3]],
    ['opaque RGBA stays', one(4, Uint8Array.of(1, 2, 3, 255)), [1, 2, 3]],
    ['transparent RGBA is white', one(4, Uint8Array.of(1, 2, 3, 0)), [255, 255, 255]],
    ['half-transparent RGBA over white', one(4, Uint8Array.of(100, 0, 255, 128)), [177, 127, 255]],
    ['16 bit by its full range', one(3, Uint16Array.of(0, 257 * 100, 65535)), [0, 100, 255]],
    ['16 bit is rounded, not cut', one(1, Uint16Array.of(257 * 9 + 200)), [10, 10, 10]],
    ['12 bits of 16', one(1, Uint16Array.of(4095), 12), [255, 255, 255]],
    ['12 bits of 16, clamped', one(1, Uint16Array.of(60_000), 12), [255, 255, 255]],
    ['16-bit alpha has its full range even so', one(4, Uint16Array.of(0, 0, 0, 65535), 12), [0, 0, 0]],
  ])('%s', (_, actual, expected) => expect(actual).toEqual(expected));
});

describe('resample', () => {
  const ramp = rgb(8, 4, (x, y) => 10 * x + y);

  test('a window of whole pixels at its own size is those pixels', () => {
    expect(resample(ramp, whole(ramp), 8, 4)).toEqual(ramp);
    expect(resample(ramp, { x: 2, y: 1, width: 3, height: 2 }, 3, 2)).toEqual(
      crop(ramp, { x: 2, y: 1, width: 3, height: 2 }),
    );
  });

  test('smaller by a whole factor is the mean of each block', () => {
    // Columns 0 and 1 of rows 0 and 1 hold 0, 10, 1, 11: mean 5.5, rounded up.
    expect(values(resample(ramp, whole(ramp), 4, 2))).toEqual([6, 26, 46, 66, 8, 28, 48, 68]);
  });

  test('smaller by a fraction weighs pixels by the area covered', () => {
    const row = rgb(3, 1, (x) => [30, 90, 210][x] ?? 0);
    // Two outputs of 1.5 px: (30 + 90 / 2) / 1.5 and (90 / 2 + 210) / 1.5.
    expect(values(resample(row, whole(row), 2, 1))).toEqual([50, 170]);
    // A window that begins at half a pixel.
    expect(values(resample(row, { x: 0.5, y: 0, width: 2, height: 1 }, 1, 1))).toEqual([105]);
  });

  test('larger is bilinear about pixel centres, with the border repeated', () => {
    const row = rgb(2, 1, (x) => 100 * x);
    expect(values(resample(row, whole(row), 4, 1))).toEqual([0, 25, 75, 100]);
    const dot = rgb(1, 1, () => 9);
    expect(values(resample(dot, whole(dot), 3, 2))).toEqual(Array(6).fill(9));
  });

  test('every size keeps an even image even', () => {
    const even = rgb(13, 7, () => 200);
    for (const [width, height] of [
      [1, 1],
      [5, 3],
      [12, 6],
      [14, 8],
      [40, 29],
    ] as const) {
      expect(new Set(resample(even, whole(even), width, height).data)).toEqual(new Set([200]));
    }
  });

  test('the mean of the image survives any shrinking', () => {
    const checkers = rgb(60, 60, (x, y) => ((x + y) % 2 === 0 ? 0 : 255));
    for (const size of [30, 20, 12, 7, 1]) {
      const small = values(resample(checkers, whole(checkers), size, size));
      expect(Math.abs(small.reduce((sum, value) => sum + value, 0) / small.length - 127.5)).toBeLessThan(1);
    }
  });
});
