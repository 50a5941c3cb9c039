import { BridgeError } from '../../../src/errors';
import { EmbeddingCache } from '../../../src/services/embeddings/embeddingCache';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import { Search, type SearchRequest } from '../../../src/services/search/search';
import { SearchResults } from '../../../src/services/search/searchResult';
import { memoryImage } from '../../../src/services/search/tilePixels';
import { qupathFaults } from '../../segmentation/qupathRules';
import { makeTissue } from '../../segmentation/tissue';
import { ask, clicksOn } from './asking';
import { fakeEngine, MODEL_FOLDER, tissueImage } from '../fakeEngine';

const TISSUE = makeTissue({ width: 520, height: 400 }, 11, 0.0011);
const IMAGE = tissueImage(TISSUE);

function setUp() {
  const engine = fakeEngine();
  const model = new NucleusModel(engine, MODEL_FOLDER);
  const search = new Search(model, new EmbeddingCache());
  return { engine, model, search };
}

function truthAt({ x, y }: { x: number; y: number }): number {
  return TISSUE.truth[Math.floor(y) * TISSUE.width + Math.floor(x)]!;
}

const WHOLE = { type: 'image' } as const;
const even = clicksOn(TISSUE, 0, 3);
const odd = clicksOn(TISSUE, 1, 3);
const request = (change: Partial<SearchRequest>): SearchRequest => ({
  image: IMAGE,
  prompts: [ask('even', even)],
  extent: WHOLE,
  ...change,
});

test('clicks find every nucleus of the type, once, and none of the other', async () => {
  const { search } = setUp();
  const { featureCollection, result, tiles, warnings } = await search.run(request({}));
  const found = result.objects.filter((object) => object.scores[0]! >= 0.5);
  const labels = found.map(({ anchor }) => truthAt(anchor));
  expect(new Set(labels).size).toBe(labels.length);
  expect(labels.every((label) => label > 0 && label % 2 === 0)).toBe(true);
  const areas = new Map<number, number>();
  for (const label of TISSUE.truth) areas.set(label, (areas.get(label) ?? 0) + 1);
  const wanted = [...areas].filter(([label, area]) => label > 0 && label % 2 === 0 && area >= 60).length;
  expect(found.length).toBeGreaterThanOrEqual(wanted);
  expect(featureCollection.features).toHaveLength(found.length);
  expect(featureCollection.features.flatMap((feature) => qupathFaults(feature))).toEqual([]);
  const [feature] = featureCollection.features;
  expect(feature?.properties).toMatchObject({
    objectType: 'detection',
    classification: { name: 'even', color: [200, 0, 0] },
  });
  expect(Object.keys(feature?.properties.measurements ?? {})).toEqual([
    'SAMPO score',
    'SAMPO uncertainty',
    'SAMPO area µm²',
    'SAMPO round',
  ]);
  expect(tiles).toMatchObject({ total: 6, done: 6, failed: [] });
  expect(warnings).toEqual([]);
});

test('objects stream, the clicked tile first, and together are the answer', async () => {
  const { search } = setUp();
  const far = clicksOn(TISSUE, 0, 99)
    .filter(({ x, y }) => x > 400 && y > 300)
    .slice(0, 1);
  const seen: { x: number; id: string }[] = [];
  const dones: number[] = [];
  const { featureCollection } = await search.run(
    request({
      prompts: [ask('even', far)],
      onTile: ({ done, objects }) => {
        dones.push(done);
        for (const { id, geometry } of objects) {
          const ring = geometry.coordinates[0] as number[][];
          seen.push({ id, x: Number(ring[0]![0]) });
        }
      },
    }),
  );
  expect(dones).toEqual([1, 2, 3, 4, 5, 6]);
  expect(seen.map(({ id }) => id).sort()).toEqual(featureCollection.features.map(({ id }) => id).sort());
  expect(seen[0]!.x).toBeGreaterThan(200);
});

