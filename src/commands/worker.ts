import { hostname } from 'node:os';
import { isBridgeError } from '../errors';
import { readPathMap } from '../services/batch/cluster/pathMap';
import { queueAddress } from '../services/batch/cluster/redisLink';
import { startWorker } from '../workerComposition';
import { EXIT, UsageError, openSlideSearch, readOptions, setting, type Command } from './command';
import { ABOVE_ZERO, COUNT, readNumber, readOptionalNumber, wholeBetween } from './optionValues';

const OPTIONS = {
  queue: { type: 'string' },
  root: { type: 'string', multiple: true },
  map: { type: 'string', multiple: true },
  device: { type: 'string' },
  model: { type: 'string' },
  threads: { type: 'string' },
  units: { type: 'string' },
  openslide: { type: 'string' },
  'lost-after': { type: 'string' },
  grace: { type: 'string' },
} as const;

/** `sampo worker` */
export const worker: Command = {
  name: 'worker',
  options: OPTIONS,
  help: `usage: sampo worker --queue redis://HOST:PORT [--root DIR]... [--map FROM=TO]... [options]

Searches parts of images for a server that was started with the same --queue (sampo serve, or sampo batch), until it is
stopped. Slides and results lie on storage that both see. It needs no state folder, and any number may run, on any number of
machines; all must have the server's version and model: one that has not says so and takes nothing. See docs/cluster.md

  --queue URL    Redis or Valkey: redis://HOST:PORT, or rediss://USER:PASSWORD@HOST:PORT with TLS; also SAMPO_QUEUE, which
                 other users of the machine cannot read
  --root DIR     folder whose images may be read and where results may be written; may be given several times
                 (default: the folders that --map leads to)
  --map FROM=TO  the server's folder FROM is TO here, for example /data=Z:\\data; may be given several times
  --device NAME  auto (default), cpu, webgpu, cuda, dml or coreml; also SAMPO_DEVICE
  --model NAME   sampo-tiny (default) or sampo-tiny-int8, as the server's; also SAMPO_MODEL
  --threads N    threads of the engine (default: the number of cores)
  --units N      parts of images at a time (default 2: while one waits for its last tiles, the other keeps the engine busy)
  --openslide FILE
                 library of OpenSlide 4.0.1 or newer (or its folder); also SAMPO_OPENSLIDE
  --lost-after SECONDS
                 a worker that is silent for so long is taken for lost, and its parts go to others (default 30)
  --grace SECONDS
                 how long parts under way may go on when the worker is asked to stop; then they are given back (default 60)

Ctrl-C or SIGTERM: takes nothing more, finishes or gives back what is under way, and ends.

exit codes: 0 stopped in good order, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    if (positionals.length > 0)
      throw new UsageError(`worker takes no argument "${positionals[0]}"; did you mean --root?`);
    const queue = values.queue ?? setting(around, 'SAMPO_QUEUE');
    if (queue === undefined) throw new UsageError('worker needs a --queue');
    const maps = (values.map ?? []).map((text) => wellFormed(() => readPathMap(text)));
    wellFormed(() => queueAddress(queue));
    const roots = values.root ?? maps.map(({ to }) => to);
    if (roots.length === 0)
      throw new UsageError('worker needs a --root, or a --map, to know what it may read');
    const log = (line: string): void => around.err(`${line}\n`);
    const running = await startWorker({
      queue,
      device: values.device ?? setting(around, 'SAMPO_DEVICE'),
      model: values.model ?? setting(around, 'SAMPO_MODEL'),
      roots,
      maps,
      openSlide: openSlideSearch(values.openslide, around),
      threads: readOptionalNumber('--threads', values.threads, COUNT),
      units: readNumber('--units', values.units ?? '2', wholeBetween(1, 64)),
      lostAfterMs: 1000 * readNumber('--lost-after', values['lost-after'] ?? '30', ABOVE_ZERO),
      graceMs: 1000 * readNumber('--grace', values.grace ?? '60', ABOVE_ZERO),
      log,
    });
    around.out(
      `worker ${process.pid} on ${hostname()} takes parts of images from ${running.address} with ${running.modelId}\n`,
    );
    await new Promise<void>((resolve) => {
      if (around.signal.aborted) resolve();
      around.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    log('stopping: takes nothing more');
    await running.close();
    return EXIT.ok;
  },
};

/** What is malformed on the command line is wrong use. @throws UsageError */
function wellFormed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isBridgeError(error) ? new UsageError(error.message) : error;
  }
}
