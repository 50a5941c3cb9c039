import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { bundledFolder } from './bundledModels';
import { createEngineClient } from './engine/engineClient';
import type { Engine } from './engine/engine';
import { BridgeError, isBridgeError } from './errors';
import { SILENT, type Log } from './log';
import { PACKAGE_ROOT, packageVersion, readPackageJson } from './packageFiles';
import type { Limits, RpcDiscoverResult } from './protocol/types.gen';
import { Contract } from './protocol/validation';
import { PROTOCOL_VERSION } from './protocol/version';
import {
  connectionFilePath,
  readConnectionFile,
  removeConnectionFile,
  writeConnectionFile,
} from './server/connectionFile';
import { handlerTable } from './server/handlers/table';
import { Host } from './server/host';
import { DEFAULT_LIMITS } from './server/limits';
import type { EngineReport, Services } from './server/services';
import { Sessions } from './server/sessions';
import { Trace } from './server/trace';
import { WebSocketTransport } from './server/webSocketTransport';
import { Batch } from './services/batch/batch';
import type { UnitQueue, UnitQueueOptions } from './services/batch/cluster/unitQueue';
import { workKindOf } from './services/batch/cluster/workKind';
import { JobStore } from './services/batch/jobStore';
import { openForBatch } from './services/batch/openImage';
import { EmbeddingCache } from './services/embeddings/embeddingCache';
import { Graphs } from './services/models/graphs';
import { encodePng } from './services/images/imageDecoder';
import { imageFormats } from './services/images/imageFormats';
import { resolveImagePath, resolveOutputFolder } from './services/images/imagePaths';
import { ImageRecords } from './services/images/imageRecords';
import { ImageRegistry } from './services/images/images';
import type { LibrarySearch } from './services/images/openSlide/librarySearch';
import { OpenSlide } from './services/images/openSlide/openSlide';
import { OmeZarr } from './services/images/zarr/omeZarr';
import { checkModelFiles, readManifest } from './services/models/modelManifest';
import { Models } from './services/models/models';
import { NucleusModel } from './services/models/nucleusModel';
import { searchImage } from './services/search/tilePixels';
import { assembleProduct } from './services/verbs/product';
import { openStore, type Store } from './store/store';

export interface ServerOptions {
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly stateFolder: string;
  readonly device?: string | undefined;
  /** Folder under `models/` of the package; sampo-tiny when absent. */
  readonly model?: string | undefined;
  /** Folders whose files may be read by path. */
  readonly roots?: readonly string[];
  /** Where OpenSlide is looked for; only where the system has it when left out. */
  readonly openSlide?: LibrarySearch;
  readonly limits?: Partial<Limits>;
  /** How long a viewer may take to send pixels, ms; 30 s when left out. */
  readonly viewerTimeoutMs?: number;
  /** File for a trace of the traffic. */
  readonly traceFile?: string | undefined;
  /** Loads the bundled model at once, not at the first click. */
  readonly warm?: boolean;
  /** Redis or Valkey through which batches are searched by workers of other machines; in this process when absent. */
  readonly queue?: string | undefined;
  /** Side of a unit of a batch, px at the model's scale; for tests. */
  readonly batchUnitSide?: number | undefined;
  /** Goes on with the batch jobs that an earlier server left. */
  readonly continueBatches?: boolean;
  readonly log?: Log | undefined;
  /** Called when a client asked the server to stop. */
  readonly onStop?: () => void;
}

/** A running server. */
export interface RunningServer {
  readonly url: string;
  readonly token: string;
  readonly connectionFile: string;
  close(): Promise<void>;
}

