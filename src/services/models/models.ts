import { throwIfAborted } from '../../abort';
import { SILENT, type Log } from '../../log';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Engine, JobOptions } from '../../engine/engine';
import { BridgeError, isBridgeError } from '../../errors';
import { sha256OfFile, writeFileAtomic } from '../../store/files';
import { download } from './download';
import type { ModelManifest } from './modelManifest';
import { readSources, type ModelSource } from './modelSources';
import type { NucleusModel } from './nucleusModel';
import type { PromptableModel } from './promptableModel';
import { checkPair } from './samFamily/dryRun';
import { readSamManifest, type SamManifest } from './samFamily/manifest';
import { SamFamilyModel } from './samFamily/samFamilyModel';
import { refuse } from './samFamily/recognise';
import type { Warning } from '../warning';

/** A model as `model/list` tells of it. */
export interface ModelEntry {
  readonly modelId: string;
  readonly family: string;
  readonly version: string;
  readonly licence: string;
  /** Its graphs are in the engine. */
  readonly loaded: boolean;
}

/** What is known of a model besides its graphs. */
export interface ImportOptions extends JobOptions {
  /** To keep it under; the folder's own when absent. */
  readonly name?: string;
  readonly licence?: string;
}

/** How a pull is followed and ended. */
export interface PullOptions {
  readonly signal?: AbortSignal;
  readonly onBytes?: (bytes: number, total: number) => void;
}

/** A model that has been taken in. */
export interface ImportedModel {
  readonly manifest: SamManifest;
  readonly warnings: readonly Warning[];
}

/** A folder below the one that was named, where Hugging Face repositories keep their graphs. */
const ONNX_FOLDER = 'onnx';
/** A model's name is also its folder's. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const UNKNOWN_LICENCE = 'unknown';
/** Points that find like nuclei in a tile without clicks; `spacing` is the radius of a nucleus of 8 µm. Not tuned: docs/models.md. */
const AUTO_PROMPT = { positives: 16, negatives: 4, spacing: 8, similarity: 0.75 } as const;

/** The bundled model and those the user has brought; each of these is a folder with a manifest. */
export class Models {
  readonly #engine: Engine;
  readonly #nuclei: NucleusModel;
  readonly #bundled: ModelManifest;
  readonly #ready = new Map<string, SamFamilyModel>();
  readonly #folder: string;
  readonly #pulls = new Map<string, Promise<void>>();
  readonly #lists: readonly string[];
  readonly #log: Log;

  /** @param folder where manifests are kept, and the user's own `sources.json`; made when first needed @param sources lists of what can be pulled */
  constructor(parts: {
    readonly engine: Engine;
    readonly bundled: NucleusModel;
    readonly folder: string;
    readonly sources?: readonly string[];
    readonly log?: Log | undefined;
  }) {
    this.#engine = parts.engine;
    this.#nuclei = parts.bundled;
    this.#bundled = parts.bundled.manifest;
    this.#folder = parts.folder;
    this.#lists = parts.sources ?? [];
    this.#log = parts.log ?? SILENT;
  }

  /** Every model, the bundled one first. */
  async list(): Promise<ModelEntry[]> {
    const { models } = await this.#engine.status();
    const loaded = (name: string): boolean => models.includes(`${name}/encoder`);
    const { name, version, family, licence } = this.#bundled;
    const own = { modelId: name, family, version, licence, loaded: loaded(name) };
    const brought = this.#names().flatMap((folder): ModelEntry[] => {
      try {
        const manifest = readSamManifest(join(this.#folder, folder));
        return [
          {
            modelId: manifest.name,
            family: manifest.form,
            version: manifest.version,
            licence: manifest.licence,
            loaded: loaded(manifest.name),
          },
        ];
      } catch (error) {
        if (!isBridgeError(error)) throw error;
        this.#log(error.message);
        return [];
      }
    });
    return [own, ...brought];
  }

  /** The manifest of a model that was brought. @throws BridgeError `ModelNotFound`, `ModelInvalid` */
  manifest(name: string): SamManifest {
    if (!NAME.test(name) || !existsSync(this.folderOf(name)))
      throw new BridgeError('ModelNotFound', `there is no model "${name}"`, { modelId: name });
    return readSamManifest(this.folderOf(name));
  }

