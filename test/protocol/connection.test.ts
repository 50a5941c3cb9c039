import { BridgeError } from '../../src/errors';
import type { Context } from '../../src/protocol/handler';
import { Conversation, settled } from './conversation';

const STATUS = { method: 'server/status', params: {} };
const RUN = { method: 'model/run', params: { modelId: 'm', feeds: {} } };

/** A handler that goes on until it is told to stop. */
const untilAborted = (_params: unknown, { signal }: Context<string>) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new BridgeError('RequestCancelled', 'cancelled'))),
  );

const errorName = (answer: { error?: { data: Record<string, unknown> } }) => answer.error?.data['name'];

test('before initialize everything is refused, after a second one only that', async () => {
  const talk = new Conversation({ 'server/status': async () => ({}) as never });
  expect(await talk.ask({ id: 1, ...STATUS })).toMatchObject({ error: { code: -32002 } });
  await talk.initialized();
  expect(await talk.ask({ id: 2, ...STATUS })).toMatchObject({ id: 2, result: {} });
  const again = { protocolVersion: '1.0', client: { name: 'test' } };
  expect(await talk.ask({ id: 3, method: 'initialize', params: again })).toMatchObject({
    error: { code: -32600 },
  });
  expect(await talk.ask({ id: 4, ...STATUS })).toHaveProperty('result');
});

test('an initialize that failed can be sent again', async () => {
  let attempts = 0;
  const talk = new Conversation({
    initialize: async () => {
      if (++attempts === 1) throw new BridgeError('VersionMismatch', 'no');
      return {} as never;
    },
    'server/status': async () => ({}) as never,
  });
  const params = { protocolVersion: '9.0', client: { name: 'test' } };
  expect(errorName(await talk.ask({ id: 1, method: 'initialize', params }))).toBe('VersionMismatch');
  expect(errorName(await talk.ask({ id: 2, ...STATUS }))).toBe('ServerNotInitialized');
  expect(await talk.ask({ id: 3, method: 'initialize', params })).toHaveProperty('result');
});

test('after shutdown what runs is cancelled, only exit is heard', async () => {
  const talk = await new Conversation({ 'model/run': untilAborted }).initialized();
  const running = talk.ask({ id: 1, ...RUN });
  await settled();
  expect(await talk.ask({ id: 2, method: 'shutdown' })).toMatchObject({ id: 2, result: null });
  expect(errorName(await running)).toBe('RequestCancelled');
  expect(errorName(await talk.ask({ id: 3, ...STATUS }))).toBe('ShuttingDown');
  talk.tell({ method: 'exit' });
  expect(talk.exits).toBe(1);
});

test('what comes in the same breath as shutdown is refused', async () => {
  const talk = await new Conversation({ 'server/status': async () => ({}) as never }).initialized();
  const shutdown = talk.ask({ id: 1, method: 'shutdown' });
  expect(errorName(await talk.ask({ id: 2, ...STATUS }))).toBe('ShuttingDown');
  expect(await shutdown).toMatchObject({ result: null });
});

test('exit is heard before initialize too', () => {
  const talk = new Conversation({});
  talk.tell({ method: 'exit' });
  expect(talk.exits).toBe(1);
});

test('a handler that throws what has no text is answered', async () => {
  const nothing: unknown = Object.create(null);
  const talk = await new Conversation({
    'server/status': async () => {
      throw nothing;
    },
  }).initialized();
  expect(errorName(await talk.ask({ id: 1, ...STATUS }))).toBe('InternalError');
});

test('ids 0 and "" and equal-looking ones are different requests', async () => {
  const talk = await new Conversation({ 'server/status': async () => ({}) as never }).initialized();
  for (const id of [0, '', 1, '1', 'server-1']) {
    expect(await talk.ask({ id, ...STATUS })).toEqual({ jsonrpc: '2.0', id, result: {} });
  }
});

test('an id that is still under way is refused, and the first request keeps its answer', async () => {
  const talk = await new Conversation({ 'model/run': untilAborted }).initialized();
  const first = talk.ask({ id: 7, ...RUN });
  talk.tell({ id: 7, ...RUN });
  expect(talk.sent).toMatchObject([{ id: null, error: { code: -32600, data: { id: 7 } } }]);
  talk.tell({ method: '$/cancelRequest', params: { id: 7 } });
  expect(errorName(await first)).toBe('RequestCancelled');
  expect(talk.sent).toHaveLength(2);
});

test.each([
  'toString',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
  'image/readRegion',
  '$/progress',
  'exit',
])('method "%s" is not there', async (method) => {
  const talk = await new Conversation({}).initialized();
  expect(await talk.ask({ id: 1, method })).toMatchObject({ error: { code: -32601 } });
  expect(talk.faults).toEqual([]);
});

test('a method of the contract without a handler says so', async () => {
  const talk = await new Conversation({}).initialized();
  expect(errorName(await talk.ask({ id: 1, method: 'training/stop', params: { intentId: 'x' } }))).toBe(
    'NotAvailable',
  );
});

