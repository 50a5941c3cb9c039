import { BridgeError } from '../../../errors';
import type { ChannelPixels } from '../imageSource';
import { answerQuestions } from '../readerProcess/readerHost';
import { bloscFault } from './bloscCheck';
import { ChunkCache } from './chunkCache';
import { chunkPlaces, copyChunk, type ChunkValues } from './chunkCopy';
import { ZarrFolder } from './zarrFolder';
import type { ZarrArray, ZarrPixels, ZarrQuestions, ZarrStore } from './zarrQuestions';

// The process that zarrita runs in: it decodes on its own thread, and what it does not survive ends nothing else.

/** An ES module alone; this package is CommonJS. */
const loadZarrita = () => import('zarrita');
const zarritaLoaded = loadZarrita().then((zarrita) => {
  for (const name of ['blosc', 'numcodecs.blosc']) checkBlosc(zarrita.registry, name);
  return zarrita;
});

type Registry = Awaited<ReturnType<typeof loadZarrita>>['registry'];

/** A codec of zarrita that makes bytes of bytes. */
interface BytesCodec {
  readonly kind: 'bytes_to_bytes';
  encode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  decode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Puts the check of its header before Blosc's decoder. */
function checkBlosc(registry: Registry, name: string): void {
  const load = registry.get(name);
  if (load === undefined) return;
  registry.set(name, async () => {
    const blosc = await load();
    return {
      ...(blosc.kind !== undefined && { kind: blosc.kind }),
      fromConfig: (config, meta) => {
        // zarrita takes the type from numcodecs, which exports none that CommonJS finds.
        const made: unknown = blosc.fromConfig(config, meta);
        const codec = made as BytesCodec;
        return {
          kind: codec.kind,
          encode: (bytes: Uint8Array) => codec.encode(bytes),
          decode: (bytes: Uint8Array) => {
            const fault = bloscFault(bytes);
            if (fault !== undefined) throw new Error(fault);
            return codec.decode(bytes);
          },
        };
      },
    };
  });
}

type Values = ChannelPixels['data'];

/** What is used of zarrita's array. */
interface OpenArray extends ZarrArray {
  readonly folder: ZarrFolder;
  getChunk(place: number[], options: object): Promise<{ data: unknown; stride: readonly number[] }>;
}

interface StoredChunk extends ChunkValues {
  readonly isStored: boolean;
}

/** A chunk is decoded as a whole. */
const MOST_CHUNK_VALUES = 2 ** 27;
const CACHED_BYTES = 96 * 2 ** 20;
const OPEN_ARRAYS = 256;

const arrays = new Map<string, Promise<OpenArray>>();
const chunks = new ChunkCache<StoredChunk>(CACHED_BYTES);

/** Begins with the path, so that all of a hierarchy can be forgotten. */
function keyOf({ path, stamp }: ZarrStore, array: string): string {
  return [path, stamp, array, ''].join('\0');
}

async function groupAttributes({
  path,
  group,
}: ZarrQuestions['group']['given']): Promise<ZarrQuestions['group']['answer']> {
  const zarrita = await zarritaLoaded;
  const place = zarrita.root(new ZarrFolder(path)).resolve(group);
  try {
    return (await zarrita.open(place, { kind: 'group' })).attrs;
  } catch (error) {
    if (zarrita.isZarritaError(error, 'NotFoundError')) return undefined;
    throw error;
  }
}

function opened(store: ZarrStore, name: string): Promise<OpenArray> {
  const key = keyOf(store, name);
  const known = arrays.get(key);
  if (known !== undefined) return known;
  if (arrays.size >= OPEN_ARRAYS) arrays.clear();
  const opening = openArray(store, name);
  arrays.set(key, opening);
  opening.catch(() => arrays.delete(key));
  return opening;
}

async function openArray({ path }: ZarrStore, name: string): Promise<OpenArray> {
  const zarrita = await zarritaLoaded;
  const folder = new ZarrFolder(path);
  const array = await zarrita.open(zarrita.root(folder).resolve(name), { kind: 'array' });
  return {
    folder,
    shape: array.shape,
    chunks: array.chunks,
    type: String(array.dtype),
    getChunk: (place, options) => array.getChunk(place, options),
  };
}

async function read({
  array: name,
  axes,
  rectangle,
  channels,
  ...store
}: ZarrQuestions['read']['given']): Promise<ZarrPixels> {
  const array = await opened(store, name);
  const request = { axes, rectangle, channels };
  const places = chunkPlaces(array.chunks, request);
  const data = planeOf(array.type, rectangle.width * rectangle.height * channels.length);
  let chunksMissing = 0;
  await Promise.all(
    places.map(async (place) => {
      const chunk = await chunks.get(keyOf(store, name) + place.join(), () => decoded(array, name, place));
      if (!chunk.isStored) chunksMissing += 1;
      copyChunk(chunk, place, array.chunks, request, data);
    }),
  );
  const { width, height } = rectangle;
  return { width, height, channels: channels.length, data, chunksRead: places.length, chunksMissing };
}

async function decoded(array: OpenArray, name: string, place: number[]): Promise<StoredChunk> {
  const values = array.chunks.reduce((product, size) => product * size, 1);
  const unreadable = (reason: string) =>
    new BridgeError(
      'ImageUnreadable',
      `chunk ${place.join('/')} of array ${name} cannot be read: ${reason}`,
      {
        reason,
      },
    );
  if (values > MOST_CHUNK_VALUES) throw unreadable(`it claims ${values} values`);
  const options = {};
  const { data, stride } = await array.getChunk(place, options).catch(async (error: unknown) => {
    const { isZarritaError } = await zarritaLoaded;
    if (!isZarritaError(error, 'UnknownCodecError')) throw unreadable(wordsOf(error));
    throw new BridgeError(
      'UnsupportedImage',
      `an OME-Zarr with the codec ${error.codec} cannot be read by the server`,
      {
        hint: 'write it with blosc, zstd, gzip, zlib, lz4 or no compression, or use source "client"',
      },
    );
  });
  if (!isNumbers(data)) throw unreadable(`its values are of the type ${array.type}`);
  // What is stored without compression may end early and still be taken for a chunk.
  if (data.length !== values) throw unreadable(`it holds ${data.length} values instead of ${values}`);
  return { values: asValues(data), stride, isStored: !array.folder.missed(options) };
}

type Numbers =
  Uint8Array | Uint16Array | Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint32Array;

function isNumbers(data: unknown): data is Numbers {
  return (
    ArrayBuffer.isView(data) &&
    !(data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array)
  );
}

/** 8 and 16 bit unsigned as they are; every other number as float, exact up to 24 bits. */
function asValues(data: Numbers): Values {
  return data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Float32Array
    ? data
    : Float32Array.from(data);
}

function planeOf(type: string, length: number): Values {
  if (type === 'uint8') return new Uint8Array(length);
  return type === 'uint16' ? new Uint16Array(length) : new Float32Array(length);
}

/** zarrita wraps what a codec said. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

answerQuestions<ZarrQuestions>({
  group: groupAttributes,
  arrays: async ({ arrays: names, ...store }) =>
    Promise.all(
      names.map(async (name) => {
        const { shape, chunks: chunk, type } = await opened(store, name);
        return { shape, chunks: chunk, type };
      }),
    ),
  read,
  forget: ({ path }) => {
    for (const key of arrays.keys()) if (key.startsWith(`${path}\0`)) arrays.delete(key);
    chunks.forget(`${path}\0`);
    return null;
  },
});
