import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Engine, Feed, JobOptions } from '../../../engine/engine';
import { BridgeError } from '../../../errors';
import type { Tile } from '../../../segmentation/coordinates';
import type { InstanceOptions } from '../../../segmentation/instances';
import type { RgbImage } from '../../../segmentation/preprocess';
import type { PromptSet } from '../../../segmentation/prompts';
import { sha256OfFile } from '../../../store/files';
import { elementCount, float32Tensor, type Tensor } from '../../../tensor';
import type { NucleusModel } from '../nucleusModel';
import type { DecodedMasks, DecodeOptions, EncodedTile, PromptableModel } from '../promptableModel';
import {
  decoderFeeds,
  imageTensor,
  readEmbeddings,
  readMasks,
  type Embeddings,
  type PromptMasks,
} from './feeds';
import { formOf, type DecoderInput } from './forms';
import { intentPrompts, uniteMasks } from './intentPrompts';
import type { SamManifest } from './manifest';
import { refuse } from './recognise';

/** Kept with each tile; a positional embedding is the same for all tiles. */
const EXTRA = ['highRes0', 'highRes1'] as const;

/**
 * An imported SAM-family model in a search. The bundled model finds the nuclei; this one's embedding tells which of them are
 * alike, and its decoder, asked about one place at a time, says where they are.
 */
export class SamFamilyModel implements PromptableModel {
  readonly id: string;
  readonly refinable = false;
  readonly instances: InstanceOptions;
  readonly #encoder: string;
  readonly #decoder: string;
  #loading: Promise<void> | undefined;
  #position: Promise<Tensor | undefined> | undefined;

  /** @param nuclei the bundled model, of the same tiles @param folder where the manifest lies */
  constructor(
    private readonly engine: Engine,
    private readonly nuclei: NucleusModel,
    readonly manifest: SamManifest,
    private readonly folder: string,
  ) {
    const { name, version, files } = manifest;
    this.id = `${name}@${version}+${files.encoder.sha256.slice(0, 12)}/${nuclei.id}`;
    this.instances = nuclei.instances;
    this.#encoder = `${name}/encoder`;
    this.#decoder = `${name}/decoder`;
  }

  async encode(tile: RgbImage, options: JobOptions = {}): Promise<EncodedTile> {
    const { nucleusLogits, distanceMap } = await this.nuclei.encode(tile, options);
    const embeddings = await this.#embed(tile, options);
    const { data } = embeddings.embedding!;
    const { channels, stride } = this.manifest.embedding;
    return {
      embedding: {
        data: data as Float32Array,
        channels,
        side: this.manifest.tileSize / stride,
        stride,
      },
      nucleusLogits,
      distanceMap,
      ...this.#keepExtra(embeddings),
    };
  }

  async predictMasks(
    tile: Tile,
    encoded: EncodedTile,
    prompts: PromptSet,
    { priority, signal }: DecodeOptions = {},
  ): Promise<DecodedMasks> {
    const job: JobOptions = { ...(priority && { priority }), ...(signal && { signal }) };
    await this.#load(job);
    const { manifest } = this;
    const { masks: count, maskStride } = manifest.limits;
    const form = formOf(manifest.form);
    const embeddings = await this.#restore(encoded, job);
    const asked = intentPrompts(tile, encoded, prompts, { ...manifest, form });
    const answers: PromptMasks[] = [];
    await this.#holding(embeddings, async (held) => {
      for (const prompt of asked) {
        const points = prompt.slice(0, manifest.limits.points);
        const feeds = { ...decoderFeeds(embeddings, points, manifest), ...held };
        const fetch = Object.values(manifest.bindings.outputs);
        answers.push(readMasks(await this.engine.run(this.#decoder, feeds, { ...job, fetch }), manifest));
      }
    });
    const side = manifest.tileSize / maskStride;
    return { ...uniteMasks(answers, count, side), side };
  }

  /** Does `work` with a tile's embeddings inside the engine: they are megabytes, and each prompt needs them. */
  async #holding(
    embeddings: Embeddings,
    work: (held: Readonly<Record<string, Feed>>) => Promise<void>,
  ): Promise<void> {
    const held: Record<string, { readonly resident: string }> = {};
    try {
      for (const [role, tensor] of Object.entries(embeddings)) {
        const resident = `${this.manifest.name}/${randomUUID()}`;
        held[this.manifest.bindings.inputs[role as DecoderInput]!] = { resident };
        await this.engine.setResident(resident, tensor);
      }
      await work(held);
    } finally {
      for (const { resident } of Object.values(held)) await this.engine.dropResident(resident);
    }
  }

