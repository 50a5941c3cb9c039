import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { canonicalClassName } from '../../../src/segmentation/className';
import { ImageRecords } from '../../../src/services/images/imageRecords';
import { ImageRegistry, type OpenImage, type OpenRequest } from '../../../src/services/images/images';
import { Database } from '../../../src/store/database';
import { migrate, MIGRATIONS } from '../../../src/store/migrations';

const TILE = join(__dirname, '../../fixtures/images/brca-val.png');
const OTHER = join(__dirname, '../../fixtures/images/brca-train.png');

let folder: string;
let path: string;
let database: Database;
let images: ImageRegistry;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo identity-'));
  mkdirSync(join(folder, 'images'));
  path = join(folder, 'images', 'tile ä.png');
  copyFileSync(TILE, path);
  database = Database.open(join(folder, 'state.db'));
  migrate(database, MIGRATIONS);
  images = new ImageRegistry({ roots: [folder], records: new ImageRecords(database) });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
const open = (uri: string, more: Partial<OpenRequest> = {}): Promise<OpenImage> =>
  images.open('session', { uri, source: 'file', ...more });

/** Every way in which shells, QuPath, napari and people name one file. */
function spellings(): Record<string, string> {
  const link = join(folder, 'link.png');
  symlinkSync(path, link);
  symlinkSync(join(folder, 'images'), join(folder, 'linked folder'));
  const { href } = pathToFileURL(path);
  return {
    path,
    'file:///': href,
    'file:/ (QuPath)': href.replace('file:///', 'file:/'),
    'file://localhost/': href.replace('file:///', 'file://localhost/'),
    'with ..': join(folder, 'images') + '/../images/./tile ä.png',
    link,
    'a linked folder': join(folder, 'linked folder', 'tile ä.png'),
  };
}

test('one file is one image, whatever it is called, for the server and for viewers', async () => {
  const first = await open(path);
  const reader = () => Promise.reject(new Error('nobody reads here'));
  for (const uri of Object.values(spellings())) {
    const image = await open(uri);
    expect({ uri: image.uri, key: image.key }).toEqual({ uri: first.uri, key: first.key });
    const viewed = await images.open('viewer', { uri, source: 'client', width: 9, height: 9 }, reader);
    expect(viewed.uri).toBe(first.uri);
  }
});

test('names that are no files, and series inside a file, stay as viewers call them', async () => {
  const viewed = async (uri: string): Promise<string> => {
    const reader = () => Promise.reject(new Error('nobody reads here'));
    return (await images.open('viewer', { uri, source: 'client', width: 9, height: 9 }, reader)).uri;
  };
  expect(await viewed('slide 7')).toBe('slide 7');
  expect(await viewed('omero:image=5')).toBe('omero:image=5');
  const series = await viewed(`${pathToFileURL(path).href}?series=2`);
  expect(series).toBe(`${(await open(path)).uri}?series=2`);
});

describe('a file that changes while it is open is told', () => {
  const changes: Record<string, () => void> = {
    'written over': () => copyFileSync(OTHER, path),
    'replaced by another file': () => {
      copyFileSync(OTHER, join(folder, 'new.png'));
      renameSync(join(folder, 'new.png'), path);
    },
    'cut short': () => writeFileSync(path, readFileSync(path).subarray(0, 1000)),
    gone: () => rmSync(path),
  };
  test.each(Object.entries(changes))('%s', async (_, change) => {
    const { imageId } = await open(path);
    await images.verified(imageId);
    change();
    const region = { x: 0, y: 0, width: 8, height: 8, downsample: 1 };
    const told = {
      errorName: 'ImageChanged',
      data: { hint: expect.stringContaining('open it again') as string },
    };
    expect(() => images.get(imageId)).toThrow('has changed');
    await expect(images.verified(imageId)).rejects.toMatchObject(told);
    await expect(images.readRegion(imageId, region)).rejects.toMatchObject(told);
    images.close('session', imageId);
  });

  test('in place, with the same size and time: its content tells', async () => {
    const before = statSync(path);
    const { imageId, key } = await open(path);
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)]! ^= 0xff;
    writeFileSync(path, bytes);
    utimesSync(path, before.atime, before.mtime);
    const same = statSync(path);
    utimesSync(path, same.atimeMs / 1000, before.mtimeMs / 1000);
    await expect(images.verified(imageId)).rejects.toMatchObject({ errorName: 'ImageChanged' });
    expect((await open(path).catch(() => undefined))?.key).not.toBe(key);
  });
});