test('several intents: each nucleus goes to one of them', async () => {
  const { search } = setUp();
  const { result, featureCollection } = await search.run(
    request({ prompts: [ask('even', even), ask('odd', odd)] }),
  );
  const names = new Map(
    featureCollection.features.map(({ id, properties }) => [id, properties.classification?.name]),
  );
  result.objects.forEach(({ anchor }, i) => {
    const name = names.get(result.ids[i]);
    if (name !== undefined) expect(name).toBe(truthAt(anchor) % 2 === 0 ? 'even' : 'odd');
  });
  expect(new Set(names.values())).toEqual(new Set(['even', 'odd']));
});

test('stored examples work without a click; the same click sent again counts once', async () => {
  const { search, model } = setUp();
  const first = await search.run(request({}));
  const exemplars = first.learned[0]!.map((one) => ({ ...one, modelId: model.id, imageUri: IMAGE.uri }));
  const quiet = await search.run(request({ prompts: [ask('even', [], { exemplars })] }));
  expect(quiet.featureCollection.features.map(({ id }) => id).sort()).toEqual(
    first.featureCollection.features.map(({ id }) => id).sort(),
  );
  const again = await search.run(request({ prompts: [ask('even', even, { exemplars })] }));
  expect(again.result.setting.prompts[0]!.exemplars).toHaveLength(0);
});

test('an image at another pixel size gives the same nuclei in its own pixels', async () => {
  const { search } = setUp();
  const small = makeTissue({ width: 300, height: 300 }, 5, 0.001);
  const at = clicksOn(small, 0, 2);
  const plain = await search.run(request({ image: tissueImage(small), prompts: [ask('even', at)] }));
  // Every pixel twice in both directions: 0.25 µm/px.
  const whole = tissueImage(small);
  const { data } = await whole.read({ x: 0, y: 0, width: 300, height: 300, downsample: 1 });
  const big = new Uint8Array(600 * 600 * 3);
  for (let y = 0; y < 600; y++)
    for (let x = 0; x < 600; x++)
      for (let c = 0; c < 3; c++) big[(y * 600 + x) * 3 + c] = data[((y >> 1) * 300 + (x >> 1)) * 3 + c]!;
  const image = memoryImage(
    { width: 600, height: 600, data: big },
    { uri: 'tissue', pixelSizeMicrons: 0.25 },
  );
  const clicks = at.map((click) => ({ ...click, x: 2 * click.x, y: 2 * click.y }));
  const doubled = await search.run(request({ image, prompts: [ask('even', clicks)] }));
  const areas = (features: typeof plain.featureCollection.features): (number | undefined)[] =>
    features.map(({ properties }) => properties.measurements?.['SAMPO area µm²']);
  expect(areas(doubled.featureCollection.features)).toEqual(areas(plain.featureCollection.features));
  const ring = (outcome: typeof plain): number[][] =>
    outcome.featureCollection.features[0]!.geometry.coordinates[0] as number[][];
  expect(ring(doubled)).toEqual(ring(plain).map(([x, y]) => [2 * x!, 2 * y!]));
});

test('each positive click has its K candidates, scored by the decoder', async () => {
  const { search } = setUp();
  const { result } = await search.run(
    request({ prompts: [ask('even', [...even, ...clicksOn(TISSUE, 1, 1, false)])] }),
  );
  expect(result.candidates).toHaveLength(3);
  for (const { masks } of result.candidates)
    expect(masks.map(({ score }) => Math.round(score * 10))).toEqual([3, 5, 8]);
  const [first] = result.candidateFeatures();
  expect(first!.features[2]?.properties.classification?.name).toBe('even');
});

