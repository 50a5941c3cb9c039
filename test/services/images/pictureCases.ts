import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { RgbPixels } from '../../../src/services/images/pixels';
import { encodeLzw } from '../../support/blockEncoders';
import { tiffBytes, type TiffOptions, type TiffPage } from '../../support/tiffWriter';

// Kinds of file that users of the field's tools have reported trouble with, made again from a tile of real tissue, so that
// the right answer is known. The page docs/formats.md lists them with what happens.

/** A file and what must come of it. */
export interface PictureCase {
  /** What is peculiar, as the page of formats says it. */
  readonly name: string;
  /** Its group on the page. */
  readonly group: string;
  readonly file: string;
  readonly bytes: () => Promise<Uint8Array> | Uint8Array;
  /** The error at open, or at reading; absent for what is read. */
  readonly refused?: 'UnsupportedImage' | 'ImageUnreadable';
  /** Words of the refusal. */
  readonly says?: RegExp;
  /** The pixels that must come: the tile, or the tile enlarged twice; absent where they are not compared. */
  readonly truth?: () => Promise<RgbPixels>;
  readonly tolerance?: number;
  /** Names of the warnings, besides an unknown pixel size; in any order. */
  readonly warnings?: readonly string[];
  readonly micronsPerPixel?: number | null;
  readonly levels?: readonly number[];
}

const SIDE = 128;
const TILE = join(__dirname, '../../fixtures/images/brca-train.png');

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};
const pixels = async (image: sharp.Sharp): Promise<RgbPixels> => {
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data: Uint8Array.from(data) };
};
const tile = (left = 40, top = 40): sharp.Sharp =>
  sharp(TILE).extract({ left, top, width: SIDE, height: SIDE });
/** The tile at 0.5 µm/px, another one, and the first enlarged to 0.25 µm/px. */
const base = once(() => pixels(tile()));
const other = once(() => pixels(tile(300, 300)));
const up = once(async () =>
  pixels(sharp(await tile().png().toBuffer()).resize(2 * SIDE, 2 * SIDE, { kernel: 'cubic' })),
);
const half = base;
const shrunk = once(async () => {
  const { width, height, data } = await up();
  return pixels(
    sharp(data, { raw: { width, height, channels: 3 } }).resize(SIDE / 2, SIDE / 2, { kernel: 'linear' }),
  );
});
const raw = async (from: () => Promise<RgbPixels>): Promise<sharp.Sharp> => {
  const { width, height, data } = await from();
  return sharp(data, { raw: { width, height, channels: 3 } });
};

const page = ({ width, height, data }: RgbPixels, more: Partial<TiffPage> = {}): TiffPage => ({
  width,
  height,
  samples: 3,
  bits: 8,
  data,
  ...more,
});
const perCm = (count: number): Pick<TiffPage, 'resolution'> => ({
  resolution: { x: count, y: count, unit: 3 },
});
const tiff = async (
  pages: readonly (TiffPage | Promise<TiffPage>)[],
  options?: TiffOptions,
): Promise<Buffer> => tiffBytes(await Promise.all(pages.map(async (each) => each)), options);
const one = (more: Partial<TiffPage>, options?: TiffOptions) => async (): Promise<Buffer> =>
  tiff([page(await base(), { ...perCm(20_000), ...more })], options);
/** One value of the tile for each pixel, as a sample of its own. */
const channel = async (from: () => Promise<RgbPixels>, index: number, inverted = true): Promise<Uint8Array> =>
  Uint8Array.from(
    (await from()).data.filter((_, at) => at % 3 === index),
    (value) => (inverted ? 255 - value : value),
  );
const interleaved = (planes: readonly Uint8Array[]): number[] =>
  Array.from(
    { length: planes[0]!.length * planes.length },
    (_, at) => planes[at % planes.length]![Math.floor(at / planes.length)]!,
  );
const grey = (data: ArrayLike<number>, side = SIDE, more: Partial<TiffPage> = {}): TiffPage => ({
  width: side,
  height: side,
  samples: 1,
  bits: 8,
  data,
  ...more,
});