test.each([
  ['a missing member', { feeds: {} }, '/modelId', 'required'],
  ['a wrong type', { modelId: 4, feeds: {} }, '/modelId', 'string'],
  ['a stranger', { modelId: 'm', feeds: {}, color: 1 }, '/color', 'no such member'],
  [
    '__proto__',
    JSON.parse('{"modelId":"m","feeds":{},"__proto__":{}}') as object,
    '/__proto__',
    'no such member',
  ],
  ['out of range', { modelId: 'm', feeds: {}, repeat: 0 }, '/repeat', '>= 1'],
])(
  'bad params: %s is answered with its pointer and what was wanted',
  async (_name, params, pointer, expected) => {
    const talk = await new Conversation({ 'model/run': untilAborted }).initialized();
    const { error } = await talk.ask({ id: 1, method: 'model/run', params });
    expect(error).toMatchObject({ code: -32602, data: { name: 'InvalidParams' } });
    const [problem] = error?.data['problems'] as { pointer: string; expected: string }[];
    expect(problem?.pointer).toBe(pointer);
    expect(problem?.expected).toContain(expected);
  },
);

test('defaults of the schema are filled in', async () => {
  let repeat: unknown;
  const talk = await new Conversation({
    'model/run': async (params) => {
      repeat = params.repeat;
      return {} as never;
    },
  }).initialized();
  await talk.ask({ id: 1, ...RUN });
  expect(repeat).toBe(1);
});

test('cancel overtakes the queue: what waits is answered before what came earlier', async () => {
  let open = (): void => undefined;
  let queue = new Promise<void>((resolve) => (open = resolve));
  const talk = await new Conversation({
    // One after the other, as the engine takes them.
    'model/run': (_params, context) => {
      const turn = queue.then(() => ({ runs: 1 }) as never);
      queue = turn.then(() => undefined);
      return Promise.race([turn, untilAborted({}, context)]);
    },
  }).initialized();
  const answers = [1, 2, 3].map((id) => talk.ask({ id, ...RUN }));
  talk.tell({ method: '$/cancelRequest', params: { id: 3 } });
  await answers[2];
  open();
  await Promise.all(answers);
  expect(talk.sent.map((answer) => [answer.id, errorName(answer)])).toEqual([
    [3, 'RequestCancelled'],
    [1, undefined],
    [2, undefined],
  ]);
});

test.each([
  ['that does not listen is answered for', () => new Promise<never>(() => undefined)],
  [
    'that rethrows the reason of its signal was cancelled, not broken',
    (_params: unknown, { signal }: Context<string>) =>
      new Promise<never>((_, reject) =>
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        signal.addEventListener('abort', () => reject(signal.reason)),
      ),
  ],
])('a cancelled handler %s', async (_name, handler) => {
  const talk = await new Conversation({ 'model/run': handler }).initialized();
  const answer = talk.ask({ id: 1, ...RUN });
  await settled();
  talk.tell({ method: '$/cancelRequest', params: { id: 1 } });
  expect(await answer).toMatchObject({ id: 1, error: { code: -32800 } });
  expect(talk.connection.inFlight).toBe(0);
  expect(talk.faults).toEqual([]);
});

test.each([{}, { id: 99 }, { id: null }, { id: {} }, { id: '__proto__' }])(
  'a cancel of nothing (%j) is nothing',
  async (params) => {
    const talk = await new Conversation({}).initialized();
    talk.tell({ method: '$/cancelRequest', params });
    talk.tell({ method: 'no/such', params });
    await settled();
    expect(talk.sent).toEqual([]);
  },
);

test('progress begins, reports and ends before the answer, and is silent after it', async () => {
  let report: (() => void) | undefined;
  const talk = await new Conversation({
    'model/run': async (_params, { progress }) => {
      report = () => progress.report({ percentage: 100 });
      progress.report({ percentage: 0, message: 'a' });
      progress.report({ percentage: 50, etaSeconds: 1 });
      return { runs: 1 } as never;
    },
  }).initialized();
  await talk.ask({ id: 5, ...RUN });
  report?.();
  expect(talk.sent.map((message) => message.params?.value ?? message.result)).toEqual([
    { kind: 'begin', percentage: 0, message: 'a' },
    { kind: 'report', percentage: 50, etaSeconds: 1 },
    { kind: 'end' },
    { runs: 1 },
  ]);
  expect(talk.sent.slice(0, 3).every(({ params }) => params?.id === 5)).toBe(true);
});

test('nothing is reported between the end and the answer', async () => {
  let report = () => undefined as void;
  const talk = await new Conversation({
    'model/run': async (_params, { progress }) => {
      report = () => progress.report({ percentage: 100 });
      report();
      return { runs: 1 } as never;
    },
  }).initialized();
  const push = talk.sent.push.bind(talk.sent);
  talk.sent.push = (message) => {
    const length = push(message);
    if (message.params?.value?.['kind'] === 'end') report();
    return length;
  };
  await talk.ask({ id: 5, ...RUN });
  expect(talk.sent.map((message) => message.params?.value?.['kind'] ?? 'answer')).toEqual([
    'begin',
    'end',
    'answer',
  ]);
});