describe('an extent', () => {
  test('limits the objects, and equals the same part of the whole', async () => {
    const { search } = setUp();
    const whole = await search.run(request({}));
    const part = await search.run(
      request({ extent: { type: 'rectangle', x: 100, y: 80, width: 200, height: 200 } }),
    );
    const inside = whole.result.objects.flatMap(({ anchor: { x, y } }, i) =>
      x >= 100 && x < 300 && y >= 80 && y < 280 ? [whole.result.ids[i]!] : [],
    );
    expect([...part.result.ids].sort()).toEqual(inside.sort());
  });

  test('a polygon narrows it further', async () => {
    const { search } = setUp();
    const coordinates = [[[0, 0], [300, 0], [0, 300], [0, 0]]]; // prettier-ignore
    const { result } = await search.run(request({ extent: { type: 'polygon', coordinates } }));
    expect(result.objects.length).toBeGreaterThan(3);
    for (const { anchor } of result.objects) expect(anchor.x + anchor.y).toBeLessThanOrEqual(300);
  });

  test('a click outside of it still teaches, and is mentioned', async () => {
    const { search } = setUp();
    const extent = { type: 'view', x: 0, y: 0, width: 60, height: 60 } as const;
    const away = even.filter(({ x, y }) => x > 60 || y > 60);
    const { warnings } = await search.run(request({ extent, prompts: [ask('even', away)] }));
    expect(warnings.filter(({ name }) => name === 'ClickOutsideExtent')).toHaveLength(away.length);
  });
});

describe('bad input', () => {
  const background = { x: 3, y: 3, positive: true };
  test.each<[string, Partial<SearchRequest>]>([
    ['ClickOutside', { prompts: [ask('even', [{ x: 520, y: 3, positive: true }])] }],
    ['NoPositiveClick', { prompts: [ask('even', clicksOn(TISSUE, 1, 2, false))] }],
    ['NoPositiveClick', { prompts: [ask('even', [])] }],
    ['EmptyExtent', { extent: { type: 'rectangle', x: 10, y: 10, width: 0, height: 50 } }],
    ['EmptyExtent', { extent: { type: 'view', x: 900, y: 900, width: 50, height: 50 } }],
    ['GeometryInvalid', { extent: { type: 'polygon', coordinates: [[[0, 0], [9, 9]]] } }], // prettier-ignore
    ['ExtentTooLarge', { pixelSizeMicrons: 500 }],
    ['ConflictingClicks', { prompts: [ask('even', even), ask('odd', [even[0]!])] }],
    ['ConflictingClicks', { prompts: [ask('even', [...even, { ...even[0]!, positive: false }])] }],
    ['InvalidParams', { prompts: [ask('even', even), ask('even', even)] }],
    [
      'LimitExceeded',
      {
        prompts: [
          ask(
            'even',
            Array.from({ length: 1001 }, () => even[0]!),
          ),
        ],
      },
    ],
    [
      'IntentModelMismatch',
      {
        prompts: [
          ask('even', [], {
            exemplars: [
              {
                feature: new Float32Array(64),
                label: 1,
                source: 'click',
                modelId: 'other',
                place: { imageUri: 'elsewhere', x: 1, y: 1 },
              },
            ],
          }),
        ],
      },
    ],
  ])('%s', async (errorName, change) => {
    const { search } = setUp();
    await expect(search.run(request(change))).rejects.toMatchObject({ errorName });
  });

  test('a click on background is used, with a warning', async () => {
    const { search } = setUp();
    const at = truthAt(background) === 0 ? background : { ...background, x: 100 };
    const { warnings } = await search.run(request({ prompts: [ask('even', [...even, at])] }));
    expect(warnings.map(({ name }) => name)).toContain('ClickOnBackground');
  });

  test('no pixel size: the assumed one is told', async () => {
    const { search } = setUp();
    const outcome = await search.run(request({ image: tissueImage(TISSUE, null) }));
    expect(outcome.pixelSizeMicrons).toBe(0.5);
    expect(outcome.warnings.map(({ name }) => name)).toEqual(['PixelSizeAssumed']);
  });

  test.each([255, 0])(
    'an image of nothing but %d, smaller than a tile: documented, not an error',
    async (value) => {
      const { search } = setUp();
      const data = new Uint8Array(90 * 70 * 3).fill(value);
      if (value === 0) for (let i = 0; i < data.length; i += 3) data[i] = 255;
      const image = memoryImage({ width: 90, height: 70, data }, { uri: 'plain', pixelSizeMicrons: 0.5 });
      const outcome = await search.run(
        request({ image, prompts: [ask('even', [{ x: 20, y: 20, positive: true }])] }),
      );
      expect(outcome.featureCollection).toEqual({ type: 'FeatureCollection', features: [] });
      expect(outcome.warnings.map(({ name }) => name)).toEqual(['ClickOnBackground', 'NoNuclei']);
    },
  );

  test('examples of another model are embedded again where their image is open', async () => {
    const { search, model } = setUp();
    const exemplars = even.map(({ x, y }) => ({
      feature: new Float32Array(64),
      label: 1 as const,
      source: 'click' as const,
      modelId: 'other',
      place: { imageUri: IMAGE.uri, x, y },
    }));
    const outcome = await search.run(request({ prompts: [ask('even', [], { exemplars })] }));
    const plain = await search.run(request({}));
    expect(outcome.result.ids).toEqual(plain.result.ids);
    expect(outcome.warnings.map(({ name }) => name)).toEqual(['ExemplarsEmbeddedAgain']);
    expect(outcome.learned[0]).toHaveLength(3);
    expect(model.id).toMatch(/^sampo-tiny@/);
  });
});