function ome(attributes: string, prefix = '', before = ''): string {
  const p = prefix === '' ? '' : `${prefix}:`;
  const space = `xmlns${prefix === '' ? '' : `:${prefix}`}="http://www.openmicroscopy.org/Schemas/OME/2016-06"`;
  return `<?xml version="1.0" encoding="UTF-8"?><${p}OME ${space}>${before}<${p}Image ID="Image:0" Name="tissue"><${p}Pixels DimensionOrder="XYCZT" ID="Pixels:0" ${attributes} SizeC="3" SizeT="1" SizeX="${SIDE}" SizeY="${SIDE}" SizeZ="1" Type="uint8"><${p}Channel ID="Channel:0:0" SamplesPerPixel="3"/><${p}TiffData IFD="0" PlaneCount="1"/></${p}Pixels></${p}Image></${p}OME>`;
}
const physical = (value: string, unit?: string): string => {
  const units = unit === undefined ? '' : ` PhysicalSizeXUnit="${unit}" PhysicalSizeYUnit="${unit}"`;
  return `PhysicalSizeX="${value}" PhysicalSizeY="${value}"${units}`;
};
const described =
  (description: string, more: Partial<TiffPage> = {}) =>
  async (): Promise<Buffer> =>
    tiff([page(await base(), { description, ...more })]);
const aperio = (rest: string): string =>
  `Aperio Image Library v11.2.1\r\n${SIDE}x${SIDE} (128x128) JPEG/RGB Q=90|${rest}`;
/** The tile as PNG with a chunk after its header, in place of the one that the encoder writes. */
const pngChunk = async (name: string, body: Buffer): Promise<Buffer> => {
  const bytes = await (await raw(base)).png().toBuffer();
  const chunk = Buffer.alloc(12 + body.length);
  chunk.writeUInt32BE(body.length, 0);
  chunk.write(name, 4, 'latin1');
  body.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + body.length)), 8 + body.length);
  return Buffer.concat([bytes.subarray(0, 33), chunk, withoutChunk(bytes, name).subarray(33)]);
};
const withoutChunk = (bytes: Buffer, name: string): Buffer => {
  const at = bytes.indexOf(name, 0, 'latin1') - 4;
  return at < 0
    ? bytes
    : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 12 + bytes.readUInt32BE(at))]);
};
const phys = (x: number, y: number, unit: number): Buffer => {
  const body = Buffer.alloc(9);
  body.writeUInt32BE(x, 0);
  body.writeUInt32BE(y, 4);
  body[8] = unit;
  return body;
};

const CODECS: readonly PictureCase[] = (
  [
    [50000, 'Zstandard'],
    [34925, 'LZMA'],
    [34887, 'LERC'],
    [50002, 'JPEG XL'],
    [34934, 'JPEG XR'],
    [34933, 'PNG'],
    [34712, 'JPEG 2000'],
    [33005, 'Aperio JPEG 2000'],
    [6, 'old-style JPEG'],
  ] as const
).map(([compression, codec]) => ({
  group: 'Codecs and colours',
  name: `tiles in ${codec}`,
  file: `codec-${compression}.tif`,
  bytes: one({ tileSize: 32, compression }),
  refused: 'UnsupportedImage',
  says: new RegExp(codec),
}));

