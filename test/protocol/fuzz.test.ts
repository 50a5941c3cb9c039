import fc from 'fast-check';
import { isBridgeError } from '../../src/errors';
import { readBlobFrame, writeBlobFrame } from '../../src/server/blobFrame';
import { Conversation, settled } from './conversation';

/** Messages per conversation times conversations: above 100,000 in one run. */
const CONVERSATIONS = 650;
const MESSAGES = 160;
const FRAMES = 10_000;

const id = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.constantFrom('', 'a', '__proto__', -0, 1e300, null, true),
);
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('server/status', 'model/run', 'rpc.discover') },
  fc.constantFrom('$/cancelRequest', 'initialize', 'initialized', '__proto__', 'toString', '', 'image/open'),
  fc.string({ maxLength: 8 }),
);
const params = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom({}, { modelId: 'm', feeds: {} }, { id: 1 }, { id: 'a' }) },
  fc.constantFrom(null, [], 7, { verbose: 1 }, { modelId: 'm', feeds: { a: { tensor: {} } } }),
);
const request = fc.record(
  { jsonrpc: fc.constant('2.0'), id, method, params },
  { requiredKeys: ['jsonrpc', 'method'] },
);
const reply = fc.record(
  {
    jsonrpc: fc.constant('2.0'),
    id: fc.oneof(id, fc.constant('server-1')),
    result: fc.constant({}),
    error: fc.constantFrom(null, { code: 1, message: 'x' }),
  },
  { requiredKeys: ['jsonrpc'] },
);
const message = fc.oneof(
  { weight: 12, arbitrary: request.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: reply.map((value) => JSON.stringify(value)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(request, fc.nat({ max: 60 }))
      .map(([value, cut]) => JSON.stringify(value).slice(0, cut)),
  },
  fc.constantFrom('', 'null', '[]', '[[]]', '['.repeat(80), '{"jsonrpc":"2.0"}', '\u0000', '\ud800'),
  fc.string({ maxLength: 20 }),
);

/** The id that a text must be answered under; undefined for what is not answered, null where the id cannot be known. */
function answerId(text: string): string | number | null | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (text.startsWith('['.repeat(65)) || typeof value !== 'object' || value === null || Array.isArray(value))
    return null;
  const read = value as Record<string, unknown>;
  const usable =
    typeof read['id'] === 'string' || (typeof read['id'] === 'number' && Math.abs(read['id']) <= 2 ** 53 - 1);
  const known = usable ? (read['id'] as string | number) : null;
  if ('method' in read) {
    const named =
      !('params' in read) ||
      (typeof read['params'] === 'object' && read['params'] !== null && !Array.isArray(read['params']));
    return named && !('id' in read) ? undefined : known;
  }
  if ('result' in read === 'error' in read) return known;
  if ('error' in read && (read['id'] === null || !('id' in read))) return undefined;
  if (known === null || ('error' in read && read['error'] === null)) return null;
  return undefined;
}

test('any sequence of messages: no fault, every request answered once, nothing left behind', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: MESSAGES, maxLength: MESSAGES }), async (texts) => {
      const talk = await new Conversation(
        {
          'server/status': async () => ({}) as never,
          'rpc.discover': () => Promise.reject(new Error('boom')),
          'model/run': (_, { signal, progress }) =>
            new Promise((resolve) => {
              progress.report({ percentage: 1 });
              const timer = setImmediate(() => resolve({} as never));
              signal.addEventListener('abort', () => (clearImmediate(timer), resolve({} as never)));
            }),
        },
        { requestsInFlight: 5 },
      ).initialized();
      const open = new Map<string | number, number>();
      let toNull = 0;
      let answers = 0;
      for (const [index, text] of texts.entries()) {
        count++;
        const to = answerId(text);
        const before = talk.connection.inFlight;
        const sent = talk.sent.length;
        talk.connection.receive(text);
        if (to !== undefined) answers++;
        if (to === null) toNull++;
        else if (to !== undefined) {
          const [first] = talk.sent.slice(sent);
          // A second request under an open id is answered to null at once.
          if (first !== undefined && first.id === null && before === talk.connection.inFlight) toNull++;
          else open.set(to, (open.get(to) ?? 0) + 1);
        }
        if (index % 8 === 0) await settled();
      }
      while (talk.connection.inFlight > 0) await settled();
      await settled();
      const replies = talk.sent.filter((sent) => sent.method === undefined);
      expect(replies).toHaveLength(answers);
      expect(replies.filter((sent) => sent.id === null)).toHaveLength(toNull);
      for (const [to, times] of open) expect(replies.filter((sent) => sent.id === to)).toHaveLength(times);
      expect(talk.faults.every((fault) => (fault as Error).message === 'boom')).toBe(true);
      talk.connection.close();
    }),
    { numRuns: CONVERSATIONS, seed: 2 },
  );
  expect(count).toBeGreaterThanOrEqual(100_000);
});

const header = fc.record(
  {
    blob: fc.oneof(
      { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 3 }) },
      fc.constantFrom('', null, 7),
    ),
    encoding: fc.constantFrom('raw', 'png', 'jpeg', 'gif', null),
    width: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(1, 2) },
      fc.constantFrom(0, 1.5, -1, 2 ** 31, '2'),
    ),
    height: fc.constantFrom(1, 2, null),
    channels: fc.constantFrom(1, 3, 4, 5),
  },
  { requiredKeys: ['blob', 'encoding'] },
);
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .tuple(
      header,
      fc.uint8Array({ maxLength: 16 }),
      fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -5, max: 5 })),
    )
    .map(([value, bytes, lie]) => {
      const text = new TextEncoder().encode(JSON.stringify(value));
      const whole = new Uint8Array(4 + text.length + bytes.length);
      new DataView(whole.buffer).setUint32(0, Math.max(0, text.length + lie), true);
      whole.set(text, 4);
      whole.set(bytes, 4 + text.length);
      return whole;
    }),
);

test('any binary frame is read as what it says, or refused as InvalidParams', () => {
  let read = 0;
  fc.assert(
    fc.property(frame, (bytes) => {
      try {
        const blob = readBlobFrame(bytes);
        read++;
        expect(readBlobFrame(writeBlobFrame(blob))).toEqual(blob);
        if (blob.encoding === 'raw')
          expect(blob.bytes.byteLength).toBe(blob.width * blob.height * blob.channels);
      } catch (error) {
        if (!isBridgeError(error)) throw error;
        expect(error.errorName).toBe('InvalidParams');
      }
    }),
    { numRuns: FRAMES, seed: 2 },
  );
  expect(read).toBeGreaterThan(100);
});
