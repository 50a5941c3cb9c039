import { startServer } from '../composition';
import {
  EXIT,
  UsageError,
  openSlideSearch,
  readOptions,
  setting,
  stateFolder,
  type Command,
} from './command';
import { readOptionalNumber, wholeBetween } from './optionValues';

const OPTIONS = {
  port: { type: 'string' },
  state: { type: 'string' },
  device: { type: 'string' },
  model: { type: 'string' },
  root: { type: 'string', multiple: true },
  openslide: { type: 'string' },
  queue: { type: 'string' },
  trace: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** `sampo serve` */
export const serve: Command = {
  name: 'serve',
  options: OPTIONS,
  help: `usage: sampo serve [--port N] [--state DIR] [--device NAME] [--model NAME] [--root DIR]...
                    [--openslide FILE] [--queue URL] [--trace FILE] [--json]

Starts the local server that viewers and scripts talk to. It listens on 127.0.0.1 only and writes a
connection file (readable by you alone) by which QuPath, napari and the other commands find it.

  --port N      port to listen on; a free one when left out
  --state DIR   where intents, judgements and the connection file live
                (default: the system's place for state, or SAMPO_STATE)
  --device NAME auto (default), cpu, webgpu, cuda, dml or coreml; also SAMPO_DEVICE
  --model NAME  sampo-tiny (default), or sampo-tiny-int8: half the time per tile on a CPU; also SAMPO_MODEL
  --root DIR    folder whose images the server may open by path; may be given several times
  --openslide FILE
                library of OpenSlide 4.0.1 or newer (or its folder), for slides of scanners; found by itself
                where the system, Conda or pip (openslide-bin) has it; also SAMPO_OPENSLIDE
  --queue URL   Redis or Valkey (redis://HOST:PORT, rediss://USER:PASSWORD@HOST:PORT with TLS): batches are searched
                by the workers there (sampo worker), not here; also SAMPO_QUEUE
  --trace FILE  write down all that is said, one JSON object per line, for those who write clients; long texts
                and lists are cut
  --json        print one line of JSON when ready: { url, pid, connectionFile }

exit codes: 0 stopped in good order, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    if (positionals.length > 0)
      throw new UsageError(`serve takes no argument "${positionals[0]}"; did you mean --root?`);
    const port = readOptionalNumber('--port', values.port, wholeBetween(0, 65_535)) ?? 0;
    const device = values.device ?? setting(around, 'SAMPO_DEVICE');
    const model = values.model ?? setting(around, 'SAMPO_MODEL');
    const stopped = new AbortController();
    const server = await startServer({
      port,
      stateFolder: stateFolder(values.state, around),
      device,
      model,
      roots: values.root ?? [],
      openSlide: openSlideSearch(values.openslide, around),
      queue: values.queue ?? setting(around, 'SAMPO_QUEUE'),
      traceFile: values.trace,
      warm: true,
      continueBatches: true,
      log: (line) => around.err(`${line}\n`),
      onStop: () => stopped.abort(),
    });
    if (values.json)
      around.out(
        `${JSON.stringify({ url: server.url, pid: process.pid, connectionFile: server.connectionFile })}\n`,
      );
    else
      around.out(
        `SAMPO listens at ${server.url}\nconnection file: ${server.connectionFile}\nstop it with Ctrl-C or: sampo stop\n`,
      );
    await new Promise<void>((resolve) => {
      for (const signal of [around.signal, stopped.signal]) {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      }
    });
    await server.close();
    return EXIT.ok;
  },
};
