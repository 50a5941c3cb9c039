import { BridgeError } from '../../src/errors';
import { speaks } from '../../src/protocol/version';
import { corpus, wanted } from '../corpus/read';
import { Conversation, settled } from './conversation';

const rows = [...corpus('accept'), ...corpus('reject')].filter(([, { send }]) => send !== undefined);

test.each(rows)('%s', async (_, row) => {
  const talk = new Conversation({
    initialize: async ({ protocolVersion }) => {
      if (!speaks(protocolVersion)) throw new BridgeError('VersionMismatch', 'another version');
      return {} as never;
    },
    'server/status': async () => ({ pid: 1 }) as never,
    'rpc.discover': async () => ({}) as never,
  });
  if (row.state !== 'new') await talk.initialized();
  if (row.state === 'shutdown') await talk.ask({ id: 'bye', method: 'shutdown' });
  talk.sent.length = 0;
  talk.connection.receive(row.send ?? '');
  await settled();
  if (row.expect.none) expect(talk.sent).toEqual([]);
  else expect(talk.sent).toMatchObject([wanted(row)]);
  expect(talk.faults).toEqual([]);
  // Whatever came, the connection goes on.
  if (row.state === 'open' && !row.send?.includes('"shutdown"'))
    expect(await talk.ask({ id: 'after', method: 'server/status' })).toHaveProperty('result');
});
