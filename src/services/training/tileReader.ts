import type { JobOptions } from '../../engine/engine';
import type { Split } from '../../sampo/holdOut';
import { relateSpaces } from '../../segmentation/coordinates';
import { clickFeature, maskFeature, sampleEmbedding } from '../../segmentation/embeddingFeatures';
import type { Outline, Point } from '../../segmentation/geometry';
import { mapOutline, outlineArea, outlineBounds } from '../../segmentation/geometry';
import { labelBounds, traceLabel } from '../../segmentation/outlines';
import { fillOutline, rasterizeOutline } from '../../segmentation/rasterize';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { StoredJudgement } from '../intents/judgements';
import type { NucleusModel } from '../models/nucleusModel';
import { EncodedImage } from '../search/encodedImage';
import type { ExampleTile } from '../search/promptEmbedding';
import type { SearchImage } from '../search/tilePixels';
import type { JudgedObject, JudgedTile, KnownClick } from './judgedTiles';
import { foundNuclei, sureBackground } from './nucleusMaps';

/** What reading judged tiles needs. */
export interface TileSource {
  readonly model: NucleusModel;
  readonly cache: EmbeddingCache;
  /** An open image by its URI. */
  readonly image: (uri: string) => SearchImage | undefined;
  readonly job: JobOptions;
}

/**
 * Encodes the tiles in which judged objects lie most centrally. Clicked nuclei that nobody judged count as judged, so that an
 * intent always has examples of what it wants. `closed` counts judgements whose image is not open.
 */
export async function readJudgedTiles(
  { train, holdOut }: Split<StoredJudgement>,
  clicks: readonly KnownClick[],
  source: TileSource,
): Promise<{ tiles: JudgedTile[]; closed: number }> {
  const reader = new TileReader(source);
  const heldOut = new Set(holdOut.map(({ judgementId }) => judgementId));
  let closed = 0;
  for (const judgement of [...train, ...holdOut]) {
    const image = source.image(judgement.imageUri);
    if (image === undefined) closed++;
    else await reader.addJudgement(image, judgement, heldOut.has(judgement.judgementId));
  }
  for (const click of clicks) {
    const image = source.image(click.imageUri);
    if (image !== undefined) await reader.addClick(image, click);
  }
  return { tiles: reader.tiles, closed };
}

/** A tile with what was said about it, and with its nuclei. */
interface OpenTile {
  readonly judged: JudgedTile;
  readonly example: ExampleTile;
}

/** Collects what is known, tile by tile. */
class TileReader {
  readonly #images = new Map<string, EncodedImage>();
  readonly #tiles = new Map<string, OpenTile>();

  constructor(private readonly source: TileSource) {}