test('one too many at once is Busy and names the limit', async () => {
  const talk = await new Conversation({ 'model/run': untilAborted }, { requestsInFlight: 2 }).initialized();
  void talk.ask({ id: 1, ...RUN });
  void talk.ask({ id: 2, ...RUN });
  expect(await talk.ask({ id: 3, ...RUN })).toMatchObject({
    error: { data: { name: 'Busy', retryable: true, limit: 'requestsInFlight', value: 2 } },
  });
});

test.each([
  ['throws something unknown', new Error('boom'), 'InternalError', 1],
  ['throws a name that is not in the table', new BridgeError('NoSuchName' as never, 'x'), 'InternalError', 1],
  ['throws a row of the table', new BridgeError('OutOfMemory', 'x', { bytes: 5 }), 'OutOfMemory', 0],
])('a handler that %s', async (_name, thrown, name, faults) => {
  const talk = await new Conversation({ 'server/status': () => Promise.reject(thrown) }).initialized();
  const { error } = await talk.ask({ id: 1, ...STATUS });
  expect(error?.data).toMatchObject({
    name,
    hint: expect.any(String) as string,
    ...(faults ? {} : { bytes: 5 }),
  });
  expect(talk.faults).toHaveLength(faults);
});

test('a result that JSON cannot hold is still answered, once', async () => {
  const talk = await new Conversation({ 'server/status': async () => ({ big: 1n }) as never }).initialized();
  expect(errorName(await talk.ask({ id: 1, ...STATUS }))).toBe('InternalError');
  await settled();
  expect(talk.sent).toHaveLength(1);
  expect(talk.faults).toHaveLength(1);
});

describe('asking the viewer', () => {
  const REGION = { imageId: 'i', uri: 'u', x: 0, y: 0, width: 4, height: 4, downsample: 1 };
  const ask = (talk: Conversation, options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
    talk.connection.request('image/readRegion', REGION, { timeoutMs: 5000, ...options });

  test('its answer comes back', async () => {
    const talk = await new Conversation({}).initialized();
    const answer = ask(talk);
    talk.tell({ id: talk.sent[0]?.id, result: { blob: 'b' } });
    expect(await answer).toEqual({ blob: 'b' });
  });

  test.each([
    ['an error', { error: { code: 5, message: 'closed' } }, { errorName: 'ClientFailed', data: { code: 5 } }],
    ['a misfit', { result: { blob: 5 } }, { errorName: 'ClientFailed' }],
    ['null', { result: null }, { errorName: 'ClientFailed' }],
  ])('%s fails the request', async (_name, answer, expected) => {
    const talk = await new Conversation({}).initialized();
    const asked = expect(ask(talk)).rejects.toMatchObject(expected);
    talk.tell({ id: talk.sent[0]?.id, ...answer });
    await asked;
  });

  test('a viewer that never answers is given up and told; its late answer is nothing', async () => {
    const talk = await new Conversation({}).initialized();
    await expect(ask(talk, { timeoutMs: 10 })).rejects.toMatchObject({ errorName: 'ViewerTimeout' });
    const [question, cancel] = talk.sent;
    expect(cancel).toMatchObject({ method: '$/cancelRequest', params: { id: question?.id } });
    talk.tell({ id: question?.id, result: { blob: 'late' } });
    expect(talk.sent).toHaveLength(2);
  });

  test('a cancelled request cancels its question', async () => {
    const talk = await new Conversation({}).initialized();
    const controller = new AbortController();
    const asked = expect(ask(talk, { signal: controller.signal })).rejects.toMatchObject({
      errorName: 'RequestCancelled',
    });
    controller.abort();
    await asked;
    expect(talk.sent.at(-1)).toMatchObject({ method: '$/cancelRequest' });
    await expect(ask(talk, { signal: controller.signal })).rejects.toMatchObject({
      errorName: 'RequestCancelled',
    });
    expect(talk.sent).toHaveLength(2);
  });

  test('a connection that closes fails its questions, aborts its requests and falls silent', async () => {
    let aborted = false;
    const talk = await new Conversation({
      'model/run': (_params, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => (aborted = true))),
    }).initialized();
    talk.tell({ id: 1, ...RUN });
    await settled();
    const asked = expect(ask(talk)).rejects.toMatchObject({ errorName: 'RequestCancelled' });
    talk.connection.close();
    await asked;
    expect(aborted).toBe(true);
    const before = talk.sent.length;
    talk.tell({ id: 2, ...RUN });
    await expect(ask(talk)).rejects.toMatchObject({ errorName: 'RequestCancelled' });
    expect(talk.sent).toHaveLength(before);
  });
});

test('two of these connections do not answer each other for ever', async () => {
  const left = await new Conversation({}).initialized();
  const right = await new Conversation({}).initialized();
  left.connection.receive('not JSON');
  for (let round = 0, from = left, to = right; round < 20; round++, [from, to] = [to, from]) {
    for (const message of from.sent.splice(0)) to.connection.receive(JSON.stringify(message));
  }
  expect([left.sent, right.sent]).toEqual([[], []]);
});
