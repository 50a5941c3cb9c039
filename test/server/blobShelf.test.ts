import { BlobShelf } from '../../src/server/blobShelf';

const blob = (name: string, bytes: number) => ({
  blob: name,
  encoding: 'raw' as const,
  width: bytes,
  height: 1,
  channels: 1,
  bytes: new Uint8Array(bytes),
});

const fault = (like: object) => expect.objectContaining(like) as Error;

test('a blob is handed over once', () => {
  const shelf = new BlobShelf(10);
  shelf.put(blob('a', 4));
  expect(shelf.take('a').bytes).toHaveLength(4);
  expect(() => shelf.take('a')).toThrow(fault({ errorName: 'BlobMissing' }));
});

test('the limit counts what waits: taken, replaced and closed blobs give their bytes back', () => {
  const shelf = new BlobShelf(10);
  shelf.put(blob('a', 6));
  expect(() => shelf.put(blob('b', 5))).toThrow(
    fault({ errorName: 'LimitExceeded', data: { limit: 'blobBytes', value: 10 } }),
  );
  shelf.put(blob('a', 10));
  shelf.take('a');
  shelf.put(blob('b', 10));
  shelf.close();
  shelf.put(blob('__proto__', 10));
  expect(shelf.take('__proto__').width).toBe(10);
});

test('a blob nobody names is dropped', async () => {
  const shelf = new BlobShelf(10, 5);
  shelf.put(blob('a', 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
  shelf.put(blob('b', 10));
  expect(() => shelf.take('a')).toThrow(fault({ errorName: 'BlobMissing' }));
});
