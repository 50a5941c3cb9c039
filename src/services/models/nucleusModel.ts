import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, JobOptions } from '../../engine/engine';
import { BridgeError } from '../../errors';
import type { Tile } from '../../segmentation/coordinates';
import type { Embedding } from '../../segmentation/embeddingFeatures';
import { DEFAULT_INSTANCE_OPTIONS, type InstanceOptions } from '../../segmentation/instances';
import { normalizeRgb, padTile, type RgbImage } from '../../segmentation/preprocess';
import { buildPromptFeeds, type PromptLimits, type PromptSet } from '../../segmentation/prompts';
import { sha256 } from '../../store/files';
import type { Tensor } from '../../tensor';
import { ResidentEmbeddings } from './residentEmbeddings';
import { readManifest, type ManifestFile, type ModelManifest } from './modelManifest';
import type { DecodedMasks, DecodeOptions, EncodedTile, PromptableModel } from './promptableModel';

/** Levels of 0..255 between which a tile counts as one colour. */
const PLAIN_SPREAD = 4;
/** Logit of a nucleus where there is none for sure. */
const NO_NUCLEUS = -20;

const ENCODER_OUTPUTS = ['image_embeddings', 'nucleus_logits', 'distance_map'] as const;

/** The promptable nucleus model of a folder, loaded into the engine when it is first needed. */
export class NucleusModel implements PromptableModel {
  readonly refinable = true;
  readonly manifest: ModelManifest;
  /** Name, version and encoder: two models of one id give the same embeddings. */
  readonly id: string;
  /** Engine id of the decoder as it came; refinements start from it. */
  readonly decoder: string;
  readonly instances: InstanceOptions;
  readonly promptLimits: PromptLimits;
  readonly #encoder: string;
  readonly #residents: ResidentEmbeddings;
  #loading: Promise<void> | undefined;

  /** @param folder holds `model.json` @throws BridgeError `ModelInvalid` */
  constructor(
    private readonly engine: Engine,
    readonly folder: string,
  ) {
    const manifest = readManifest(folder);
    this.manifest = manifest;
    this.id = `${manifest.name}@${manifest.version}+${manifest.files.encoder.sha256.slice(0, 12)}`;
    this.#encoder = `${manifest.name}/encoder`;
    this.decoder = `${manifest.name}/decoder`;
    this.#residents = new ResidentEmbeddings(engine, `${manifest.name}/embedding`);
    const { nucleusThreshold, markerThreshold, markerDynamics, minMarkerAreaPixels, minAreaPixels } = {
      ...DEFAULT_INSTANCE_OPTIONS,
      ...manifest.postprocess,
    };
    this.instances = {
      nucleusThreshold,
      markerThreshold,
      markerDynamics,
      minMarkerAreaPixels,
      minAreaPixels,
    };
    const { points, exemplars, intentTokens } = manifest.limits;
    this.promptLimits = { points, exemplars, intentTokens, channels: manifest.embedding.channels };
  }

