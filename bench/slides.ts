/**
 * Region reads in MB/s (3 bytes a pixel) of slides and OME-Zarr through the image registry, beside the library alone in the same
 * run: OpenSlide called straight from this process, zarrita in this process. Both read the same regions in turns, with new
 * handles in each round. OME-Zarr is asked of its process directly: opening an image looks at it, and leaves its chunks decoded.
 * `python bench/makeSlides.py DIR`, then `node -r ./scripts/swcRegister.cjs bench/slides.ts DIR [LIBRARY]`; prints the record.
 */
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { imageFormats } from '../src/services/images/imageFormats';
import { ImageRegistry } from '../src/services/images/images';
import { OpenSlide } from '../src/services/images/openSlide/openSlide';
import { loadOpenSlide } from '../src/services/images/openSlide/openSlideLibrary';
import { OmeZarr } from '../src/services/images/zarr/omeZarr';

/** File → regions read in a round: few where each takes seconds (JPEG 2000, and an NDPI without restart markers). */
const FILES = {
  'jpeg2000.svs': 4,
  'slide.ndpi': 4,
  'dicom/slide.dcm': 24,
  'blosc.zarr': 24,
  'zstd.zarr': 24,
} as const;
const SIZE = 4096;
const REGION = 512;
const ROUNDS = 5;
/** As many as a search has under way. */
const PARALLEL = 4;

interface Place {
  readonly x: number;
  readonly y: number;
}
type Read = (place: Place) => Promise<unknown>;

/** Regions that touch several tiles each, other ones in each round. */
function places(round: number, reads: number): Place[] {
  return Array.from({ length: reads }, (_, index) => {
    const at = round * reads + index;
    return { x: (at * 3571) % (SIZE - REGION), y: (at * 7919) % (SIZE - REGION) };
  });
}

/** MB/s of the regions, `parallel` under way at a time. */
async function rate(read: Read, regions: readonly Place[], parallel: number): Promise<number> {
  const waiting = [...regions];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await read(next);
    }),
  );
  return (regions.length * REGION * REGION * 3) / 1e6 / ((performance.now() - start) / 1000);
}

/** The library alone, and how to let go of it. */
async function rawReader(path: string, library: string): Promise<{ read: Read; close: () => void }> {
  if (path.endsWith('.zarr')) {
    const zarrita = await import('zarrita');
    const { default: FileSystemStore } = await import('@zarrita/storage/fs');
    const array = await zarrita.open(zarrita.root(new FileSystemStore(path)).resolve('0'), { kind: 'array' });
    const span = (from: number) => zarrita.slice(from, from + REGION);
    return { read: ({ x, y }) => zarrita.get(array, [null, span(y), span(x)]), close: () => undefined };
  }
  const openSlide = loadOpenSlide(library);
  const slide = await openSlide.open(path);
  if (slide === null) throw new Error(`OpenSlide does not know ${path}`);
  return {
    read: ({ x, y }) => openSlide.read(slide, 0, x, y, REGION, REGION),
    close: () => openSlide.close(slide),
  };
}

/** A region of the three channels of an OME-Zarr; another stamp is another image, of which nothing is kept. */
async function plane(omeZarr: OmeZarr, path: string, stamp: string, place: Place): Promise<unknown> {
  const rectangle = { ...place, width: REGION, height: REGION };
  const axes = { x: 2, y: 1, channel: 0, fixed: [0, 0, 0] };
  return omeZarr.process.ask('read', { path, stamp, array: '0', axes, rectangle, channels: [0, 1, 2] }, path);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const rounded = (value: number): number => Number(value.toPrecision(3));

async function main([
  folder = '.',
  library = process.env['SAMPO_OPENSLIDE'] ?? '',
]: readonly string[]): Promise<void> {
  const openSlide = new OpenSlide({ named: library, platform: process.platform, env: {}, home: '' });
  const omeZarr = new OmeZarr();
  const root = resolve(folder);
  const images = new ImageRegistry({ roots: [root], formats: imageFormats({ openSlide, omeZarr }) });
  const results: Record<string, unknown> = {};
  for (const [file, reads] of Object.entries(FILES)) {
    const path = join(root, file);
    const row: Record<string, unknown> = {};
    for (const parallel of [1, PARALLEL]) {
      const [ours, raw, ratios]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        // New handles in each round: no cache of an earlier one helps either side.
        const { imageId } = await images.open('bench', { uri: path, source: 'file', stains: 'rgb' });
        const alone = await rawReader(path, library);
        const region: Read = path.endsWith('.zarr')
          ? (place) => plane(omeZarr, path, String(round), place)
          : (place) => images.readRegion(imageId, { ...place, width: REGION, height: REGION, downsample: 1 });
        // What is read first is read from a colder disk: in turns.
        const turns = [
          async () => ours.push(await rate(region, places(round, reads), parallel)),
          async () => raw.push(await rate(alone.read, places(round, reads), parallel)),
        ];
        for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
        ratios.push(ours.at(-1)! / raw.at(-1)!);
        images.close('bench', imageId);
        alone.close();
      }
      row[`${parallel} under way`] = {
        megabytesPerSecond: rounded(median(ours)),
        libraryAlone: rounded(median(raw)),
        ratio: rounded(median(ratios)),
      };
    }
    results[file] = row;
  }
  const report = await openSlide.report();
  await openSlide.close();
  await omeZarr.close();
  const record = {
    benchmark: 'slides',
    command: 'node -r ./scripts/swcRegister.cjs bench/slides.ts DIR LIBRARY',
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] },
    openSlide: report.version,
    region: [REGION, REGION],
    reads: FILES,
    rounds: ROUNDS,
    results,
  };
  process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
}

void main(process.argv.slice(2));
