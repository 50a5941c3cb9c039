import { decoderFeeds, imageTensor, type PromptPoint } from '../../../../src/services/models/samFamily/feeds';
import { formOf, IMAGENET, type FormName } from '../../../../src/services/models/samFamily/forms';
import { intentPrompts, uniteMasks } from '../../../../src/services/models/samFamily/intentPrompts';
import { float32Tensor } from '../../../../src/tensor';

describe('the image as the encoder takes it', () => {
  const red = { width: 2, height: 1, data: Uint8Array.of(255, 0, 0, 255, 0, 0) };
  const spec = { tileSize: 4, imageSize: 8, normalization: IMAGENET };

  test('enlarged into the top-left corner, normalised, zero beside it', () => {
    const { dims, data } = imageTensor(red, { ...spec, layout: 'nchw', padding: 'zero' });
    expect(dims).toEqual([1, 3, 8, 8]);
    const inside = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225];
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++)
          expect(data[(c * 8 + y) * 8 + x]).toBeCloseTo(x < 4 && y < 2 ? inside[c]! : 0, 5);
  });

  test('for an encoder that normalises by itself: 0 to 255, and the mean beside it, which it makes zero', () => {
    const { dims, data } = imageTensor(red, { ...spec, layout: 'hwc', padding: 'zero' });
    expect(dims).toEqual([8, 8, 3]);
    expect([...data.slice(0, 3)]).toEqual([255, 0, 0]);
    const corner = [...data.slice(-3)].map(Number);
    corner.forEach((value, c) => expect(value).toBeCloseTo([123.675, 116.28, 103.53][c]!, 3));
  });

  test('EfficientSAM: 0 to 1 and white beside it', () => {
    const { normalization } = formOf('efficient-sam');
    const { data } = imageTensor(red, { ...spec, normalization, layout: 'nchw', padding: 'white' });
    expect([data[0], data[64], data[63]]).toEqual([1, 0, 1]);
  });
});

describe('decoder inputs', () => {
  const embedding = float32Tensor([1, 4, 8, 8]);
  const points: PromptPoint[] = [
    { x: 10, y: 20, label: 1 },
    { x: 30, y: 40, label: 0 },
  ];

  function feedsOf(name: FormName, dims: (number | string)[], asked = points) {
    const form = formOf(name);
    const inputs = Object.fromEntries(
      Object.entries(form.inputs).map(([role, [usual]]) => [role, usual!] as const),
    );
    const type = (role: string) => (role === 'labels' && name.endsWith('-hf') ? 'int64' : 'float32');
    const shapes: Record<string, (number | string)[]> = { coords: dims };
    const spec = {
      form: name,
      imageSize: 1024,
      tileSize: 256,
      bindings: { image: 'x', inputs, embeddings: {}, outputs: { masks: 'm', scores: 's' } },
      decoder: {
        inputs: Object.entries(inputs).map(([role, port]) => ({
          name: port,
          type: type(role),
          dims: shapes[role] ?? [],
        })),
        outputs: [],
      },
    };
    const extra = { embedding, position: embedding, highRes0: embedding, highRes1: embedding };
    const feeds = decoderFeeds(extra, asked, spec);
    const numbers = (role: 'coords' | 'labels' | 'originalSize') =>
      Array.from(feeds[inputs[role]!]!.data as ArrayLike<number | bigint>, Number);
    return { feeds, numbers, dims: feeds[inputs.coords!]!.dims, names: Object.keys(feeds).sort(), inputs };
  }

  test('SAM: px of the enlarged tile, and the padding point it was trained with', () => {
    const { numbers, dims } = feedsOf('sam', [1, 'num_points', 2]);
    expect(dims).toEqual([1, 3, 2]);
    expect(numbers('coords')).toEqual([40, 80, 120, 160, 0, 0]);
    expect(numbers('labels')).toEqual([1, 0, -1]);
    expect(numbers('originalSize')).toEqual([256, 256]);
  });

  test('SAM with a box: no padding point', () => {
    const box: PromptPoint[] = [
      { x: 1, y: 2, label: 2 },
      { x: 3, y: 4, label: 3 },
    ];
    expect(feedsOf('sam', [1, 'n', 2], box).numbers('labels')).toEqual([2, 3]);
  });

  test('a graph of a fixed number of points is filled up', () => {
    expect(feedsOf('sam', [1, 5, 2]).numbers('labels')).toEqual([1, 0, -1, -1, -1]);
  });

  test('EfficientSAM: px of the tile itself, with a query dimension', () => {
    const { numbers, dims } = feedsOf('efficient-sam', [1, 1, 'num_points', 2]);
    expect(dims).toEqual([1, 1, 2, 2]);
    expect(numbers('coords')).toEqual([10, 20, 30, 40]);
  });

  test('Hugging Face: integer labels, nothing to fill up', () => {
    const { feeds, numbers, inputs } = feedsOf('sam-hf', ['b', 'p', 'n', 2]);
    expect(feeds[inputs.labels!]).toMatchObject({ type: 'int64', dims: [1, 1, 2] });
    expect(numbers('labels')).toEqual([1, 0]);
  });

  test.each<FormName>(['sam', 'sam2', 'efficient-sam', 'sam-hf', 'sam2-hf'])(
    '%s: every input is fed',
    (name) => {
      const { names, inputs } = feedsOf(name, ['a', 'b', 'c', 2]);
      expect(names).toEqual(Object.values(inputs).sort());
    },
  );
});