/** Builds every part of the server, in order, and takes them down in the reverse order. @throws BridgeError */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const log = options.log ?? SILENT;
  const folder = bundledFolder(options.model);
  checkModelFiles(folder, readManifest(folder));
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const connectionFile = connectionFilePath(options.stateFolder);
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer();
  };
  try {
    const store = ownStore(options.stateFolder, connectionFile);
    closers.push(() => store.close());
    for (const kept of store.putAside) log(`a damaged state file was put aside: ${kept}`);
    const engine = await createEngineClient({ device: options.device, log });
    closers.push(() => engine.close());

    const roots = options.roots ?? [];
    const viewerTimeoutMs = options.viewerTimeoutMs ?? 30_000;
    const searched = options.openSlide ?? { platform: process.platform, env: {}, home: homedir() };
    const openSlide = new OpenSlide({ ...searched, log });
    closers.push(() => openSlide.close());
    const omeZarr = new OmeZarr({ log });
    closers.push(() => omeZarr.close());
    const images = new ImageRegistry({
      roots,
      formats: imageFormats({ openSlide, omeZarr }),
      imagePixels: limits.imagePixels,
      regionPixels: limits.regionPixels,
      viewerTimeout: viewerTimeoutMs,
      records: new ImageRecords(store.database),
    });

    const model = new NucleusModel(engine, folder);
    const models = new Models({
      engine,
      bundled: model,
      folder: join(options.stateFolder, 'models'),
      sources: [join(PACKAGE_ROOT, 'models', 'sources.json')],
      log,
    });
    const cache = new EmbeddingCache({ folder: join(options.stateFolder, 'embeddings'), log });
    closers.push(() => cache.close());
    const sessions = new Sessions();
    const version = packageVersion();
    const product = assembleProduct({
      engine,
      model,
      cache,
      database: store.database,
      stateFolder: options.stateFolder,
      version,
      prompts: limits.promptsPerRequest,
      image: (imageId) => searchImage(images, imageId),
      openImage: (uri) => {
        const open = images.list().find((image) => image.uri === uri);
        return open && searchImage(images, open.imageId);
      },
      publish: (sessionId, changes) => sessions.notify(sessionId, 'objects/publish', changes),
      log,
    });

    const trace = options.traceFile === undefined ? undefined : new Trace(options.traceFile);
    closers.push(() => trace?.close());
    const queue =
      options.queue === undefined
        ? undefined
        : unitQueue({ url: options.queue, kind: workKindOf(model, version), log });
    closers.push(() => queue?.close());
    const batch = new Batch({
      queue,
      unitSide: options.batchUnitSide,
      jobs: new JobStore(store.database),
      folder: join(options.stateFolder, 'batch'),
      model,
      checkpoints: product.checkpoints,
      intents: product.intents,
      exportIntent: (intentId) => product.intentTransfer.export(intentId),
      open: (jobId, image) => openForBatch(images, jobId, image),
      encodePng,
      version,
      log,
    });
    closers.push(() => batch.close());
    if (options.continueBatches === true) batch.goOn();

    const token = randomBytes(32).toString('base64url');
    const services: Services = {
      ...product,
      batch,
      queue,
      sessions,
      graphs: new Graphs(engine),
      images,
      models,
      limits,
      version,
      openrpc: readPackageJson('openrpc.json') as RpcDiscoverResult,
      roots,
      startedAt: Date.now(),
      viewerTimeoutMs,
      encodePng,
      allowedPath: (path) => resolveImagePath(path, roots),
      allowedFolder: (path) => resolveImagePath(path, roots, 'folder'),
      allowedOutput: (path) => resolveOutputFolder(path, roots),
      engineReport: () => engineReport(engine),
      stop: () => options.onStop?.(),
    };
    const host = new Host({
      contract: new Contract(join(PACKAGE_ROOT, 'schemas')),
      handlers: handlerTable(services),
      sessions,
      limits,
      log,
      trace,
      // Set by the tests, for servers in processes of their own too.
      checksAnswers: process.env['SAMPO_CHECK_ANSWERS'] === '1',
      onGone: ({ id }) => {
        images.closeSession(id);
        product.results.closeSession(id);
      },
    });
    const transport = await WebSocketTransport.listen({
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      token,
      messageBytes: limits.messageBytes,
      clients: limits.clients,
      messagesPerSecond: limits.messagesPerSecond,
      onPeer: (peer) => host.welcome(peer),
    });
    closers.push(() => transport.close());
    writeConnectionFile(connectionFile, {
      url: transport.url,
      token,
      pid: process.pid,
      protocolVersion: PROTOCOL_VERSION,
    });
    closers.push(() => removeConnectionFile(connectionFile, process.pid));
    if (options.warm === true)
      void model.warm().catch((error: unknown) => {
        // The first click will say what is wrong; a server that closes meanwhile has nothing to say.
        if (!isBridgeError(error) || error.errorName !== 'ShuttingDown')
          log(`the model could not be loaded in advance: ${String(error)}`);
      });
    return { url: transport.url, token, connectionFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The store's lock alone decides whether another server runs: it goes with its process, whereas the process id in a stale
 * connection file may long belong to someone else. @throws BridgeError AlreadyRunning, and what openStore throws
 */
function ownStore(folder: string, connectionFile: string): Store {
  try {
    return openStore(folder);
  } catch (error) {
    const running = readConnectionFile(connectionFile);
    if (!isBridgeError(error) || error.errorName !== 'StoreLocked' || !running) throw error;
    const { url, pid } = running;
    throw new BridgeError('AlreadyRunning', `a server already runs: ${url}, process ${pid}`, { url, pid });
  }
}

/** BullMQ and its Redis client are loaded only by a server that has a queue: `require` works built and from the sources. */
function unitQueue(options: UnitQueueOptions): UnitQueue {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { UnitQueue } = require('./services/batch/cluster/unitQueue') as {
    UnitQueue: new (options: UnitQueueOptions) => UnitQueue;
  };
  return new UnitQueue(options);
}

async function engineReport(engine: Engine): ReturnType<Services['engineReport']> {
  const { pid, restarts, rssBytes, residentBytes, models, queue, device } = await engine.status();
  const report: EngineReport = {
    pid: pid ?? null,
    restarts,
    rssBytes,
    residentBytes,
    models: [...models],
    queue,
  };
  return {
    engine: report,
    device: {
      requested: device.requested,
      used: device.used,
      tried: device.tried.map((row) => ({ ...row })),
    },
  };
}
