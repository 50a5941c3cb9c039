import { BridgeError } from '../errors';
import { processExists } from '../server/connectionFile';
import { EXIT, UsageError, readOptions, stateFolder, type Command } from './command';
import { connectRunning } from './runningServer';
import type { ClientRequests } from '../protocol/types.gen';

const OPTIONS = { state: { type: 'string' } } as const;
const STATE_HELP = "  --state DIR   state folder of the server (default: the system's place, or SAMPO_STATE)";
const EXIT_HELP = 'exit codes: 0 done, 1 the server answered with an error, 2 wrong use, 3 no server runs';

/** `sampo status` */
export const status: Command = {
  name: 'status',
  options: OPTIONS,
  help: `usage: sampo status [--state DIR]\n\nPrints the answer to server/status as JSON: device and why, memory, queue, models.\n\n${STATE_HELP}\n\n${EXIT_HELP}`,
  async run(argv, around) {
    const { values } = readOptions(argv, OPTIONS);
    const client = await connectRunning(stateFolder(values.state, around));
    around.out(`${JSON.stringify(await client.request('server/status', {}), null, 2)}\n`);
    await client.close();
    return EXIT.ok;
  },
};

/** `sampo stop` */
export const stop: Command = {
  name: 'stop',
  options: OPTIONS,
  help: `usage: sampo stop [--state DIR]\n\nAsks the server to end in good order and waits until it is gone.\n\n${STATE_HELP}\n\n${EXIT_HELP}`,
  async run(argv, around) {
    const { values } = readOptions(argv, OPTIONS);
    const client = await connectRunning(stateFolder(values.state, around));
    const { pid } = await client.request('server/status', {});
    await client.request('server/stop', {});
    for (let waited = 0; processExists(pid) && waited < 10_000; waited += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (processExists(pid))
      throw new BridgeError('InternalError', `process ${pid} is still there after 10 s`);
    around.out('stopped\n');
    return EXIT.ok;
  },
};

/** `sampo call` */
export const call: Command = {
  name: 'call',
  options: OPTIONS,
  help: `usage: sampo call METHOD [JSON] [--state DIR]

Calls a method of the running server and prints the answer as JSON. JSON is the params object, or - to read
it from standard input. Progress goes to standard error. See docs/protocol.md, or: sampo call rpc.discover

  sampo call server/status
  sampo call image/open '{"uri": "slide.tif", "source": "file"}'

${STATE_HELP}

${EXIT_HELP}`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const [method, text = '{}', ...rest] = positionals;
    if (method === undefined) throw new UsageError('call needs a method');
    if (rest.length > 0)
      throw new UsageError('call takes one method and one JSON object; put the JSON in quotes');
    let params: unknown;
    try {
      params = JSON.parse(text === '-' ? await standardInput() : text);
    } catch (error) {
      throw new UsageError(`the params are not JSON: ${(error as Error).message}`);
    }
    const client = await connectRunning(stateFolder(values.state, around));
    try {
      const options = {
        signal: around.signal,
        progress: (value: object) => around.err(`${JSON.stringify(value)}\n`),
      };
      around.out(
        `${JSON.stringify(await client.request(method as keyof ClientRequests, params as never, options))}\n`,
      );
    } finally {
      await client.close();
    }
    return EXIT.ok;
  },
};

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