  /** A model to search with; the bundled one when no name is given. @throws BridgeError `ModelNotFound`, `ModelInvalid` */
  promptable(name: string = this.#bundled.name): PromptableModel {
    if (name === this.#bundled.name) return this.#nuclei;
    const known = this.#ready.get(name);
    if (known !== undefined) return known;
    const model = new SamFamilyModel(this.#engine, this.#nuclei, this.manifest(name), this.folderOf(name));
    this.#ready.set(name, model);
    return model;
  }

  /** Where a model's manifest is kept, and its files when they were pulled. */
  folderOf(name: string): string {
    return join(this.#folder, name);
  }

  /**
   * Takes in a folder with an encoder and a decoder: finds out their form, runs them once and writes the manifest. The files
   * stay where they are. A model of the same name is replaced. @param folder absolute
   * @throws BridgeError `ModelInvalid` that says what is missing, `FileNotFound`, `InvalidParams` for a name that cannot be used
   */
  async import(folder: string, options: ImportOptions = {}): Promise<ImportedModel> {
    const name = this.checkName(options.name ?? plainName(basename(resolve(folder))));
    const files = await onnxFiles(folder);
    const { priority = 'interactive', signal } = options;
    const job: JobOptions = { priority, ...(signal && { signal }) };
    const { facts, encoder, decoder } = await checkPair(
      this.#engine,
      files,
      folder,
      this.#bundled.tileSize,
      job,
    );
    const describe = async (path: string) => ({ path, ...(await hashed(path, signal)) });
    const described = { encoder: await describe(encoder), decoder: await describe(decoder) };
    const manifest: SamManifest = {
      name,
      version: described.encoder.sha256.slice(0, 8),
      family: 'sam',
      licence: options.licence ?? UNKNOWN_LICENCE,
      files: described,
      micronsPerPixel: this.#bundled.micronsPerPixel,
      ...facts,
      autoPrompt: AUTO_PROMPT,
      postprocess: { scoreThreshold: this.#bundled.postprocess.scoreThreshold },
    };
    await mkdir(this.folderOf(name), { recursive: true, mode: 0o700 });
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    await writeFileAtomic(join(this.folderOf(name), 'model.json'), Buffer.from(text));
    this.#ready.delete(name);
    for (const part of ['encoder', 'decoder']) await this.#engine.release(`${name}/${part}`);
    return { manifest, warnings: importWarnings(manifest) };
  }

  /**
   * Fetches a listed model and takes it in. @param onBytes bytes that are there of all its files
   * @throws BridgeError `ModelNotFound` that names what is listed; as `download` and `import`
   */
  async pull(name: string, { signal, onBytes = () => undefined }: PullOptions = {}): Promise<ImportedModel> {
    const sources = readSources([join(this.#folder, 'sources.json'), ...this.#lists]);
    const source = sources.find((one) => one.name === name);
    if (source === undefined)
      throw new BridgeError('ModelNotFound', `no source is listed for "${name}"`, {
        listed: sources.map((one) => one.name),
        hint: `listed are: ${sources.map((one) => one.name).join(', ') || 'none'}; or get the files yourself and use sampo models import`,
      });
    const folder = this.folderOf(this.checkName(name));
    // Two writers of one file would spoil it: the later one waits, and finds what the earlier one has fetched.
    for (let busy = this.#pulls.get(name); busy !== undefined; busy = this.#pulls.get(name))
      await busy.catch(() => undefined);
    const pulling = this.#fetch(source, folder, { onBytes, ...(signal && { signal }) });
    this.#pulls.set(name, pulling);
    try {
      await pulling;
    } finally {
      this.#pulls.delete(name);
    }
    return this.import(folder, { name, licence: source.licence, ...(signal && { signal }) });
  }

  async #fetch(
    source: ModelSource,
    folder: string,
    { signal, onBytes = () => undefined }: PullOptions,
  ): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { encoder, decoder } = source.files;
    const total = encoder.bytes + decoder.bytes;
    let before = 0;
    for (const [part, remote] of [
      ['encoder', encoder],
      ['decoder', decoder],
    ] as const) {
      await download(remote, join(folder, `${part}.onnx`), {
        ...(signal && { signal }),
        onBytes: (bytes) => onBytes(before + bytes, total),
      });
      before += remote.bytes;
    }
  }

  /** A name that a model may have. @throws BridgeError `InvalidParams` */
  checkName(name: string): string {
    if (!NAME.test(name))
      throw new BridgeError('InvalidParams', `"${name}" cannot be a model's name`, {
        hint: 'use small letters, digits, dot, dash and underscore, at most 64',
      });
    if (name === this.#bundled.name)
      throw new BridgeError('InvalidParams', `"${name}" is the bundled model's name`, {
        hint: 'give another name',
      });
    return name;
  }

  #names(): string[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(this.#folder, entry.name, 'model.json')))
      .map(({ name }) => name)
      .sort();
  }
}

/** The ONNX files of a folder, or of its `onnx` folder when it has none itself. @throws BridgeError `FileNotFound`, `ModelInvalid` */
async function onnxFiles(folder: string): Promise<{ file: string; path: string }[]> {
  for (const place of [folder, join(folder, ONNX_FOLDER)]) {
    const names = await readdir(place).catch((error: unknown) => {
      if (place !== folder) return [];
      throw new BridgeError('FileNotFound', `the folder ${folder} cannot be read: ${String(error)}`, {
        path: folder,
      });
    });
    const found = names.filter((name) => /\.onnx$/i.test(name)).sort();
    if (found.length > 0) return found.map((file) => ({ file, path: join(place, file) }));
  }
  throw refuse(`${folder} holds no ONNX file`, {
    missing: ['encoder', 'decoder'],
    hint: 'put the encoder and the decoder of the same model, as ONNX files, into one folder',
  });
}

async function hashed(path: string, signal: AbortSignal | undefined) {
  return sha256OfFile(path, signal).catch((error: unknown) => {
    throwIfAborted(signal, 'the import was cancelled');
    throw new BridgeError('FileNotFound', `${path} cannot be read: ${String(error)}`, { path });
  });
}

function importWarnings({ licence, limits, name }: SamManifest): Warning[] {
  const warnings: Warning[] = [];
  if (licence === UNKNOWN_LICENCE)
    warnings.push({
      name: 'LicenceUnknown',
      message: `the graphs of "${name}" do not say under which licence they are`,
    });
  if (limits.masks === 1)
    warnings.push({
      name: 'OneMask',
      message: `the decoder of "${name}" gives one mask per prompt: there are no candidates to choose from`,
    });
  return warnings;
}

/** A folder's name as a model's. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
}
