import { toGeometry } from '../../../src/segmentation/features';
import { memoryImage } from '../../../src/services/search/tilePixels';
import {
  checkThumbnailCount,
  cutThumbnails,
  thumbnailRegion,
} from '../../../src/services/intents/thumbnails';
import type { ObjectFeature } from '../../../src/segmentation/features';

const IMAGE = { width: 400, height: 300 };

/** A square object with its left upper corner at (x, y). */
function square(x: number, y: number, side = 10): ObjectFeature {
  const shell = [x, y, x + side, y, x + side, y + side, x, y + side];
  return {
    type: 'Feature',
    id: `${x} ${y}`,
    geometry: toGeometry([[shell]]),
    properties: { objectType: 'detection' },
  };
}

test('the square around an object, in its middle, at the size of the picture', () => {
  // 24 µm are 96 px of 0.25 µm.
  expect(thumbnailRegion(square(195, 145), IMAGE, 0.25)).toEqual({
    x: 152,
    y: 102,
    width: 96,
    height: 96,
    downsample: 1,
  });
  expect(thumbnailRegion(square(195, 145), IMAGE, 0.25, { size: 48, microns: 30 })).toEqual({
    x: 140,
    y: 90,
    width: 120,
    height: 120,
    downsample: 2.5,
  });
});

test('more is shown around a large object, and nothing is enlarged', () => {
  expect(thumbnailRegion(square(100, 100, 80), IMAGE, 0.25)).toMatchObject({ width: 120, downsample: 1.25 });
  expect(thumbnailRegion(square(100, 100), IMAGE, 2)).toMatchObject({ width: 15, height: 15, downsample: 1 });
});

test.each([
  ['left and top', square(0, 0), { x: 0, y: 0 }],
  ['right and bottom', square(390, 290), { x: 304, y: 204 }],
])('at the %s edge the square moves into the image', (_edge, object, corner) => {
  expect(thumbnailRegion(object, IMAGE, 0.25)).toMatchObject({ ...corner, width: 96, height: 96 });
});

test('an image smaller than the square is shown whole', () => {
  expect(thumbnailRegion(square(5, 2), { width: 20, height: 12 }, 0.25)).toEqual({
    x: 0,
    y: 0,
    width: 20,
    height: 12,
    downsample: 1,
  });
});

test('an object of several parts and with a hole is shown with all of its parts', () => {
  const geometry = toGeometry([
    [
      [100, 100, 140, 100, 140, 140, 100, 140],
      [110, 110, 110, 120, 120, 120],
    ],
    [[160, 100, 200, 100, 200, 130]],
  ]);
  const { x, width } = thumbnailRegion({ geometry }, IMAGE, 0.25);
  expect([x, width]).toEqual([75, 150]);
});

test('pictures come in the order of the objects and hold the pixels of their regions', async () => {
  const { width, height } = IMAGE;
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return at % 3 === 0 ? (pixel % width) % 256 : Math.floor(pixel / width) % 256;
  });
  const image = memoryImage({ width, height, data }, { uri: 'a picture', pixelSizeMicrons: 0.25 });
  const objects = Array.from({ length: 20 }, (_, i) => square(200 - 5 * i, 100));
  const thumbnails = await cutThumbnails(image, objects, 0.25, { size: 96 });
  expect(thumbnails.map(({ objectId }) => objectId)).toEqual(objects.map(({ id }) => id));
  for (const { region, pixels } of thumbnails) {
    expect([pixels.width, pixels.height]).toEqual([96, 96]);
    expect([pixels.data[0], pixels.data[1]]).toEqual([region.x, region.y]);
  }
});

test('a picture that cannot be read fails the page by name, and a page given up reads no further', async () => {
  let reads = 0;
  const image = {
    ...IMAGE,
    imageId: 'open',
    uri: 'a slide',
    pixelSizeMicrons: 0.25,
    read: async () => {
      reads++;
      throw new Error('the slide is damaged here');
    },
  };
  const objects = Array.from({ length: 40 }, (_, i) => square(i, 0));
  await expect(cutThumbnails(image, objects, 0.25, {})).rejects.toThrow('the slide is damaged here');
  expect(reads).toBeLessThan(40);
  reads = 0;
  const given = cutThumbnails(image, objects, 0.25, {}, AbortSignal.abort());
  await expect(given).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  expect(reads).toBe(0);
});

test('more pictures than the limit are refused with its name and value', () => {
  expect(() => checkThumbnailCount(100, 100)).not.toThrow();
  const refused = { errorName: 'LimitExceeded', data: { limit: 'thumbnails', value: 100 } };
  expect(thrownBy(() => checkThumbnailCount(101, 100))).toMatchObject(refused);
});

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
