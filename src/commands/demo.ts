import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PACKAGE_ROOT } from '../packageFiles';
import { makeFolder } from '../store/stateFolder';
import { EXIT, readOptions, type Command } from './command';
import { judgeAndRefine } from './demoRefine';
import { writeOverlay } from './overlayPicture';
import { withServer } from './withServer';

interface DemoClicks {
  readonly name: string;
  readonly color: [number, number, number];
  readonly clicks: readonly [number, number][];
}

const OPTIONS = { out: { type: 'string', default: 'out' } } as const;

/** `sampo demo`: the main job on the bundled tile, over the same calls that any viewer makes. */
export const demo: Command = {
  name: 'demo',
  options: OPTIONS,
  help: `usage: sampo demo [--out DIR]

Starts a server of its own, clicks three lymphocytes in the bundled tile, and writes what it finds:
DIR/demo.geojson (for QuPath and napari) and DIR/demo.png (clicks, outlines, scores in percent). Then it rejects three
wrong objects and accepts four right ones, refines, and writes what it finds then: DIR/refined.geojson and
DIR/refined.png.

  --out DIR   where to write (default: out)

exit codes: 0 done, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values } = readOptions(argv, OPTIONS);
    const out = resolve(values.out);
    const image = join(PACKAGE_ROOT, 'models', 'demo', 'breast.png');
    const setting = JSON.parse(
      readFileSync(join(PACKAGE_ROOT, 'models', 'demo', 'clicks.json'), 'utf8'),
    ) as DemoClicks;
    const clicks = setting.clicks.map(([x, y]) => ({ x, y }));
    const state = mkdtempSync(join(tmpdir(), 'sampo-demo-'));
    const clock = stopwatch();
    const say = (text: string) => around.out(`${clock().padStart(7)}  ${text}\n`);
    const choice = { stateFolder: state, device: 'cpu', roots: [join(PACKAGE_ROOT, 'models', 'demo')] };
    try {
      await withServer(choice, around, async (client) => {
        say('server and engine are up');
        const { imageId, width, height, pixelSizeMicrons } = await client.request('image/open', {
          uri: image,
          source: 'file',
        });
        say(
          `opened breast.png: ${width} x ${height} px, ${pixelSizeMicrons?.toFixed(2) ?? 'unknown'} µm per px`,
        );
        const { intent } = await client.request('intent/create', {
          name: setting.name,
          color: setting.color,
        });
        let streamed = 0;
        const found = await client.request(
          'segment/prompt',
          { imageId, intents: [{ intentId: intent.intentId, clicks }], extent: { type: 'image' } },
          {
            signal: around.signal,
            progress: ({ objects }) => {
              if (!objects?.length) return;
              if (streamed === 0) say(`first objects are there: ${objects.length}`);
              streamed += objects.length;
            },
          },
        );
        const { features } = found.featureCollection;
        say(`${clicks.length} clicks on lymphocytes found ${features.length} in ${found.tiles.done} tiles`);
        for (const { message } of found.warnings) say(`note: ${message}`);
        const again = await client.request('segment/prompt', {
          imageId,
          intents: [{ intentId: intent.intentId }],
          extent: { type: 'image' },
        });
        say(
          `once more with no click, from what the intent remembers: ${again.featureCollection.features.length}`,
        );
        makeFolder(out);
        writeFileSync(join(out, 'demo.geojson'), JSON.stringify(found.featureCollection));
        await writeOverlay(client, join(out, 'demo.png'), {
          imageId,
          region: { x: 0, y: 0, width, height },
          features,
          clicks: clicks.map((click) => ({ ...click, positive: true })),
          legend: `${setting.name}: ${clicks.length} clicks (yellow), ${features.length} found; scores in percent`,
        });
        say(`wrote ${join(out, 'demo.geojson')} and ${join(out, 'demo.png')}`);
        const refined = await judgeAndRefine(client, {
          imageId,
          intentId: intent.intentId,
          resultId: found.resultId,
          signal: around.signal,
          say,
        });
        const collection = { type: 'FeatureCollection', features: refined.features };
        writeFileSync(join(out, 'refined.geojson'), JSON.stringify(collection));
        await writeOverlay(client, join(out, 'refined.png'), {
          imageId,
          region: { x: 0, y: 0, width, height },
          features: refined.features,
          clicks: clicks.map((click) => ({ ...click, positive: true })),
          legend: `${setting.name}: ${refined.legend}; scores in percent`,
        });
        say(`wrote ${join(out, 'refined.geojson')} and ${join(out, 'refined.png')}`);
      });
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
    return EXIT.ok;
  },
};

/** Seconds since its making, as text. */
function stopwatch(): () => string {
  const start = performance.now();
  return () => `${((performance.now() - start) / 1000).toFixed(2)} s`;
}
