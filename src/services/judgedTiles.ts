import type { JobOptions } from '../engine/engine';
import type { Split } from '../sampo/holdOut';
import type { JudgedObjects } from '../sampo/judgedPixels';
import { relateSpaces } from '../segmentation/coordinates';
import type { Tile } from '../segmentation/coordinates';
import type { Embedding } from '../segmentation/embeddingFeatures';
import { clickFeature, maskFeature, sampleEmbedding } from '../segmentation/embeddingFeatures';
import type { Point } from '../segmentation/geometry';
import { mapOutline, outlineArea, outlineBounds } from '../segmentation/geometry';
import { fillOutline, rasterizeOutline } from '../segmentation/rasterize';
import type { EmbeddingCache } from './embeddingCache';
import type { StoredJudgement } from './judgements';
import type { NucleusModel } from './nucleusModel';
import { exampleTile, homeTile, type ExampleTile } from './promptEmbedding';
import { TILE_OVERLAP } from './searchPlan';
import { TileEncoder } from './tileEncoder';
import type { SearchImage } from './tilePixels';

/** A judged object on its tile; lengths in tile px. */
export interface JudgedObject extends Point {
  readonly judgementId: string;
  /** Its value in the tile's labels. */
  readonly number: number;
  readonly wanted: boolean;
  readonly heldOut: boolean;
  readonly radius: number;
  /** The embedding's mean over it. */
  readonly feature: Float32Array;
}

/** A choice among the candidates of one click, tile px. */
export interface JudgedChoice extends Point {
  readonly chosen: number;
  readonly rejected: readonly number[];
  readonly feature: Float32Array;
}

/** A tile with everything the user has said about it. */
export interface JudgedTile {
  readonly key: string;
  readonly tile: Tile;
  readonly embedding: Embedding;
  /** 0 or an object's number, at the mask's resolution [side * side]. */
  readonly labels: Int32Array;
  /** 1 where surely no nucleus is [side * side]. */
  readonly background: Uint8Array;
  readonly objects: JudgedObject[];
  readonly choices: JudgedChoice[];
}

/** Below this nucleus probability a pixel is surely background. */
const SURE_BACKGROUND = 0.1;

/** What reading judged tiles needs. */
export interface TileSource {
  readonly model: NucleusModel;
  readonly cache: EmbeddingCache;
  /** An open image by its URI. */
  readonly image: (uri: string) => SearchImage | undefined;
  readonly job: JobOptions;
}

/** Encodes the tiles in which judged objects lie most centrally. `closed` counts judgements whose image is not open. */
export async function readJudgedTiles(
  { train, holdOut }: Split<StoredJudgement>,
  source: TileSource,
): Promise<{ tiles: JudgedTile[]; closed: number }> {
  const tiles = new Map<string, { judged: JudgedTile; example: ExampleTile }>();
  let closed = 0;
  const { model, cache, job } = source;
  const { tileSize, micronsPerPixel, limits } = model.manifest;
  const side = tileSize / limits.maskStride;
  const heldOut = new Set(holdOut.map(({ judgementId }) => judgementId));
  for (const one of [...train, ...holdOut]) {
    const image = source.image(one.imageUri);
    if (image === undefined) {
      closed++;
      continue;
    }
    const spaces = relateSpaces(image, micronsPerPixel / one.scale, micronsPerPixel);
    const outline = one.outline && mapOutline(one.outline, 1 / one.scale, 0, 0);
    const bounds = outline && outlineBounds(outline);
    const centre = bounds
      ? { x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height / 2 }
      : { x: (one.choice?.x ?? 0) / one.scale, y: (one.choice?.y ?? 0) / one.scale };
    const tile = homeTile(spaces, tileSize, TILE_OVERLAP, centre);
    const key = `${one.imageUri}|${one.scale}|${tile.key}`;
    let entry = tiles.get(key);
    if (entry === undefined) {
      const encoder = new TileEncoder(model, cache, image, spaces);
      const encoded = (await encoder.encode(tile, job)).tile;
      const judged: JudgedTile = {
        key,
        tile,
        embedding: encoded.embedding,
        labels: new Int32Array(side * side),
        background: sureBackground(encoded.nucleusLogits, tileSize, side),
        objects: [],
        choices: [],
      };
      entry = { judged, example: exampleTile(tile, encoded, tileSize, model.instances) };
      tiles.set(key, entry);
    }
    const { judged, example } = entry;
    const at = { x: centre.x - tile.x, y: centre.y - tile.y };
    if (outline !== undefined) {
      const local = mapOutline(outline, 1, -tile.x, -tile.y);
      const number = judged.objects.length + 1;
      const { maskStride } = limits;
      fillOutline(
        mapOutline(local, 1 / maskStride, 0, 0),
        { x: 0, y: 0, width: side, height: side },
        judged.labels,
        number,
      );
      const around = outlineBounds(local);
      const x = Math.floor(around.x);
      const y = Math.floor(around.y);
      const width = Math.ceil(around.x + around.width) - x;
      const frame = { x, y, width, height: Math.ceil(around.y + around.height) - y };
      const { embedding } = judged;
      judged.objects.push({
        ...at,
        judgementId: one.judgementId,
        number,
        wanted: one.kind !== 'reject',
        heldOut: heldOut.has(one.judgementId),
        radius: Math.sqrt(outlineArea(local) / Math.PI),
        feature:
          maskFeature(embedding, rasterizeOutline(local, frame), frame) ??
          sampleEmbedding(embedding, at.x, at.y),
      });
    } else if (one.choice !== undefined) {
      const { feature } = clickFeature(judged.embedding, example.nuclei, at.x, at.y);
      const { chosen, rejected } = one.choice;
      judged.choices.push({ ...at, chosen, rejected, feature });
    }
  }
  return { tiles: [...tiles.values()].map(({ judged }) => judged), closed };
}

/** The judged objects to train on: held-out ones are as if nobody had judged them. */
export function trainingObjects({ labels, background, objects }: JudgedTile): JudgedObjects {
  const train = objects.filter(({ heldOut }) => !heldOut);
  // Held-out objects are no sure background either, whatever the nucleus head says.
  const surely = background.map((sure, i) => (labels[i] === 0 ? sure : 0));
  return {
    labels,
    verdicts: new Map(train.map(({ number, wanted }) => [number, wanted])),
    background: surely,
  };
}

function sureBackground(nucleusLogits: Float32Array, tileSize: number, side: number): Uint8Array {
  const limit = Math.log(SURE_BACKGROUND / (1 - SURE_BACKGROUND));
  const step = tileSize / side;
  const out = new Uint8Array(side * side);
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++, i++)
      out[i] =
        nucleusLogits[Math.floor((y + 0.5) * step) * tileSize + Math.floor((x + 0.5) * step)]! < limit
          ? 1
          : 0;
  return out;
}
