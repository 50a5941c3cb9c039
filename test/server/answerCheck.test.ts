import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../../src/composition';
import { RpcClient } from '../../src/commands/rpcClient';
import { AnswerCheck } from '../../src/server/answerCheck';
import { CONTRACT } from '../protocol/conversation';
import { TEST_DEVICE } from '../support/testDevice';
import { RawClient, serveStubs } from './hosting';

const folder = mkdtempSync(join(tmpdir(), 'sampo-checked-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (id: unknown, method: string) => JSON.stringify({ jsonrpc: '2.0', id, method, params: {} });
const say = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message });

test.each<[string, string | undefined, object, RegExp | undefined]>([
  ['a result that fits', ask(1, 'intent/list'), { id: 1, result: { intents: [] } }, undefined],
  [
    'a member too many',
    ask(1, 'intent/list'),
    { id: 1, result: { intents: [], more: 1 } },
    /intent\/list: \/more/,
  ],
  ['a member that is missing', ask('a', 'intent/list'), { id: 'a', result: {} }, /\/intents/],
  ['an error in place of a result', ask(1, 'intent/list'), { id: 1, error: { code: -1 } }, undefined],
  [
    'a notification that does not fit',
    undefined,
    { method: 'objects/publish', params: { imageId: 'i' } },
    /objects\/publish: \/intentId/,
  ],
  [
    'progress with an object that has no id',
    undefined,
    {
      method: '$/progress',
      params: { id: 1, value: { kind: 'report', objects: [{ type: 'Feature' }] } },
    },
    /objects\/0\/id/,
  ],
])('%s', (_, asked, sent, expected) => {
  const check = new AnswerCheck(CONTRACT);
  if (asked !== undefined) check.received(asked);
  const misfit = check.misfit(say(sent));
  if (expected === undefined) expect(misfit).toBeUndefined();
  else expect(misfit).toMatch(expected);
});

test('a server that would break its contract ends the connection and says why', async () => {
  const { transport, url, log } = await serveStubs(
    { 'intent/list': async () => ({ intents: [{ name: 'half an intent' }] }) as never },
    {},
    { checksAnswers: true },
  );
  const client = await RawClient.enter(url);
  client.say({ id: 1, method: 'intent/list', params: {} });
  client.say({
    id: 'hello',
    method: 'initialize',
    params: { protocolVersion: '1.0', client: { name: 'test' } },
  });
  expect(await client.closed).toBe(1011);
  expect(log.join('\n')).toMatch(/breaks its contract: result of initialize/);
  await transport.close();
});

test('the trace holds what both sides said, cut where it is long, and nobody else may read it', async () => {
  const path = join(folder, 'trace.jsonl');
  const server = await startServer({
    stateFolder: join(folder, 'state'),
    device: TEST_DEVICE,
    traceFile: path,
  });
  const client = await RpcClient.connect(server);
  await client.request('rpc.discover', {});
  await client.close();
  await server.close();
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as {
          client: number;
          direction: string;
          message: { method?: string; result?: { methods: unknown[] } };
        },
    );
  expect(lines.map(({ direction, message }) => [direction, message.method])).toEqual([
    ['from client', 'initialize'],
    ['to client', undefined],
    ['from client', 'initialized'],
    ['from client', 'rpc.discover'],
    ['to client', undefined],
  ]);
  expect(new Set(lines.map((line) => line.client))).toEqual(new Set([1]));
  expect(lines[4]!.message.result!.methods).toHaveLength(21);
  expect(lines[4]!.message.result!.methods[20]).toMatch(/more\)$/);
  expect(readFileSync(path, 'utf8')).not.toContain(server.token);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a trace that cannot be written is refused before the server starts', async () => {
  await expect(
    startServer({
      stateFolder: join(folder, 'other'),
      device: TEST_DEVICE,
      traceFile: join(folder, 'no', 'where'),
    }),
  ).rejects.toMatchObject({
    errorName: 'FileNotFound',
    message: expect.stringContaining('the trace cannot be written') as string,
  });
});
