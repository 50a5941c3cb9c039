import { BridgeError, isBridgeError } from '../../../errors';
import type { Log } from '../../../log';
import { EmbeddingCache } from '../../embeddings/embeddingCache';
import { resolveImagePath, resolveOutputFolder } from '../../images/imagePaths';
import type { ImageRegistry } from '../../images/images';
import type { Checkpoints } from '../../intents/checkpoints';
import type { NucleusModel } from '../../models/nucleusModel';
import { Search } from '../../search/search';
import type { SearchIntent } from '../../search/searchRequest';
import { searchImage, type SearchImage } from '../../search/tilePixels';
import { loadPinnedIntent } from '../pinnedIntents';
import { searchUnit, unitPath, writeUnit } from '../unitSearch';
import { LastUsed } from './lastUsed';
import { mapPath, type PathMap } from './pathMap';
import type { UnitAnswer, UnitTask } from './unitTask';
import { Unreachable } from './workerLoop';

/** Images kept open, and jobs whose intents are kept loaded, beside those in use. */
const MOST_KEPT = 4;
/** For the tiles that neighbouring units share. */
const CACHE_BYTES = 64 << 20;
/** Faults that another machine may not have. */
const ELSEWHERE_PERHAPS = new Set(['PathNotAllowed', 'FileNotFound', 'UnsupportedImage', 'StoreReadOnly']);
const SESSION = 'worker';

export interface TaskSearchParts {
  readonly model: NucleusModel;
  readonly images: ImageRegistry;
  readonly checkpoints: Pick<Checkpoints, 'loadDecoder'>;
  /** Folders that may be read and written, as this machine spells them. */
  readonly roots: readonly string[];
  readonly maps: readonly PathMap[];
  readonly log: Log;
}

/** Searches units as they come from the queue: opens their images here, and writes their files where the server sees them. */
export class TaskSearch {
  readonly #search: Search;
  readonly #cache = new EmbeddingCache({ memoryBytes: CACHE_BYTES });
  readonly #images: LastUsed<SearchImage>;
  readonly #intents = new LastUsed<readonly SearchIntent[]>(MOST_KEPT);

  constructor(private readonly parts: TaskSearchParts) {
    this.#search = new Search(parts.model, this.#cache);
    this.#images = new LastUsed(MOST_KEPT, ({ imageId }) => parts.images.close(SESSION, imageId));
  }

  /** @throws BridgeError what searching met; `Unreachable` when the image or the folder cannot be reached from here */
  async run(task: UnitTask, signal: AbortSignal): Promise<UnitAnswer> {
    const start = performance.now();
    const folder = await reaching(() => this.#folder(task.sharedFolder));
    const { path, contentKey, stains } = task.image;
    const imageKey = JSON.stringify([path, contentKey, stains, task.pixelSizeMicrons]);
    const openImage = () => reaching(() => this.#open(task));
    const loadIntents = () =>
      reaching(() =>
        Promise.all(
          task.intents.map((pinned, position) => loadPinnedIntent(folder, position, pinned, this.parts)),
        ),
      );
    return this.#images.use(imageKey, openImage, (image) =>
      this.#intents.use(JSON.stringify([folder, task.intents]), loadIntents, async (intents) => {
        const { filters, within, pixelSizeMicrons, position, unit } = task;
        const asked = { search: this.#search, image, intents, filters, within, pixelSizeMicrons, signal };
        const features = await searchUnit(asked, unit);
        const sha256 = await writeUnit(unitPath(folder, position, unit.index), features, 'shared');
        return { objects: features.length, seconds: (performance.now() - start) / 1000, sha256 };
      }),
    );
  }

  async close(): Promise<void> {
    this.parts.images.closeSession(SESSION);
    await this.#cache.close();
  }

  /** Where the job's files lie for this machine. @throws BridgeError `PathNotAllowed`, `FileNotFound` */
  async #folder(path: string): Promise<string> {
    const here = mapPath(path, this.parts.maps);
    const folder = await resolveOutputFolder(here, this.parts.roots);
    // Made by the server: a folder that is not there is another one than the server's, or a share that is not mounted.
    return resolveImagePath(folder, this.parts.roots, 'folder');
  }

  /** @throws BridgeError as `ImageRegistry.open`; `ImageChanged` when it is not the server's picture */
  async #open({ image: { path, contentKey, stains }, pixelSizeMicrons }: UnitTask): Promise<SearchImage> {
    const { images, maps, log } = this.parts;
    const here = mapPath(path, maps);
    const opened = await images.open(SESSION, { uri: here, source: 'file', stains, pixelSizeMicrons });
    if (opened.contentKey !== contentKey) {
      images.close(SESSION, opened.imageId);
      throw new BridgeError('ImageChanged', `${here} is not the picture that the server has as ${path}`, {
        path: here,
        hint: 'check --map: it may lead to another copy',
      });
    }
    log(`searches ${here}`);
    // Ids of objects and the places of stored examples hang on the path as the server has it.
    return { ...searchImage(images, opened.imageId), uri: path };
  }
}

/** @throws `Unreachable` in place of what another machine may not meet */
async function reaching<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBridgeError(error) && ELSEWHERE_PERHAPS.has(error.errorName))
      throw new Unreachable({ name: error.errorName, message: error.message });
    throw error;
  }
}
