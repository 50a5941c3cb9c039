import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { startServer } from '../../src/composition';
import { TEST_DEVICE } from '../support/testDevice';

const ROOT = join(__dirname, '../..');

test('the Node example opens an image, runs a model and cancels it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sampo example-'));
  const server = await startServer({
    stateFolder: join(folder, 'state'),
    device: TEST_DEVICE,
    roots: [folder],
  });
  try {
    const image = join(folder, 'image.png');
    await sharp({ create: { width: 40, height: 30, channels: 3, background: '#846' } }).toFile(image);
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(ROOT, 'docs/examples/connect.mjs'),
      join(folder, 'state'),
      image,
      join(ROOT, 'test/fixtures/onnx/slow.onnx'),
    ]);
    expect(stdout.split('\n')).toEqual(['image 40 x 30', 'runs 3', 'cancelled -32800', '']);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
