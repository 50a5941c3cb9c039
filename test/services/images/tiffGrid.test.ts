import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { isBridgeError } from '../../../src/errors';
import { ImageRegistry } from '../../../src/services/images/images';
import { COMPRESSIONS, REFUSED_COMPRESSIONS } from '../../../src/services/images/tiffCompression';
import { TIFF_READINGS } from '../../../src/services/images/tiffReading';
import { encodeLzw, encodePackBits } from '../../support/blockEncoders';
import { tiffBytes, type TiffPage } from '../../support/tiffWriter';

// Every combination of photometric, samples, bits, planes and compression is written and opened. Each is refused by name or
// comes out with the pixels that it holds; nothing in between.

const WIDTH = 21;
const HEIGHT = 19;
const PHOTOMETRICS = [0, 1, 2, 3, 4, 5, 6, 8, 32803];
const SAMPLES = [1, 2, 3, 4, 5];
const BITS = [1, 2, 4, 8, 16, 32] as const;
const ENCODERS: Readonly<Record<number, (block: Buffer) => Uint8Array>> = {
  1: (block) => block,
  5: encodeLzw,
  8: (block) => deflateSync(block),
  32773: encodePackBits,
  32946: (block) => deflateSync(block),
};
const LAYOUTS = [
  { name: 'strip', layout: {} },
  { name: 'tiles', layout: { tileSize: 16 } },
  { name: 'tiles in planes', layout: { tileSize: 16, separate: true } },
] as const;
const COLOR_MAP = Array.from({ length: 3 * 256 }, (_, at) => ((at * 7919) % 256) * 257);

