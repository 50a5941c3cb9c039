import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { open } from '../../src/server/handlers/images';
import type { Services } from '../../src/server/services';
import { ImageRegistry } from '../../src/services/images/images';
import { RawClient, serveStubs } from './hosting';

const folder = mkdtempSync(join(tmpdir(), 'sampo left-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['before the image is read', false],
  ['after it, before the answer', true],
])('a client that leaves during image/open, %s, leaves no image behind', async (_, readFirst) => {
  const uri = join(folder, 'picture.png');
  writeFileSync(
    uri,
    await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer(),
  );
  const registry = new ImageRegistry({
    roots: [folder],
    imagePixels: 1e6,
    regionPixels: 1e6,
    viewerTimeout: 1000,
  });
  let started = (): void => undefined;
  const reading = new Promise<void>((resolve) => (started = resolve));
  let goOn = (): void => undefined;
  const gone = new Promise<void>((resolve) => (goOn = resolve));
  let finished: Promise<unknown> = Promise.resolve();
  const images = {
    open: (...args: Parameters<ImageRegistry['open']>) => {
      const opened = (async () => {
        if (!readFirst) {
          started();
          await gone;
        }
        const image = await registry.open(...args);
        if (readFirst) {
          started();
          await gone;
        }
        return image;
      })();
      finished = opened;
      return opened;
    },
    close: (...args: Parameters<ImageRegistry['close']>) => {
      // The host may have closed all of the session's images already.
      if (registry.list().length > 0) registry.close(...args);
    },
  };
  const { transport, url } = await serveStubs(
    { 'image/open': open({ images } as unknown as Services) },
    {},
    {
      onGone: ({ id }) => {
        registry.closeSession(id);
        goOn();
      },
    },
  );
  try {
    const client = await (await RawClient.enter(url)).initialize();
    client.say({ id: 1, method: 'image/open', params: { uri, source: 'file' } });
    await reading;
    client.socket.terminate();
    await finished;
    // The handler's own continuation.
    await new Promise((resolve) => setImmediate(resolve));
    expect(registry.list()).toEqual([]);
  } finally {
    await transport.close();
  }
});