describe('what a decoder without exemplars is asked', () => {
  // Four nuclei of 8 px, one per quarter of a tile of 64 px: two of the type [1, 0], two of [0, 1]; background is [1, 1].
  const SIDE = 16;
  const STRIDE = 4;
  const nuclei = [
    { x: 16, y: 16, type: 0 },
    { x: 48, y: 16, type: 0 },
    { x: 16, y: 48, type: 1 },
    { x: 48, y: 48, type: 1 },
  ];
  const data = new Float32Array(2 * SIDE * SIDE).fill(1);
  const nucleusLogits = new Float32Array(64 * 64).fill(-5);
  for (const { x, y, type } of nuclei)
    for (let row = y - 4; row < y + 4; row++)
      for (let column = x - 4; column < x + 4; column++) {
        nucleusLogits[row * 64 + column] = 5;
        const cell = Math.floor(row / STRIDE) * SIDE + Math.floor(column / STRIDE);
        data[cell] = 1 - type;
        data[SIDE * SIDE + cell] = type;
      }
  const encoded = {
    embedding: { data, channels: 2, side: SIDE, stride: STRIDE },
    nucleusLogits,
    distanceMap: nucleusLogits,
  };
  const tile = { x: 100, y: 0, width: 64, height: 64, column: 0, row: 0, key: 't' } as never;
  const settings = {
    tileSize: 64,
    autoPrompt: { positives: 8, negatives: 2, spacing: 8, similarity: 0.9 },
    form: { negatives: true, boxCorners: true },
  };
  const exemplar = (label: 0 | 1, ...feature: number[]) => ({ label, feature: Float32Array.from(feature) });
  const wanted = exemplar(1, 1, 0);
  const near = ({ x, y }: PromptPoint) => nuclei.findIndex((one) => Math.hypot(one.x - x, one.y - y) < 5);
  const ask = (change: Partial<Parameters<typeof intentPrompts>[2]>, change2 = {}) =>
    intentPrompts(tile, encoded, { points: [], ...change }, { ...settings, ...change2 });

  test('a place on every nucleus like the examples, and on no other', () => {
    const asked = ask({ exemplars: [wanted] });
    expect(asked.map(([first]) => near(first!)).sort()).toEqual([0, 1]);
    expect(asked.every(([first]) => first!.label === 1)).toBe(true);
  });

  test('with each goes what the intent is not, the nearest first; not where the decoder knows no such label', () => {
    const exemplars = [wanted, exemplar(0, 0, 1)];
    const [first] = ask({ exemplars });
    expect(first!.slice(1).map(({ label }) => label)).toEqual([0, 0]);
    const distances = first!.slice(1).map(({ x, y }) => Math.hypot(x - first![0]!.x, y - first![0]!.y));
    expect(distances[0]).toBeLessThanOrEqual(distances[1]!);
    const alone = ask({ exemplars }, { form: { negatives: false, boxCorners: true } });
    expect(alone.every((prompt) => prompt.length === 1)).toBe(true);
  });

  test('what is as like to an unwanted example is left alone', () => {
    expect(ask({ exemplars: [wanted, exemplar(0, 1, 0)] })).toEqual([]);
  });

  test('only detected nuclei are asked about, however alike the ground between them is', () => {
    const autoPrompt = { ...settings.autoPrompt, similarity: 0.7 }; // the ground's is 0.707
    const asked = ask({ exemplars: [wanted] }, { ...settings, autoPrompt });
    expect(asked.map(([first]) => near(first!)).sort()).toEqual([0, 1]);
  });

  test('nothing alike, nothing asked', () => {
    expect(ask({ exemplars: [exemplar(1, -1, -1)] })).toEqual([]);
  });

  test('a click is asked at its place, once, and only in its own tile', () => {
    const click = { ...wanted, x: 100 + 15, y: 17 };
    const asked = ask({ points: [click] });
    expect(asked[0]![0]).toEqual({ x: 15, y: 17, label: 1 });
    expect(asked.map(([first]) => near(first!))).toEqual([0, 1]);
    expect(
      ask({ points: [{ ...click, x: 15 }] })
        .map(([first]) => near(first!))
        .sort(),
    ).toEqual([0, 1]);
  });

  test('a box is asked by its corners, or by its middle where the decoder takes none', () => {
    const boxes = [{ x: 110, y: 10, width: 8, height: 6 }];
    expect(ask({ boxes })).toEqual([
      [
        { x: 10, y: 10, label: 2 },
        { x: 18, y: 16, label: 3 },
      ],
    ]);
    expect(ask({ boxes }, { form: { negatives: true, boxCorners: false } })[0]![0]).toEqual({
      x: 14,
      y: 13,
      label: 1,
    });
  });
});

