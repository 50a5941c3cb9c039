/**
 * Memory and time of reading 512 x 512 regions of a 20,000 x 20,000 pyramidal TIFF through the image registry, against the size
 * of the decoded image. `node -r ./scripts/swcRegister.cjs bench/imageRegion.ts`; prints the record.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageRegistry } from '../src/services/images/images';

const SIZE = 20_000;
const REGION = 512;
const READS = 50;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  const path = join(folder, 'slide.tif');
  try {
    // In a process of its own, so that writing the file leaves no memory behind here.
    const write = `require('sharp')({ create: { width: ${SIZE}, height: ${SIZE}, channels: 3, background: '#c89' }, limitInputPixels: false }).tiff({ tile: true, tileWidth: 256, tileHeight: 256, pyramid: true, compression: 'jpeg', quality: 80, xres: 2000, yres: 2000 }).toFile(${JSON.stringify(path)}).then(() => 0)`;
    spawnSync(process.execPath, ['-e', write], { stdio: 'inherit', cwd: join(__dirname, '..') });

    const images = new ImageRegistry({ roots: [folder] });
    const { imageId, pixelSizeMicrons, levels } = await images.open('bench', { uri: path, source: 'file' });
    const before = process.memoryUsage.rss();
    let peak = before;
    const times: Record<string, number> = {};
    for (const downsample of [1, 4, 16]) {
      const span = REGION * downsample;
      const measured: number[] = [];
      for (let read = 0; read < READS; read += 1) {
        const x = (read * 3571) % (SIZE - span);
        const y = (read * 7919) % (SIZE - span);
        const start = performance.now();
        await images.readRegion(imageId, { x, y, width: span, height: span, downsample });
        measured.push(performance.now() - start);
        peak = Math.max(peak, process.memoryUsage.rss());
      }
      times[`downsample ${downsample}`] = measured.sort((a, b) => a - b)[READS >> 1] ?? NaN;
    }
    const record = {
      benchmark: 'imageRegion',
      command: 'node -r ./scripts/swcRegister.cjs bench/imageRegion.ts',
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] },
      image: {
        width: SIZE,
        height: SIZE,
        fileBytes: statSync(path).size,
        levels: levels.length,
        pixelSizeMicrons,
      },
      decodedBytes: SIZE * SIZE * 3,
      regionBytes: REGION * REGION * 3,
      reads: 3 * READS,
      rssGrowthBytes: peak - before,
      rssGrowthOfDecoded: (peak - before) / (SIZE * SIZE * 3),
      medianMilliseconds: times,
    };
    process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