describe('failures', () => {
  const crash = (): never => {
    throw new BridgeError('EngineCrashed', 'gone', { retryable: true });
  };

  test('a crash is tried again once, and the answer is whole', async () => {
    const { search, engine } = setUp();
    engine.before = (_, run) => (run === 6 ? crash() : undefined);
    const { tiles, result } = await search.run(request({}));
    expect(tiles.failed).toEqual([]);
    expect(result.ids.length).toBeGreaterThan(20);
  });

  test('a tile that fails for good is named, the others are kept and nothing is cut', async () => {
    const { search, engine } = setUp();
    const plain = (await search.run(request({}))).result;
    const fresh = setUp();
    fresh.engine.before = (id, run) =>
      id.endsWith('decoder') && (run === 12 || run === 13) ? crash() : undefined;
    const broken = await fresh.search.run(request({}));
    expect(engine.runs.length).toBeGreaterThan(0);
    expect(broken.tiles.failed).toHaveLength(1);
    expect(broken.tiles.failed[0]).toMatchObject({ error: 'EngineCrashed: gone' });
    expect(broken.warnings.map(({ name }) => name)).toEqual(['TilesFailed']);
    expect(broken.result.ids.length).toBeGreaterThan(0);
    expect(broken.result.ids.length).toBeLessThan(plain.ids.length);
    broken.result.ids.forEach((id, i) => {
      const at = plain.ids.indexOf(id);
      if (at >= 0) expect(broken.result.objects[i]!.area).toBe(plain.objects[at]!.area);
    });
  });

  test('when every tile fails, so does the search', async () => {
    const { search, engine } = setUp();
    engine.before = (id) => (id.endsWith('decoder') ? crash() : undefined);
    await expect(search.run(request({}))).rejects.toMatchObject({ errorName: 'EngineCrashed' });
  });

  test('an abort ends it between runs', async () => {
    const { search, engine } = setUp();
    const controller = new AbortController();
    let tiles = 0;
    const running = search.run(
      request({ signal: controller.signal, onTile: () => (++tiles === 2 ? controller.abort() : undefined) }),
    );
    await expect(running).rejects.toMatchObject({ errorName: 'RequestCancelled' });
    const runs = engine.runs.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(engine.runs.length).toBe(runs);
    expect(tiles).toBe(2);
  });
});

test('filters change the answer without the engine, and results belong to their session', async () => {
  const { search, engine } = setUp();
  const { result, featureCollection } = await search.run(request({}));
  const results = new SearchResults(2);
  results.keep('me', result);
  const runs = engine.runs.length;
  const kept = results.get('me', result.resultId);
  expect(kept.features({ threshold: 0 }).features).toHaveLength(result.objects.length);
  // What was clicked stays, whatever the threshold.
  expect(kept.features({ threshold: 1 }).features).toHaveLength(3);
  const large = kept.features({ minAreaMicrons2: 30 }).features;
  expect(large.length).toBeGreaterThan(0);
  expect(large.length).toBeLessThan(featureCollection.features.length);
  expect(engine.runs.length).toBe(runs);
  expect(() => results.get('you', result.resultId)).toThrow(/no result/);
  results.closeImage(IMAGE.imageId);
  expect(() => results.get('me', result.resultId)).toThrow(/no result/);
});
