import { BridgeError } from '../../../src/errors';
import { cutImage } from '../../../src/services/batch/planImage';
import { memoryImage } from '../../../src/services/search/tilePixels';

test('an overview read in bands is the overview: every row once, in order', async () => {
  const [width, height] = [4096, 12_291];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) data.fill(Math.floor(y / 64) % 256, y * width * 3, (y + 1) * width * 3);
  const whole = memoryImage({ width, height, data }, { uri: 'a', pixelSizeMicrons: 0.5 });
  const limited = {
    ...whole,
    read: ((region, signal) =>
      region.width * region.height > 2 ** 25
        ? Promise.reject(new BridgeError('LimitExceeded', 'too much'))
        : whole.read(region, signal)) as typeof whole.read,
  };
  const options = { tissue: false, micronsPerPixel: 0.5, signal: new AbortController().signal };
  const { overview, units } = await cutImage(limited, options);
  // 12,291 / 1536 is 8.002: bands are read at a ninth.
  expect(overview.width).toBe(Math.round(width / 9));
  expect(Math.abs(overview.height - height / 9)).toBeLessThan(1);
  for (let y = 0; y < overview.height - 1; y++)
    expect(
      Math.abs(overview.data[y * overview.width * 3]! - Math.floor((9 * y + 4.5) / 64)),
    ).toBeLessThanOrEqual(1);
  expect(units).toEqual((await cutImage(whole, options)).units);
});