const COLOURS: readonly Omit<PictureCase, 'group'>[] = [
  { name: 'plain strips', file: 'plain.tif', bytes: one({}), truth: base, micronsPerPixel: 0.5 },
  {
    name: 'BigTIFF, big-endian',
    file: 'big.tif',
    bytes: one({ tileSize: 32 }, { big: true, bigEndian: true }),
    truth: base,
    micronsPerPixel: 0.5,
  },
  {
    name: 'LZW tiles',
    file: 'lzw.tif',
    bytes: one({ tileSize: 32, compression: 5, encode: encodeLzw }),
    truth: base,
    micronsPerPixel: 0.5,
  },
  {
    name: 'each sample in a plane of its own',
    file: 'planes.tif',
    bytes: one({ tileSize: 32, separate: true, compression: 8, encode: (block) => deflateSync(block) }),
    truth: base,
    micronsPerPixel: 0.5,
  },
  {
    name: '16 bit, big-endian',
    file: 'wide.tif',
    bytes: async () =>
      tiff(
        [
          page(await base(), {
            bits: 16,
            data:
              (await base()).data.map === undefined
                ? []
                : Array.from((await base()).data, (value) => value * 257),
            ...perCm(20_000),
          }),
        ],
        { bigEndian: true },
      ),
    truth: base,
    micronsPerPixel: 0.5,
  },
  {
    name: '12 bit in 16, not said',
    file: 'twelve.tif',
    bytes: async () =>
      tiff([
        page(await base(), {
          bits: 16,
          data: Array.from((await base()).data, (value) => Math.round((value * 4095) / 255)),
          ...perCm(20_000),
        }),
      ]),
    truth: base,
    tolerance: 1,
    warnings: ['ValuesScaled'],
    micronsPerPixel: 0.5,
  },
  {
    name: '12 bit in 16, said by MaxSampleValue',
    file: 'twelve-said.tif',
    bytes: async () =>
      tiff([
        page(await base(), {
          bits: 16,
          data: Array.from((await base()).data, (value) => Math.round((value * 4095) / 255)),
          tags: { 281: [4095] },
          ...perCm(20_000),
        }),
      ]),
    truth: base,
    tolerance: 1,
    micronsPerPixel: 0.5,
  },
  {
    name: '8 bit in 16',
    file: 'eight.tif',
    bytes: async () => tiff([page(await base(), { bits: 16, ...perCm(20_000) })]),
    truth: base,
    warnings: ['ValuesScaled'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'floats from 0 to 1',
    file: 'float.tif',
    bytes: async () =>
      tiff([
        page(await base(), {
          bits: 32,
          data: Array.from((await base()).data, (value) => value / 255),
          ...perCm(20_000),
        }),
      ]),
    truth: base,
    micronsPerPixel: 0.5,
  },
  {
    name: 'colour floats from 0 to 255',
    file: 'float-255.tif',
    bytes: async () => tiff([page(await base(), { bits: 32 })]),
    refused: 'UnsupportedImage',
    says: /floating point values from/,
  },
  {
    name: 'CIE L*a*b*',
    file: 'lab.tif',
    bytes: one({ tags: { 262: [8] } }),
    refused: 'UnsupportedImage',
    says: /L\*a\*b\*/,
  },
  {
    name: 'CMYK',
    file: 'cmyk.tif',
    bytes: async () => {
      const { data } = await base();
      const inks = Array.from({ length: SIDE * SIDE * 4 }, (_, at) =>
        at % 4 === 3 ? 0 : 255 - data[Math.floor(at / 4) * 3 + (at % 4)]!,
      );
      return tiff([
        page(await base(), { samples: 4, data: inks, tags: { 262: [5], 338: [] }, ...perCm(20_000) }),
      ]);
    },
    truth: base,
    warnings: ['ColoursConverted'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'subsampled YCbCr outside JPEG',
    file: 'ycbcr.tif',
    bytes: one({ tags: { 262: [6], 530: [2, 2] } }),
    refused: 'UnsupportedImage',
    says: /subsampled YCbCr/,
  },
  {
    name: 'orientation in the tags',
    file: 'turned.tif',
    bytes: one({ tags: { 274: [6] } }),
    truth: base,
    warnings: ['OrientationIgnored'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'signed samples',
    file: 'signed.tif',
    bytes: one({ tags: { 339: [2, 2, 2] } }),
    refused: 'UnsupportedImage',
    says: /8-bit signed/,
  },
  {
    name: 'a grey PNG that is called .tif',
    file: 'grey-png.tif',
    bytes: async () => (await raw(base)).toColourspace('b-w').png().toBuffer(),
  },
];

const DAMAGE: readonly Omit<PictureCase, 'group'>[] = [
  {
    name: 'a file cut at 70 %',
    file: 'cut.tif',
    bytes: async () => {
      const whole = await one({ tileSize: 32 })();
      return whole.subarray(0, Math.floor(whole.length * 0.7));
    },
    refused: 'ImageUnreadable',
  },
  {
    name: 'tiles beyond the end of the file',
    file: 'beyond.tif',
    bytes: async () =>
      withBlocks(await one({ tileSize: 32 })(), (offset, count, index) =>
        index > 9 ? [offset + 900_000, count] : [offset, count],
      ),
    refused: 'ImageUnreadable',
    says: /tile at x .* beyond the end/,
    warnings: ['FileCut'],
  },
  {
    name: 'a tile of half its bytes',
    file: 'halved.tif',
    bytes: async () =>
      withBlocks(await one({ tileSize: 32 })(), (offset, count, index) =>
        index === 5 ? [offset, count / 2] : [offset, count],
      ),
    refused: 'ImageUnreadable',
    says: /tile at x 32 to 64, y 32 to 64 .* of 3072 bytes/,
  },
  {
    name: 'a misplaced tile',
    file: 'misplaced.tif',
    bytes: async () =>
      withBlocks(await one({ tileSize: 32 })(), (offset, count, index) =>
        index === 5 ? [offset + 700, count] : [offset, count],
      ),
    refused: 'ImageUnreadable',
    says: /overlap/,
  },
  {
    name: 'a damaged tile in Deflate',
    file: 'deflate.tif',
    bytes: async () => {
      const bytes = await one({ tileSize: 32, compression: 8, encode: (block) => deflateSync(block) })();
      bytes[8 + 900]! ^= 0xff;
      return bytes;
    },
    refused: 'ImageUnreadable',
    says: /tile at x/,
  },
  {
    name: 'tiles left out on purpose (0 bytes)',
    file: 'sparse.tif',
    bytes: async () =>
      withBlocks(await one({ tileSize: 32 })(), (offset, count, index) =>
        index < 2 ? [0, 0] : [offset, count],
      ),
    truth: once(async () => {
      const { data, ...size } = await base();
      return {
        ...size,
        data: data.map((value, at) => (Math.floor(at / 3) % SIDE < 64 && at / 3 / SIDE < 32 ? 255 : value)),
      };
    }),
    warnings: ['TilesLeftOut'],
    micronsPerPixel: 0.5,
  },
];

/** A TIFF with the offsets and byte counts of its tiles changed. */
function withBlocks(
  bytes: Buffer,
  change: (offset: number, count: number, index: number) => [number, number],
): Buffer {
  const directory = bytes.readUInt32LE(4);
  const place = new Map<number, { at: number; count: number }>();
  for (let index = 0; index < bytes.readUInt16LE(directory); index += 1) {
    const at = directory + 2 + index * 12;
    place.set(bytes.readUInt16LE(at), { at: bytes.readUInt32LE(at + 8), count: bytes.readUInt32LE(at + 4) });
  }
  const [offsets, counts] = [place.get(324)!, place.get(325)!];
  for (let index = 0; index < offsets.count; index += 1) {
    const [offset, count] = change(
      bytes.readUInt32LE(offsets.at + index * 4),
      bytes.readUInt32LE(counts.at + index * 4),
      index,
    );
    bytes.writeUInt32LE(offset, offsets.at + index * 4);
    bytes.writeUInt32LE(count, counts.at + index * 4);
  }
  return bytes;
}

const slide = async (): Promise<TiffPage> => page(await up(), { tileSize: 64, ...perCm(40_000) });
const halfPage = async (more: Partial<TiffPage> = {}): Promise<TiffPage> =>
  page(await half(), { tileSize: 64, ...perCm(20_000), ...more });
const zDescription = (z: number): string => `${aperio('AppMag = 40|MPP = 0.2500')}|OffsetZ = ${z}`;
const qptiff = (type: string, name: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><PerkinElmer-QPI-ImageDescription><ImageType>${type}</ImageType><Name>${name}</Name></PerkinElmer-QPI-ImageDescription>`;
const mirrored = ({ width, height, data }: RgbPixels): RgbPixels => ({
  width,
  height,
  channels: 3,
  data: data.map(
    (_, at) =>
      data[(Math.floor(at / 3 / width) * width + (width - 1 - (Math.floor(at / 3) % width))) * 3 + (at % 3)]!,
  ),
});

const PAGES: readonly Omit<PictureCase, 'group'>[] = [
  {
    name: 'a pyramid without flags',
    file: 'pyramid.tif',
    bytes: async () => tiff([slide(), halfPage()]),
    truth: up,
    levels: [1, 2],
    micronsPerPixel: 0.25,
  },
  {
    name: 'a second page of half the size that shows something else',
    file: 'two.tif',
    bytes: async () => tiff([slide(), page(await other(), { tileSize: 64 })]),
    truth: up,
    levels: [1],
    warnings: ['LevelLeftOut'],
    micronsPerPixel: 0.25,
  },
  {
    name: 'the same, marked as reduced',
    file: 'two-flagged.tif',
    bytes: async () => tiff([slide(), page(await other(), { tileSize: 64, tags: { 254: [1] } })]),
    truth: up,
    levels: [1],
    warnings: ['LevelLeftOut'],
    micronsPerPixel: 0.25,
  },
  {
    name: 'a thumbnail first, marked as reduced',
    file: 'thumb.tif',
    bytes: async () => tiff([page(await shrunk(), { tileSize: 32, tags: { 254: [1] } }), slide()]),
    truth: up,
    levels: [1, 4],
    micronsPerPixel: 0.25,
  },
  {
    name: 'a macro first, the slide after it',
    file: 'leica.scn',
    bytes: async () =>
      tiff([page(await shrunk(), { tileSize: 32, description: SCN }), slide(), halfPage()], { big: true }),
    refused: 'UnsupportedImage',
    says: /Leica SCN is read through OpenSlide/,
  },
  {
    name: 'two focal planes (SVS)',
    file: 'planes.svs',
    bytes: async () => {
      const z1 = mirrored(await up());
      const z1Half = mirrored(await half());
      return tiff([
        { ...(await slide()), description: zDescription(0) },
        page(await shrunk(), { description: zDescription(0) }),
        halfPage({ description: zDescription(0) }),
        page(z1, { tileSize: 64, description: zDescription(0.9) }),
        page(z1Half, { tileSize: 64, description: zDescription(0.9) }),
      ]);
    },
    truth: up,
    levels: [1, 2],
    warnings: ['OnlyFirstPlane'],
    micronsPerPixel: 0.25,
  },
  {
    name: 'three stains, thumbnail, three stains at half size (QPTIFF)',
    file: 'stains.qptiff',
    bytes: async () => {
      const planes = await Promise.all([0, 1, 2].map((index) => channel(up, index)));
      const halves = await Promise.all([0, 1, 2].map((index) => channel(half, index)));
      return tiff([
        ...planes.map((data, index) =>
          grey(data, 2 * SIDE, {
            tileSize: 64,
            ...perCm(40_000),
            description: qptiff('FullResolution', ['CD3', 'DAPI', 'CD8'][index]!),
          }),
        ),
        page(await shrunk(), { description: qptiff('Thumbnail', '') }),
        ...halves.map((data) =>
          grey(data, SIDE, { tileSize: 64, description: qptiff('ReducedResolution', '') }),
        ),
      ]);
    },
    levels: [1, 2],
    warnings: ['StainsAssumed'],
    micronsPerPixel: 0.25,
  },
  {
    name: 'Ventana BIF',
    file: 'ventana.bif',
    bytes: async () =>
      tiff([
        page(await shrunk(), { description: 'Label_Image' }),
        { ...(await slide()), description: 'level=0 mag=40 quality=90' },
      ]),
    refused: 'UnsupportedImage',
    says: /Ventana BIF is read through OpenSlide/,
  },
  {
    name: 'Hamamatsu NDPI',
    file: 'slide.ndpi',
    bytes: one({ tags: { 65420: [1] } }),
    refused: 'UnsupportedImage',
    says: /NDPI is read through OpenSlide/,
  },
  {
    name: 'pages of equal size without a word',
    file: 'stack.tif',
    bytes: async () => tiff([page(await base(), perCm(20_000)), page(await other(), perCm(20_000))]),
    truth: base,
    warnings: ['OnlyFirstPage'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'five focal planes (ImageJ)',
    file: 'z5.tif',
    bytes: async () =>
      tiff(
        await Promise.all(
          [0, 1, 2, 3, 4].map(async (z) =>
            page(await (z === 0 ? base() : other()), {
              description: z === 0 ? 'ImageJ=1.54f\nimages=5\nslices=5\nunit=micron\n' : '',
              resolution: { x: 2, y: 2, unit: 1 },
            }),
          ),
        ),
      ),
    truth: base,
    warnings: ['OnlyFirstPlane'],
    micronsPerPixel: 0.5,
  },
];

const SCN = `<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection name="c" sizeX="128000" sizeY="128000"><image name="macro"><pixels sizeX="64" sizeY="64"><dimension sizeX="64" sizeY="64" r="0" ifd="0"/></pixels><view sizeX="128000" sizeY="128000"/></image><image name="main"><pixels sizeX="256" sizeY="256"><dimension sizeX="256" sizeY="256" r="0" ifd="1"/><dimension sizeX="128" sizeY="128" r="1" ifd="2"/></pixels><view sizeX="64000" sizeY="64000" offsetX="1"/></image></collection></scn>`;

const CHANNELS: readonly Omit<PictureCase, 'group'>[] = [
  {
    name: 'two stains in one page',
    file: 'stains2.tif',
    bytes: async () =>
      tiff([
        grey(interleaved([await channel(base, 0), await channel(base, 1)]), SIDE, {
          samples: 2,
          tags: { 338: [0] },
          ...perCm(20_000),
        }),
      ]),
    warnings: ['StainsAssumed'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'five stains in one page',
    file: 'stains5.tif',
    bytes: async () =>
      tiff([
        grey(interleaved(await Promise.all([0, 1, 2, 0, 1].map((index) => channel(base, index)))), SIDE, {
          samples: 5,
          tags: { 262: [1], 338: [0, 0, 0, 0] },
          ...perCm(20_000),
        }),
      ]),
    warnings: ['StainsAssumed'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'RGB and a fourth sample that nobody calls alpha',
    file: 'rgb-plus.tif',
    bytes: async () =>
      tiff([
        page(await base(), {
          samples: 4,
          data: interleaved([
            ...(await Promise.all([0, 1, 2].map((index) => channel(base, index, false)))),
            new Uint8Array(SIDE * SIDE),
          ]),
          tags: { 338: [0] },
          ...perCm(20_000),
        }),
      ]),
    truth: base,
    warnings: ['SamplesLeftOut'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'RGBA tagged as grey',
    file: 'rgba-grey.tif',
    bytes: async () =>
      tiff([
        page(await base(), {
          samples: 4,
          data: interleaved([
            ...(await Promise.all([0, 1, 2].map((index) => channel(base, index, false)))),
            new Uint8Array(SIDE * SIDE).fill(255),
          ]),
          tags: { 262: [1], 338: [0, 0, 0] },
          ...perCm(20_000),
        }),
      ]),
    truth: base,
    warnings: ['StainsAssumed'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'alpha that is said to be alpha',
    file: 'alpha.tif',
    bytes: async () =>
      tiff([
        page(await base(), {
          samples: 4,
          data: interleaved([
            ...(await Promise.all([0, 1, 2].map((index) => channel(base, index, false)))),
            new Uint8Array(SIDE * SIDE).fill(255),
          ]),
          ...perCm(20_000),
        }),
      ]),
    truth: base,
    micronsPerPixel: 0.5,
  },
  {
    name: 'three channels, one directory (ImageJ above 4 GB)',
    file: 'one-ifd.tif',
    bytes: async () => {
      const planes = await Promise.all([0, 1, 2].map((index) => channel(base, index)));
      return tiff([
        grey([], SIDE, {
          blocks: [planes[0]!],
          description: 'ImageJ=1.54f\nimages=3\nchannels=3\nunit=um\n',
          resolution: { x: 2, y: 2, unit: 1 },
        }),
      ]).then((bytes) => appended(bytes, planes));
    },
    warnings: ['StainsAssumed'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'channels with names (OME-TIFF)',
    file: 'named.ome.tif',
    bytes: async () => {
      const planes = await Promise.all([1, 0].map((index) => channel(base, index)));
      const xml = `<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ${physical('0.5')} SizeX="${SIDE}" SizeY="${SIDE}" SizeC="2" SizeZ="1" SizeT="1" Type="uint8"><Channel Name="CD3"/><Channel Name="Hoechst 33342"/><TiffData/></Pixels></Image></OME>`;
      return tiff([grey(planes[1]!, SIDE, { description: xml }), grey(planes[0]!, SIDE)]);
    },
    warnings: ['StainsAssumed'],
    micronsPerPixel: 0.5,
  },
  {
    name: 'channels in other files (OME-TIFF)',
    file: 'elsewhere.ome.tif',
    bytes: async () => {
      const xml = `<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels DimensionOrder="XYCZT" SizeX="${SIDE}" SizeY="${SIDE}" SizeC="2" SizeZ="1" SizeT="1" Type="uint8"><Channel Name="A"/><Channel Name="B"/><TiffData IFD="0" FirstC="0"><UUID FileName="a.tif">urn:a</UUID></TiffData><TiffData IFD="0" FirstC="1"><UUID FileName="b.tif">urn:b</UUID></TiffData></Pixels></Image></OME>`;
      return tiff([grey(await channel(base, 0), SIDE, { description: xml })]);
    },
    refused: 'UnsupportedImage',
    says: /only 1 can be found in this file/,
  },
];

/** A stack whose planes follow each other behind the only directory: the first plane's offset is moved to them. */
function appended(bytes: Buffer, planes: readonly Uint8Array[]): Buffer {
  const directory = bytes.readUInt32LE(4);
  for (let index = 0; index < bytes.readUInt16LE(directory); index += 1) {
    const at = directory + 2 + index * 12;
    if (bytes.readUInt16LE(at) === 273) bytes.writeUInt32LE(bytes.length, at + 8);
  }
  return Buffer.concat([bytes, ...planes]);
}

const size = (
  name: string,
  file: string,
  bytes: PictureCase['bytes'],
  micronsPerPixel: number | null,
  warnings: readonly string[] = [],
): Omit<PictureCase, 'group'> => ({ name, file, bytes, micronsPerPixel, warnings });
const UNCERTAIN = ['PixelSizeUncertain'];
const SIZES: readonly Omit<PictureCase, 'group'>[] = [
  ...(
    [
      ['5.0E-7', 'm'],
      ['500', 'nm'],
      ['0.0005', 'mm'],
      ['0.00005', 'cm'],
      ['5000', 'Å'],
      ['500000', 'pm'],
      ['1.968503937007874e-05', 'in'],
      ['0.5', '&#xB5;m'],
      ['0.5', '&#181;m'],
      ['0.5', 'μm'],
      ['0,5', 'µm'],
    ] as const
  ).map(([value, unit], index) =>
    size(
      `OME-XML: ${value} ${unit.replace('&', '&amp;')}`,
      `ome-${index}.ome.tif`,
      described(ome(physical(value, unit))),
      0.5,
    ),
  ),
  size('OME-XML in a namespace prefix', 'prefix.ome.tif', described(ome(physical('0.5', 'µm'), 'OME')), 0.5),
  size(
    'OME-XML with a commented-out Pixels',
    'comment.ome.tif',
    described(ome(physical('0.5'), '', '<!-- was <Pixels PhysicalSizeX="5"/> -->')),
    0.5,
  ),
  size(
    'OME-XML in pixels, tags that say 1 µm',
    'pixel.ome.tif',
    described(ome(physical('0.5', 'pixel')), perCm(10_000)),
    1,
    UNCERTAIN,
  ),
  size(
    'OME-XML in pixels, tags that say nothing',
    'pixel-only.ome.tif',
    described(ome(physical('0.5', 'pixel'))),
    null,
  ),
  size('OME-XML: height alone', 'y.ome.tif', described(ome('PhysicalSizeY="0.5"')), 0.5, UNCERTAIN),
  size(
    'OME-XML of a label before the slide',
    'label.ome.tif',
    async () => {
      const label =
        '<Image ID="Image:9" Name="label"><Pixels DimensionOrder="XYCZT" PhysicalSizeX="12.0" SizeC="3" SizeT="1" SizeX="100" SizeY="80" SizeZ="1" Type="uint8"><TiffData IFD="1" PlaneCount="1"/></Pixels></Image>';
      return tiff([
        page(await base(), { description: ome(physical('0.5'), '', label) }),
        page(await shrunk()),
      ]);
    },
    0.5,
    ['OtherPages'],
  ),
  size('broken OME-XML', 'broken.ome.tif', described(ome(physical('0.5')).replace('</Pixels>', '')), null, [
    'MetadataUnreadable',
  ]),
  size('Aperio MPP with a comma', 'comma.svs', described(aperio('AppMag = 20|MPP = 0,5000')), 0.5),
  size('Aperio MPP nan', 'nan.svs', described(aperio('MPP = nan')), null),
  {
    name: 'Philips TIFF',
    file: 'philips.tiff',
    bytes: described(
      '<?xml version="1.0" encoding="UTF-8" ?><DataObject ObjectType="DPUfsImport"><Attribute Name="DICOM_PIXEL_SPACING" Group="0x0028" Element="0x0030" PMSVR="IDoubleArray">"0.0005" "0.0005"</Attribute></DataObject>',
    ),
    refused: 'UnsupportedImage',
    says: /Philips TIFF is read through OpenSlide/,
  },
  ...(['micron', '\\u00B5m', 'um', 'Microns', 'micrometer'] as const).map((unit, index) =>
    size(
      `ImageJ, unit ${unit}`,
      `ij-${index}.tif`,
      described(`ImageJ=1.54f\nunit=${unit}\n`, { resolution: { x: 2, y: 2, unit: 1 } }),
      0.5,
    ),
  ),
  size(
    'ImageJ, unit in latin1',
    'ij-latin1.tif',
    async () => {
      const bytes = await described('ImageJ=1.54f\nunit=@m\n', { resolution: { x: 2, y: 2, unit: 1 } })();
      bytes[bytes.indexOf('@m')] = 0xb5;
      return bytes;
    },
    0.5,
  ),
  size(
    'resolution tags: 72 dpi',
    'dpi72.tif',
    described('', { resolution: { x: 72, y: 72, unit: 2 } }),
    null,
  ),
  size(
    'resolution tags: not square',
    'oblong.tif',
    described('', { resolution: { x: 20_000, y: 10_000, unit: 3 } }),
    0.5,
    UNCERTAIN,
  ),
  size('PNG pHYs as an aspect ratio', 'aspect.png', () => pngChunk('pHYs', phys(2000, 2000, 0)), null),
  size(
    'PNG pHYs: not square',
    'oblong.png',
    () => pngChunk('pHYs', phys(2_000_000, 1_000_000, 1)),
    0.5,
    UNCERTAIN,
  ),
  size(
    'PNG that says nothing',
    'none.png',
    async () => withoutChunk(await (await raw(base)).png().toBuffer(), 'pHYs'),
    null,
  ),
  size(
    'JPEG: not square',
    'oblong.jpg',
    async () => {
      const bytes = await (await raw(base)).jpeg({ quality: 98 }).toBuffer();
      const jfif = Buffer.from([0xff, 0xe0, 0, 16, ...Buffer.from('JFIF\0'), 1, 2, 1, 0, 0, 0, 0, 0, 0]);
      jfif.writeUInt16BE(50_800, 12);
      jfif.writeUInt16BE(25_400, 14);
      return Buffer.concat([bytes.subarray(0, 2), jfif, bytes.subarray(2)]);
    },
    0.5,
    UNCERTAIN,
  ),
];

const grouped = (group: string, cases: readonly Omit<PictureCase, 'group'>[]): PictureCase[] =>
  cases.map((each) => ({ group, ...each }));

export const PICTURE_CASES: readonly PictureCase[] = [
  ...CODECS,
  ...grouped('Codecs and colours', COLOURS),
  ...grouped('Damage', DAMAGE),
  ...grouped('Pages', PAGES),
  ...grouped('Channels', CHANNELS),
  ...grouped('Pixel size', SIZES),
];
