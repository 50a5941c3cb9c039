import { corpus, wanted } from '../corpus/read';
import { RawClient, serveStubs } from './hosting';

let server: Awaited<ReturnType<typeof serveStubs>>;
let bystander: RawClient;
beforeAll(async () => {
  server = await serveStubs();
  bystander = await (await RawClient.enter(server.url)).initialize();
});
afterAll(async () => {
  bystander.socket.terminate();
  await server.transport.close();
  expect(server.log).toEqual([]);
});

test.each([...corpus('accept'), ...corpus('reject')])('%s', async (_, row) => {
  const client = await RawClient.enter(server.url);
  if (row.state !== 'new') await client.initialize();
  if (row.state === 'shutdown') {
    client.say({ id: 'bye', method: 'shutdown' });
    await client.answer('bye');
  }
  client.heard.length = 0;
  client.socket.send(row.base64 === undefined ? (row.send ?? '') : Buffer.from(row.base64, 'base64'));
  // Messages are read in order: when this one is answered, so is the row's.
  client.say({ id: 'after', method: 'rpc.discover' });
  await client.answer('after');
  const answers = client.heard.filter(({ id }) => id !== 'after');
  if (row.expect.none) expect(answers).toEqual([]);
  else
    expect(answers.length > 0 ? answers : [await client.answer(row.expect.id ?? null)]).toMatchObject([
      wanted(row),
    ]);
  client.socket.terminate();
  bystander.heard.length = 0;
  bystander.say({ id: 1, method: 'server/status' });
  expect(await bystander.answer(1)).toHaveProperty('result');
});
