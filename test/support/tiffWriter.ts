/** One image of a TIFF to be written. `tiles` are its data blocks in order: encoded ones for `compression` 7 (JPEG). */
export interface TiffPage {
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** 32 are floating point numbers. */
  readonly bits: 1 | 2 | 4 | 8 | 16 | 32;
  /** Interleaved samples, row by row; cut into tiles or written as one strip. */
  readonly data?: ArrayLike<number>;
  readonly tileSize?: number;
  /** Each sample in a plane of its own. */
  readonly separate?: boolean;
  /** What `compression` does to the bytes of a block; as they are when absent. */
  readonly encode?: (block: Buffer) => Uint8Array;
  /** Tags in place of the writer's own, or beside them: `[]` leaves one out. */
  readonly tags?: Readonly<Record<number, readonly number[] | string>>;
  readonly blocks?: readonly Uint8Array[];
  readonly compression?: number;
  readonly description?: string;
  /** Pixels per unit, and the unit: 1 none, 2 inch, 3 cm. */
  readonly resolution?: { readonly x: number; readonly y: number; readonly unit: 1 | 2 | 3 };
  readonly reduced?: readonly TiffPage[];
}

export interface TiffOptions {
  readonly bigEndian?: boolean;
  readonly big?: boolean;
}

type Type = 2 | 3 | 4 | 5 | 16;
const BYTES: Record<Type, number> = { 2: 1, 3: 2, 4: 4, 5: 8, 16: 8 };

/** Values of a row, most significant bit first where several share a byte. */
function packed(values: readonly number[], bits: TiffPage['bits'], bigEndian: boolean): Buffer {
  if (bits >= 8) {
    const bytes = Buffer.alloc((values.length * bits) / 8);
    values.forEach((value, index) => {
      if (bits === 8) bytes.writeUInt8(value, index);
      else if (bits === 16) bytes[bigEndian ? 'writeUInt16BE' : 'writeUInt16LE'](value, index * 2);
      else bytes[bigEndian ? 'writeFloatBE' : 'writeFloatLE'](value, index * 4);
    });
    return bytes;
  }
  const bytes = Buffer.alloc(Math.ceil((values.length * bits) / 8));
  const perByte = 8 / bits;
  values.forEach((value, index) => {
    bytes[Math.floor(index / perByte)]! |= value << (8 - bits * ((index % perByte) + 1));
  });
  return bytes;
}

