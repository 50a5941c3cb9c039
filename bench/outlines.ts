/**
 * 100,000 objects of a label image -> a GeoJSON file: seconds (wall and CPU), bytes and peak memory, here and with scikit-image in Python, on the
 * same labels in one run. `node -r ./scripts/swcRegister.cjs bench/outlines.ts [--python PYTHON] [--objects N]`; prints the record.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { roundOutline, toFeatureCollection } from '../src/segmentation/features';
import { stableUuid } from '../src/segmentation/identifiers';
import { labelBounds, traceLabel } from '../src/segmentation/outlines';

const { values } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, objects: { type: 'string', default: '100000' } },
});
const PITCH = 20;

/** One nucleus-like ellipse (axes 5 to 9 px, any direction) per cell of a square grid. */
function makeLabels(objects: number): { side: number; labels: Int32Array } {
  const across = Math.ceil(Math.sqrt(objects));
  const side = across * PITCH;
  const labels = new Int32Array(side * side);
  for (let k = 0; k < objects; k++) {
    const cx = (k % across) * PITCH + PITCH / 2 + 0.25;
    const cy = Math.floor(k / across) * PITCH + PITCH / 2;
    const a = 5 + ((k * 7919) % 401) / 100;
    const b = 5 + ((k * 104729) % 401) / 100;
    const [cos, sin] = [Math.cos(k), Math.sin(k)];
    for (let y = Math.floor(cy) - 9; y <= cy + 9; y++)
      for (let x = Math.floor(cx) - 9; x <= cx + 9; x++) {
        const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
        if (((dx * cos + dy * sin) / a) ** 2 + ((dy * cos - dx * sin) / b) ** 2 <= 1)
          labels[y * side + x] = k + 1;
      }
  }
  return { side, labels };
}

function ours(
  side: number,
  labels: Int32Array,
  count: number,
  path: string,
): { seconds: number; cpuSeconds: number; bytes: number } {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const image = { width: side, height: side, labels, count };
  const bounds = labelBounds(image);
  const file = openSync(path, 'w');
  writeSync(file, '{"type":"FeatureCollection","features":[');
  for (let from = 1; from <= count; from += 1000) {
    const sources = [];
    for (let label = from; label < Math.min(count + 1, from + 1000); label++) {
      const box = bounds[label];
      if (box === undefined) continue;
      sources.push({
        id: stableUuid('bench', box.x, box.y),
        outline: roundOutline(traceLabel(image, label, box), 2),
        classification: { name: 'Nucleus', color: [160, 90, 160] as const },
        measurements: { score: 0.5 },
      });
    }
    const text = toFeatureCollection(sources).features.map((feature) => JSON.stringify(feature));
    writeSync(file, (from === 1 ? '' : ',') + text.join(','));
  }
  writeSync(file, ']}');
  closeSync(file);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, cpuSeconds: (user + system) / 1e6, bytes: statSync(path).size };
}

const folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
try {
  const count = Number(values.objects);
  const { side, labels } = makeLabels(count);
  const baselineMegabytes = process.resourceUsage().maxRSS / 1024;
  const sampo = ours(side, labels, count, join(folder, 'objects.geojson'));
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  const raw = join(folder, 'labels.raw');
  writeFileSync(raw, labels);
  const script = join(__dirname, 'outlines.py');
  const python: unknown = JSON.parse(
    execFileSync(values.python, [script, raw, String(side), join(folder, 'python.geojson')], {
      encoding: 'utf8',
    }),
  );
  const record = {
    benchmark: 'outlines',
    command: `node -r ./scripts/swcRegister.cjs bench/outlines.ts --objects ${count}`,
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] },
    objects: count,
    labelImage: [side, side],
    sampo: { ...sampo, peakMegabytes, ofWhichBeforeStart: baselineMegabytes },
    python,
  };
  process.stdout.write(JSON.stringify(record, null, 2) + '\n');
} finally {
  rmSync(folder, { recursive: true });
}