describe('what the user said stays with the image', () => {
  test('the pixel size, for every later command, under every name', async () => {
    expect((await open(path, { pixelSizeMicrons: 0.25 })).warnings).toEqual([]);
    for (const uri of Object.values(spellings())) {
      const later = await open(uri);
      expect(later).toMatchObject({ pixelSizeMicrons: 0.25, pixelSizeSource: 'client' });
      expect(later.warnings.map(({ name }) => name)).toEqual(['PixelSizeRemembered']);
    }
    const restarted = new ImageRegistry({ roots: [folder], records: new ImageRecords(database) });
    expect(await restarted.open('s', { uri: path, source: 'file' })).toMatchObject({
      pixelSizeMicrons: 0.25,
    });
  });

  test('until another is given, or null takes it back', async () => {
    await open(path, { pixelSizeMicrons: 0.25 });
    await open(path, { pixelSizeMicrons: 0.3 });
    expect(await open(path)).toMatchObject({ pixelSizeMicrons: 0.3 });
    expect(await open(path, { pixelSizeMicrons: null })).toMatchObject({ pixelSizeSource: 'unknown' });
    expect(await open(path)).toMatchObject({ pixelSizeSource: 'unknown' });
  });

  test('but not for another content under the same name', async () => {
    await open(path, { pixelSizeMicrons: 0.25 });
    copyFileSync(OTHER, path);
    const image = await open(path);
    expect(image.pixelSizeMicrons).toBeNull();
    expect(image.warnings.map(({ name }) => name)).toContain('SettingsOutdated');
  });

  test('stains too, beside the pixel size', async () => {
    const stains = [{ channel: 'red', stain: 'haematoxylin' }] as const;
    const first = await open(path, { stains, pixelSizeMicrons: 0.25 });
    const later = await open(path);
    expect(later).toMatchObject({ stains: first.stains, pixelSizeMicrons: 0.25, key: first.key });
    const again = await open(path, { stains: 'auto' });
    expect(again).toMatchObject({ stains: 'rgb', pixelSizeMicrons: 0.25 });
    expect(again.key).not.toBe(first.key);
  });

  test("a viewer's own pixel size goes before it, and is not kept", async () => {
    await open(path, { pixelSizeMicrons: 0.25 });
    const reader = () => Promise.reject(new Error('nobody reads here'));
    const view = (pixelSizeMicrons?: number) =>
      images.open('viewer', { uri: path, source: 'client', width: 9, height: 9, pixelSizeMicrons }, reader);
    expect(await view(0.5)).toMatchObject({ pixelSizeMicrons: 0.5 });
    expect(await view()).toMatchObject({ pixelSizeMicrons: 0.25 });
    expect(await open(path)).toMatchObject({ pixelSizeMicrons: 0.25 });
  });

  test("a size that is no microscope's is questioned before anything is searched", async () => {
    for (const pixelSizeMicrons of [250, 0.001]) {
      const { warnings } = await open(path, { pixelSizeMicrons });
      expect(warnings).toMatchObject([{ name: 'PixelSizeUncertain' }]);
    }
  });
});

test('class names that look the same are the same', () => {
  expect(canonicalClassName('Ne\u0301oplasme')).toBe(canonicalClassName('N\u00e9oplasme'));
});