let folder: string;
let images: ImageRegistry;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-grid-'));
  images = new ImageRegistry({ roots: [folder] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const most = (bits: number): number => (bits === 32 ? 1 : 2 ** bits - 1);

function valuesOf(samples: number, bits: number): number[] {
  return Array.from({ length: WIDTH * HEIGHT * samples }, (_, at) => {
    const share = ((at * 31 + Math.floor(at / 7) * 17) % 101) / 100;
    return bits === 32 ? share : Math.round(share * most(bits));
  });
}

/** The RGB that a combination holds, written down a second time from the specification; undefined for what has no colours here. */
function truth(photometric: number, samples: number, bits: number, values: readonly number[]): number[] {
  const level = (value: number): number => Math.round((value / most(bits)) * 255);
  return Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => {
    const own = values.slice(pixel * samples, (pixel + 1) * samples);
    if (photometric === 0) return Array<number>(3).fill(level(most(bits) - own[0]!));
    if (photometric === 1)
      return samples < 3 ? Array<number>(3).fill(level(own[0]!)) : own.slice(0, 3).map(level);
    if (photometric === 2) return own.slice(0, 3).map(level);
    if (photometric === 3) return [0, 1, 2].map((channel) => COLOR_MAP[channel * 2 ** bits + own[0]!]! / 257);
    if (photometric === 5)
      return own.slice(0, 3).map((ink) => Math.round(((255 - ink) * (255 - own[3]!)) / 255));
    const [y, cb, cr] = [own[0]!, own[1]! - 128, own[2]! - 128];
    return [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb].map((value) =>
      Math.max(0, Math.min(255, Math.round(value))),
    );
  }).flat();
}

type Outcome = { readonly refused: string } | { readonly data: Uint8Array } | { readonly failed: string };

async function outcomeOf(page: TiffPage): Promise<Outcome> {
  const uri = join(folder, 'grid.tif');
  writeFileSync(uri, tiffBytes([page]));
  let imageId: string;
  try {
    ({ imageId } = await images.open('grid', { uri, source: 'file', stains: 'rgb' }));
  } catch (error) {
    if (!isBridgeError(error) || error.errorName !== 'UnsupportedImage') throw error;
    return { refused: error.message };
  }
  try {
    return await images.readRegion(imageId, { x: 0, y: 0, width: WIDTH, height: HEIGHT, downsample: 1 });
  } catch (error) {
    if (!isBridgeError(error)) throw error;
    return { failed: error.errorName };
  } finally {
    images.close('grid', imageId);
  }
}

function onTheList(
  photometric: number,
  samples: number,
  bits: number,
  separate: boolean,
  compression: number,
): boolean {
  const kind = bits === 32 ? 'float' : `${bits} bit`;
  const row = TIFF_READINGS.find((reading) => reading.photometric === photometric);
  if (row === undefined) return false;
  return (
    row.kinds.some((each) => each === kind) &&
    COMPRESSIONS[compression]?.kinds.some((each) => each === kind) === true &&
    samples >= row.samples[0] &&
    samples <= row.samples[1] &&
    row.planar.some((planar) => planar === (separate && samples > 1 ? 2 : 1)) &&
    row.compressions.includes(compression) &&
    // Several samples share no byte.
    (bits >= 8 || samples === 1)
  );
}

describe.each(PHOTOMETRICS)('photometric %i', (photometric) => {
  test.each(LAYOUTS)(
    '$name: what is on the list is read as it is, everything else is refused by name',
    async ({ layout }) => {
      const separate = 'separate' in layout;
      const seen = { read: 0, refused: 0 };
      for (const samples of SAMPLES) {
        for (const bits of BITS) {
          const values = valuesOf(samples, bits);
          for (const [compression, encode] of Object.entries(ENCODERS)) {
            const page: TiffPage = {
              width: WIDTH,
              height: HEIGHT,
              samples,
              bits,
              data: values,
              ...layout,
              compression: Number(compression),
              encode,
              tags: {
                262: [photometric],
                338: [],
                ...(photometric === 3 && { 320: COLOR_MAP.slice(0, 3 * 2 ** Math.min(bits, 8)) }),
                ...(photometric === 6 && { 530: [1, 1] }),
              },
            };
            const what = `${samples} samples of ${bits} bits, compression ${compression}`;
            const outcome = await outcomeOf(page);
            if (onTheList(photometric, samples, bits, separate, Number(compression))) {
              if (!('data' in outcome)) throw new Error(`${what}: ${JSON.stringify(outcome)}`);
              const expected = truth(photometric, samples, bits, values);
              const worst = expected.reduce(
                (largest, value, at) => Math.max(largest, Math.abs(value - outcome.data[at]!)),
                0,
              );
              // Two ways of rounding YCbCr may differ by one.
              if (worst > 1) throw new Error(`${what}: differs by ${worst}`);
              seen.read += 1;
            } else {
              if (!('refused' in outcome)) throw new Error(`${what} is not on the list and was not refused`);
              seen.refused += 1;
            }
          }
        }
      }
      expect(seen.read > 0).toBe(
        TIFF_READINGS.some((row) => row.photometric === photometric && (!separate || row.planar.includes(2))),
      );
      expect(seen.refused).toBeGreaterThan(0);
    },
  );

  test('a codec that is not there is refused at open, by its name', async () => {
    for (const [compression, name] of Object.entries(REFUSED_COMPRESSIONS)) {
      const page: TiffPage = {
        width: WIDTH,
        height: HEIGHT,
        samples: 3,
        bits: 8,
        tileSize: 16,
        compression: Number(compression),
        data: valuesOf(3, 8),
      };
      const outcome = await outcomeOf({ ...page, tags: { 262: [photometric] } });
      expect('refused' in outcome && outcome.refused).toContain(name);
    }
    const unknown = await outcomeOf({
      width: WIDTH,
      height: HEIGHT,
      samples: 3,
      bits: 8,
      compression: 4711,
      data: valuesOf(3, 8),
    });
    expect('refused' in unknown && unknown.refused).toContain('4711');
  });

  test('noise in place of JPEG, WebP or fax never becomes pixels', async () => {
    const noise = Buffer.from(Array.from({ length: 700 }, (_, at) => (at * 73 + (at >> 2) * 41) % 256));
    for (const compression of [3, 4, 7, 50001]) {
      for (const samples of [1, 3]) {
        for (const bits of [1, 8] as const) {
          const page: TiffPage = {
            width: WIDTH,
            height: HEIGHT,
            samples,
            bits,
            tileSize: 16,
            compression,
            blocks: Array<Buffer>(4).fill(noise),
          };
          const outcome = await outcomeOf({ ...page, tags: { 262: [photometric], 338: [] } });
          // Fax has no check: its noise is black and white dots, which the strip must at least be long enough for.
          if ('data' in outcome) expect([3, 4]).toContain(compression);
        }
      }
    }
  });
});
