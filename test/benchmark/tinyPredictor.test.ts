import { EmbeddingCache } from '../../src/services/embeddings/embeddingCache';
import { openTinyPredictor } from '../../src/benchmark/tinyPredictor';
import { NucleusModel } from '../../src/services/models/nucleusModel';
import { Search } from '../../src/services/search/search';
import { makeTissue } from '../segmentation/tissue';
import { fakeEngine, MODEL_FOLDER, tissueImage } from '../services/fakeEngine';
import { readTile } from '../../src/services/search/tilePixels';

test('the benchmark scores every object as a search of the server does', async () => {
  const tissue = makeTissue({ width: 520, height: 400 }, 11, 0.0011);
  const image = tissueImage(tissue);
  const engine = fakeEngine();
  // One nucleus of odd, one of even, one of odd number: the fake decoder tells the two kinds apart.
  const middles = [1, 2, 3].map((label) => {
    const at = tissue.truth.indexOf(label);
    return { x: (at % tissue.width) + 0.5, y: Math.floor(at / tissue.width) + 2.5 };
  });
  const clicks = [
    { ...middles[1]!, positive: false },
    { ...middles[0]!, positive: true },
    { ...middles[2]!, positive: true },
  ];
  const search = new Search(new NucleusModel(engine, MODEL_FOLDER), new EmbeddingCache());
  const { result } = await search.run({
    image,
    prompts: [
      {
        intent: {
          intentId: 'one',
          classification: { name: 'one', color: [200, 0, 0] },
          exemplars: [],
          round: 0,
        },
        clicks,
        boxes: [],
        objects: [],
      },
    ],
    extent: { type: 'image' },
  });
  const predictor = await openTinyPredictor(engine, MODEL_FOLDER);
  const spaces = { scale: 1, imageSize: tissue, modelSize: tissue };
  const tile = { key: '0,0', column: 0, row: 0, x: 0, y: 0, width: tissue.width, height: tissue.height };
  const prepared = await predictor.prepare(await readTile(image, spaces, tile));
  const scores = await prepared.scores(
    clicks.map(({ x, y, positive }) => ({ x, y, label: positive ? 1 : 0 })),
  );
  const own = new Map(prepared.objects.map(({ anchor: { x, y } }, i) => [`${x},${y}`, scores[i]!]));
  expect(result.objects.length).toBeGreaterThan(20);
  expect(own.size).toBe(result.objects.length);
  expect(new Set(Array.from(scores, (score) => Math.round(10 * score))).size).toBeGreaterThan(1);
  for (const { anchor, scores: theirs } of result.objects)
    expect(own.get(`${anchor.x},${anchor.y}`)).toBeCloseTo(theirs[0]!, 4);
});