describe('the masks of several objects as one', () => {
  const SIDE = 8;
  const mask = (inside: readonly number[], logit = 3) => {
    const out = new Float32Array(SIDE * SIDE).fill(-3);
    for (const i of inside) out[i] = logit;
    return out;
  };
  const answer = (scores: number[], ...masks: Float32Array[]) => ({
    logits: Float32Array.from(masks.flatMap((one) => [...one])),
    scores: Float32Array.from(scores),
    count: masks.length,
    side: SIDE,
  });
  const all = Array.from({ length: 64 }, (_, i) => i);
  const inside = (masks: Float32Array, k: number) => all.filter((i) => masks[k * SIDE * SIDE + i]! > 0);

  test('the likeliest of each prompt together, the next of each together', () => {
    const { masks, scores } = uniteMasks(
      [answer([0.4, 0.8], mask([0]), mask([1])), answer([0.9, 0.5], mask([10]), mask([11]))],
      2,
      SIDE,
    );
    expect([inside(masks, 0), inside(masks, 1)]).toEqual([
      [1, 10],
      [0, 11],
    ]);
    expect(scores[0]).toBeCloseTo(0.85);
    expect(scores[1]).toBeCloseTo(0.45);
  });

  test('a mask too large for a nucleus counts for nothing, however sure the decoder is', () => {
    const { masks, scores } = uniteMasks([answer([0.99, 0.6], mask(all), mask([5, 6]))], 2, SIDE);
    expect([inside(masks, 0), inside(masks, 1)]).toEqual([[5, 6], []]);
    expect(scores[0]).toBeCloseTo(0.6);
    expect(scores[1]).toBe(0);
  });

  test('no prompt, no object', () => {
    const { masks, scores } = uniteMasks([], 3, SIDE);
    expect(masks).toHaveLength(3 * 64);
    expect(masks.every((logit) => logit < -10)).toBe(true);
    expect([...scores]).toEqual([0, 0, 0]);
  });
});