  get tiles(): JudgedTile[] {
    return [...this.#tiles.values()]
      .map(({ judged }) => judged)
      .filter(({ objects, choices }) => objects.length > 0 || choices.length > 0);
  }

  async addJudgement(image: SearchImage, judgement: StoredJudgement, heldOut: boolean): Promise<void> {
    const { scale, choice, judgementId } = judgement;
    const outline = judgement.outline && mapOutline(judgement.outline, 1 / scale, 0, 0);
    const centre =
      outline === undefined
        ? { x: (choice?.x ?? 0) / scale, y: (choice?.y ?? 0) / scale }
        : boundsCentre(outline);
    const { judged, example } = await this.#tileAt(image, scale, centre);
    const { tile, embedding } = judged;
    const at = { x: centre.x - tile.x, y: centre.y - tile.y };
    if (outline !== undefined) {
      const wanted = judgement.kind !== 'reject';
      const inTile = mapOutline(outline, 1, -tile.x, -tile.y);
      this.#addObject(judged, inTile, { ...at, judgementId, wanted, heldOut });
    } else if (choice !== undefined) {
      const { feature } = clickFeature(embedding, example.nuclei, at.x, at.y);
      judged.choices.push({ ...at, chosen: choice.chosen, rejected: choice.rejected, feature });
    }
  }

  /** Adds the nucleus under a click, unless there is none or it was judged. */
  async addClick(image: SearchImage, { x, y, wanted }: KnownClick): Promise<void> {
    const { micronsPerPixel, limits } = this.source.model.manifest;
    const scale = micronsPerPixel / (image.pixelSizeMicrons ?? micronsPerPixel);
    const { judged, example } = await this.#tileAt(image, scale, { x: x / scale, y: y / scale });
    const at = { x: x / scale - judged.tile.x, y: y / scale - judged.tile.y };
    const { nuclei } = example;
    const label = nuclei.labels[Math.floor(at.y) * nuclei.width + Math.floor(at.x)] ?? 0;
    const inMask = (value: number): number => Math.floor(value / limits.maskStride);
    const isJudged = judged.labels[inMask(at.y) * judged.side + inMask(at.x)] !== 0;
    if (label === 0 || isJudged) return;
    const outline = traceLabel(nuclei, label, labelBounds(nuclei)[label]!);
    this.#addObject(judged, outline, { ...at, wanted, heldOut: false });
  }

  /** @param outline tile px */
  #addObject(
    { embedding, side, labels, objects }: JudgedTile,
    outline: Outline,
    known: Omit<JudgedObject, 'number' | 'radius' | 'feature'>,
  ): void {
    const { maskStride } = this.source.model.manifest.limits;
    const number = objects.length + 1;
    const frame = { x: 0, y: 0, width: side, height: side };
    fillOutline(mapOutline(outline, 1 / maskStride, 0, 0), frame, labels, number);
    const bounds = outlineBounds(outline);
    const x = Math.floor(bounds.x);
    const y = Math.floor(bounds.y);
    const width = Math.ceil(bounds.x + bounds.width) - x;
    const box = { x, y, width, height: Math.ceil(bounds.y + bounds.height) - y };
    const feature =
      maskFeature(embedding, rasterizeOutline(outline, box), box) ??
      sampleEmbedding(embedding, known.x, known.y);
    const radius = Math.sqrt(outlineArea(outline) / Math.PI);
    objects.push({ ...known, number, radius, feature });
  }

  /** The tile around a point of model space, encoded when it is first asked for. @param scale image px per model px */
  async #tileAt(image: SearchImage, scale: number, centre: Point): Promise<OpenTile> {
    const { tileSize, limits } = this.source.model.manifest;
    const example = await this.#encodedAt(image, scale).exampleTileAt(centre);
    const { tile, encoded, nuclei } = example;
    const key = `${image.uri}|${scale}|${tile.key}`;
    const known = this.#tiles.get(key);
    if (known !== undefined) return known;
    const side = tileSize / limits.maskStride;
    const judged: JudgedTile = {
      key,
      tile,
      embedding: encoded.embedding,
      side,
      labels: new Int32Array(side * side),
      background: sureBackground(encoded.nucleusLogits, tileSize, side),
      nuclei: foundNuclei(nuclei, tileSize, side),
      objects: [],
      choices: [],
    };
    const opened = { judged, example };
    this.#tiles.set(key, opened);
    return opened;
  }

  /** An image at the scale it was judged at. */
  #encodedAt(image: SearchImage, scale: number): EncodedImage {
    const key = `${image.uri}|${scale}`;
    let encodedImage = this.#images.get(key);
    if (encodedImage === undefined) {
      const { model, cache, job } = this.source;
      const { micronsPerPixel } = model.manifest;
      const spaces = relateSpaces(image, micronsPerPixel / scale, micronsPerPixel);
      encodedImage = new EncodedImage({ model, cache, image, spaces, job });
      this.#images.set(key, encodedImage);
    }
    return encodedImage;
  }
}

function boundsCentre(outline: Outline): Point {
  const { x, y, width, height } = outlineBounds(outline);
  return { x: x + width / 2, y: y + height / 2 };
}