  /** Loads both graphs, checked against the manifest. @throws BridgeError `FileNotFound`, `FileDamaged`, `ModelInvalid`, `EngineCrashed` */
  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined; // the next request tries again
      throw error;
    });
    return this.#loading;
  }

  /**
   * Loads both graphs and runs them once on white, behind all other work: the first click then pays for neither.
   * @throws BridgeError as `load` and `Engine.run`
   */
  async warm(): Promise<void> {
    await this.load();
    const { tileSize, normalization, embedding } = this.manifest;
    const white = padTile({ width: 1, height: 1, data: new Uint8Array(3).fill(255) }, tileSize, 'white');
    const { image_embeddings } = await this.engine.run(
      this.#encoder,
      { image: normalizeRgb(white, normalization) },
      { priority: 'batch', fetch: ENCODER_OUTPUTS },
    );
    const tile = { key: '', column: 0, row: 0, x: 0, y: 0, width: tileSize, height: tileSize };
    const point = { x: 0, y: 0, label: 1 as const, feature: new Float32Array(embedding.channels) };
    const prompts = buildPromptFeeds(tile, { points: [point] }, this.promptLimits);
    await this.engine.run(
      this.decoder,
      { image_embeddings: image_embeddings!, ...prompts },
      { priority: 'batch' },
    );
  }

  /** Bytes of one of the model's graphs, checked. @throws BridgeError `FileNotFound`, `FileDamaged` */
  async read(part: 'encoder' | 'decoder'): Promise<Uint8Array> {
    const file: ManifestFile = this.manifest.files[part];
    const path = join(this.folder, file.path);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw new BridgeError('FileNotFound', `the model file ${path} cannot be read: ${String(error)}`, {
        path,
      });
    });
    const actual = sha256(bytes);
    if (actual !== file.sha256)
      throw new BridgeError('FileDamaged', `the model file ${path} does not match its manifest`, {
        path,
        expected: file.sha256,
        actual,
        hint: 'install the package again',
      });
    return bytes;
  }

  /** Encodes a tile of RGB pixels; a smaller one is padded with white. One of a single colour has no nuclei. @throws BridgeError as `Engine.run` and `load` */
  async encode(tile: RgbImage, options: JobOptions = {}): Promise<EncodedTile> {
    await this.load();
    const { tileSize, normalization, embedding } = this.manifest;
    const image = normalizeRgb(padTile(tile, tileSize, 'white'), normalization);
    const name = this.#residents.nextName();
    const outputs = await this.engine
      .run(this.#encoder, { image }, { ...options, fetch: ENCODER_OUTPUTS, keep: { image_embeddings: name } })
      .catch((error: unknown) => {
        this.#residents.drop(name);
        throw error;
      });
    if (isPlain(tile)) {
      // What the network makes of black or coloured emptiness is noise: it has seen none.
      floats(outputs, 'nucleus_logits').fill(NO_NUCLEUS);
      floats(outputs, 'distance_map').fill(0);
    }
    const encoded = {
      data: floats(outputs, 'image_embeddings'),
      channels: embedding.channels,
      side: tileSize / embedding.stride,
      stride: embedding.stride,
    };
    this.#residents.hold(encoded, name);
    return {
      embedding: encoded,
      nucleusLogits: floats(outputs, 'nucleus_logits'),
      distanceMap: floats(outputs, 'distance_map'),
    };
  }

  predictMasks(
    tile: Tile,
    { embedding }: EncodedTile,
    prompts: PromptSet,
    options: DecodeOptions = {},
  ): Promise<DecodedMasks> {
    return this.decode(embedding, buildPromptFeeds(tile, prompts, this.promptLimits), options);
  }

  /** Decodes a tile. @param prompts `buildPromptFeeds` @throws BridgeError as `Engine.run` and `load` */
  async decode(
    embedding: Embedding,
    prompts: Readonly<Record<string, Tensor>>,
    { decoder = this.decoder, ...options }: DecodeOptions = {},
  ): Promise<DecodedMasks> {
    await this.load();
    const outputs = await this.#residents.run(decoder, 'image_embeddings', embedding, prompts, options);
    return {
      masks: floats(outputs, 'masks'),
      scores: floats(outputs, 'iou_predictions'),
      side: this.manifest.tileSize / this.manifest.limits.maskStride,
    };
  }

  async #load(): Promise<void> {
    const [encoder, decoder] = await Promise.all([this.read('encoder'), this.read('decoder')]);
    await this.engine.load(this.#encoder, { model: encoder });
    await this.engine.load(this.decoder, { model: decoder });
  }
}

/** Whether no channel varies by more than a few levels, as compression may add. */
function isPlain({ data }: RgbImage): boolean {
  for (let channel = 0; channel < 3; channel++) {
    let [least, most] = [255, 0];
    for (let i = channel; i < data.length; i += 3) {
      const value = data[i]!;
      if (value < least) least = value;
      if (value > most) most = value;
      if (most - least > PLAIN_SPREAD) return false;
    }
  }
  return true;
}

function floats(outputs: Record<string, Tensor>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array))
    throw new BridgeError('ModelInvalid', `the model has no float32 output ${name}`, { reason: name });
  return data;
}