  async #embed(tile: RgbImage, job: JobOptions): Promise<Embeddings> {
    await this.#load(job);
    const { bindings } = this.manifest;
    const outputs = await this.engine.run(
      this.#encoder,
      { [bindings.image]: imageTensor(tile, this.manifest) },
      { ...job, fetch: Object.values(bindings.embeddings) },
    );
    return readEmbeddings(outputs, this.manifest);
  }

  /** The high-resolution features of a tile in one array, in the order of their roles. */
  #keepExtra(embeddings: Embeddings): Pick<EncodedTile, 'extra'> {
    const parts = EXTRA.flatMap((role) => (embeddings[role]?.data as Float32Array | undefined) ?? []);
    if (parts.length === 0) return {};
    const extra = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      extra.set(part, at);
      at += part.length;
    }
    return { extra };
  }

  /** What the decoder takes of a tile, from its embedding as it is kept. */
  async #restore({ embedding, extra }: EncodedTile, job: JobOptions): Promise<Embeddings> {
    const { data, channels, side } = embedding;
    const embeddings: Partial<Record<DecoderInput, Tensor>> = {
      embedding: float32Tensor([1, channels, side, side], data),
    };
    let at = 0;
    for (const role of EXTRA) {
      const dims = this.manifest.extraShapes[role];
      if (dims === undefined) continue;
      const length = elementCount(dims);
      if (extra === undefined || extra.length < at + length)
        throw refuse(`a kept tile of ${this.id} has no ${role}`, { role });
      embeddings[role] = float32Tensor(dims, extra.subarray(at, at + length));
      at += length;
    }
    const position = await this.#place(job);
    return { ...embeddings, ...(position && { position }) };
  }

  /** The positional embedding, for forms whose encoder gives it: found once, on an empty tile. */
  #place({ priority }: JobOptions): Promise<Tensor | undefined> {
    if (this.manifest.bindings.embeddings.position === undefined) return Promise.resolve(undefined);
    const white = { width: 1, height: 1, data: new Uint8Array(3).fill(255) };
    // Other requests may wait for it: it does not end with this one.
    this.#position ??= this.#embed(white, priority ? { priority } : {})
      .then(({ position }) => position)
      .catch((error: unknown) => {
        this.#position = undefined;
        throw error;
      });
    return this.#position;
  }

  /** Loads both graphs, checked against the manifest. @throws BridgeError `FileNotFound`, `FileDamaged`, `ModelInvalid`, `EngineCrashed` */
  #load(job: JobOptions): Promise<void> {
    this.#loading ??= this.#loadBoth(job).catch((error: unknown) => {
      this.#loading = undefined; // the next request tries again
      throw error;
    });
    return this.#loading;
  }

  async #loadBoth(job: JobOptions): Promise<void> {
    const { priority } = job;
    for (const [id, part] of [
      [this.#encoder, 'encoder'],
      [this.#decoder, 'decoder'],
    ] as const)
      // By path: files of gigabytes, and weights beside the graph, are the runtime's to read.
      await this.engine.load(id, { model: await this.#checked(part) }, { ...(priority && { priority }) });
  }

  async #checked(part: 'encoder' | 'decoder'): Promise<string> {
    const { path: named, sha256 } = this.manifest.files[part];
    const path = resolve(this.folder, named);
    const found = await sha256OfFile(path).catch((error: unknown) => {
      throw new BridgeError('FileNotFound', `the model file ${path} cannot be read: ${String(error)}`, {
        path,
        hint: 'put it back, or import the model again from where it is now',
      });
    });
    if (found.sha256 !== sha256)
      throw new BridgeError('FileDamaged', `the model file ${path} is not the one that was imported`, {
        path,
        expected: sha256,
        actual: found.sha256,
        hint: 'import the model again, or put the old file back',
      });
    return path;
  }
}