/** The bytes of a TIFF (or BigTIFF) with these pages, uncompressed unless a page brings encoded blocks. */
export function tiffBytes(
  pages: readonly TiffPage[],
  { bigEndian = false, big = false }: TiffOptions = {},
): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  const append = (bytes: Buffer): number => {
    const padded = length % 2 === 0 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]);
    const at = length + padded.length - bytes.length;
    chunks.push(padded);
    length += padded.length;
    return at;
  };
  const integer = (value: number, width: number): Buffer => {
    const bytes = Buffer.alloc(width);
    if (width === 8) {
      if (bigEndian) bytes.writeBigUInt64BE(BigInt(value));
      else bytes.writeBigUInt64LE(BigInt(value));
    } else if (bigEndian) bytes.writeUIntBE(value, 0, width);
    else bytes.writeUIntLE(value, 0, width);
    return bytes;
  };
  const pointer = big ? 8 : 4;
  const encode = (type: Type, values: readonly number[]): Buffer =>
    Buffer.concat(
      values.map((value) =>
        type === 5
          ? Buffer.concat([integer(Math.round(value * 10_000), 4), integer(10_000, 4)])
          : integer(value, BYTES[type]),
      ),
    );

  const blocksOf = (page: TiffPage): Buffer[] => {
    if (page.blocks !== undefined) return page.blocks.map((block) => Buffer.from(block));
    const {
      width,
      height,
      samples,
      bits,
      data = [],
      tileSize,
      separate = false,
      encode = (block: Buffer): Uint8Array => block,
    } = page;
    const cut = (left: number, top: number, columns: number, rows: number, plane?: number): Buffer => {
      const lines: Buffer[] = [];
      for (let y = top; y < top + rows; y += 1) {
        const values: number[] = [];
        for (let x = left; x < left + columns; x += 1) {
          for (
            let channel = plane ?? 0;
            channel < (plane === undefined ? samples : plane + 1);
            channel += 1
          ) {
            values.push(x < width && y < height ? (data[(y * width + x) * samples + channel] ?? 0) : 0);
          }
        }
        lines.push(packed(values, bits, bigEndian));
      }
      return Buffer.from(encode(Buffer.concat(lines)));
    };
    const planes = separate ? Array.from({ length: samples }, (_, plane) => plane) : [undefined];
    if (tileSize === undefined) return planes.map((plane) => cut(0, 0, width, height, plane));
    const blocks: Buffer[] = [];
    for (const plane of planes) {
      for (let top = 0; top < height; top += tileSize) {
        for (let left = 0; left < width; left += tileSize)
          blocks.push(cut(left, top, tileSize, tileSize, plane));
      }
    }
    return blocks;
  };

  /** Writes a directory whose link to the next is 0 yet, and says where it and that link are. */
  const directory = (page: TiffPage): { at: number; link: number } => {
    const {
      width,
      height,
      samples,
      bits,
      tileSize,
      compression = 1,
      description,
      resolution,
      reduced = [],
    } = page;
    const blocks = blocksOf(page);
    const offsets = blocks.map(append);
    const counts = blocks.map((block) => block.length);
    const subs = reduced.map((sub) => directory(sub).at);
    const jpeg = compression === 7;
    const tags: [number, Type, readonly number[]][] = [
      [256, 4, [width]],
      [257, 4, [height]],
      [258, 3, Array<number>(samples).fill(bits)],
      [259, 3, [compression]],
      [262, 3, [samples < 3 ? 1 : jpeg ? 6 : 2]],
      ...(description === undefined
        ? []
        : ([[270, 2, [...Buffer.from(`${description}\0`)]]] as [number, Type, number[]][])),
      ...(tileSize === undefined
        ? ([[273, pointer === 8 ? 16 : 4, offsets]] as [number, Type, number[]][])
        : []),
      [277, 3, [samples]],
      ...(tileSize === undefined
        ? ([
            [278, 4, [height]],
            [279, 4, counts],
          ] as [number, Type, number[]][])
        : []),
      ...(resolution === undefined
        ? []
        : ([
            [282, 5, [resolution.x]],
            [283, 5, [resolution.y]],
            [296, 3, [resolution.unit]],
          ] as [number, Type, number[]][])),
      ...(tileSize === undefined
        ? []
        : ([
            [322, 3, [tileSize]],
            [323, 3, [tileSize]],
            [324, pointer === 8 ? 16 : 4, offsets],
            [325, 4, counts],
          ] as [number, Type, number[]][])),
      ...(subs.length === 0 ? [] : ([[330, pointer === 8 ? 16 : 4, subs]] as [number, Type, number[]][])),
      ...(samples === 2 || samples === 4 ? ([[338, 3, [2]]] as [number, Type, number[]][]) : []),
      ...(jpeg ? ([[530, 3, [1, 1]]] as [number, Type, number[]][]) : []),
      ...(page.separate === true ? ([[284, 3, [2]]] as [number, Type, number[]][]) : []),
      ...(bits === 32 ? ([[339, 3, [3]]] as [number, Type, number[]][]) : []),
    ];
    const own = Object.entries(page.tags ?? {}).map(([tag, value]): [number, Type, readonly number[]] =>
      typeof value === 'string'
        ? [Number(tag), 2, [...Buffer.from(`${value}\0`)]]
        : [Number(tag), value.some((number) => number > 65535) ? 4 : 3, value],
    );
    const replaced = new Set(own.map(([tag]) => tag));
    const all = [
      ...tags.filter(([tag]) => !replaced.has(tag)),
      ...own.filter(([, , values]) => values.length > 0),
    ];
    const entries = all
      .sort(([a], [b]) => a - b)
      .map(([tag, type, values]) => {
        const bytes = encode(type, values);
        const inline =
          bytes.length <= pointer ? Buffer.concat([bytes, Buffer.alloc(pointer - bytes.length)]) : undefined;
        return Buffer.concat([
          integer(tag, 2),
          integer(type, 2),
          integer(values.length, pointer),
          inline ?? integer(append(bytes), pointer),
        ]);
      });
    const head = integer(entries.length, big ? 8 : 2);
    const at = append(Buffer.concat([head, ...entries, Buffer.alloc(pointer)]));
    return { at, link: at + head.length + entries.length * (big ? 20 : 12) };
  };

  const order = Buffer.from(bigEndian ? 'MM' : 'II');
  append(
    big
      ? Buffer.concat([order, integer(43, 2), integer(8, 2), integer(0, 2), Buffer.alloc(8)])
      : Buffer.concat([order, integer(42, 2), Buffer.alloc(4)]),
  );
  const places = pages.map(directory);
  const bytes = Buffer.concat(chunks);
  let link = big ? 8 : 4;
  for (const place of places) {
    integer(place.at, pointer).copy(bytes, link);
    link = place.link;
  }
  return bytes;
}
