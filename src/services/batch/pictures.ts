import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DensityMap, drawTissueEdge, sideBySide } from '../../segmentation/densityMap';
import type { ObjectFeature } from '../../segmentation/features';
import type { Size } from '../../segmentation/geometry';
import type { TissueMask } from '../../segmentation/tissue';
import { writeFileAtomic } from '../../store/files';
import { resample, type RgbPixels } from '../images/pixels';
import { RESULT_MODE, type PinnedIntent } from './job';

/** Longest side of one picture of the contact sheet, px. */
const SIDE = 420;
/** Cells of the density map along the longest side, where none is then smaller than a few nuclei. */
const CELLS = 48;
const LEAST_CELL_MICRONS = 20;
const GAP = 8;
const TISSUE_COLOR = [0, 140, 120] as const;

/** Draws what an image looks like and where its objects are, for people who look before they read. */
export class ResultPicture {
  readonly #densities: ReadonlyMap<string, DensityMap>;

  constructor(
    image: Size,
    pixelSizeMicrons: number,
    private readonly intents: readonly PinnedIntent[],
  ) {
    const longest = Math.max(image.width, image.height);
    const cell = Math.max(LEAST_CELL_MICRONS / pixelSizeMicrons, longest / CELLS);
    this.#densities = new Map(intents.map(({ name }) => [name, new DensityMap(image, cell)]));
  }

  /** Counts an object where its outline begins. */
  add({ geometry, properties }: ObjectFeature): void {
    const ring = geometry.type === 'Polygon' ? geometry.coordinates[0] : geometry.coordinates[0]?.[0];
    const [x = 0, y = 0] = ring?.[0] ?? [];
    this.#densities.get(properties.classification?.name ?? '')?.add({ x, y });
  }

  /** The image with the edge of its tissue, and a density map of each class beside it. */
  draw(overview: RgbPixels, tissue: TissueMask | undefined): RgbPixels {
    const small = shrunk(overview);
    const first = tissue === undefined ? small : drawTissueEdge(small, tissue, TISSUE_COLOR);
    const maps = this.intents.map(({ name, color }) => this.#densities.get(name)!.draw(small, color));
    return { ...sideBySide([first, ...maps], GAP), channels: 3 };
  }
}

/** The tissue mask as a picture: white inside. */
export function maskPicture({ width, height, data }: TissueMask): RgbPixels {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) if (data[i] === 1) pixels.fill(255, 3 * i, 3 * i + 3);
  return { width, height, channels: 3, data: pixels };
}

/** Writes a picture into `pictures/` of the output folder. */
export async function writePicture(outputFolder: string, name: string, png: Uint8Array): Promise<void> {
  const folder = join(outputFolder, 'pictures');
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, name), png, RESULT_MODE);
}

function shrunk(picture: RgbPixels): RgbPixels {
  const factor = Math.max(1, Math.max(picture.width, picture.height) / SIDE);
  const { width, height } = picture;
  return resample(
    picture,
    { x: 0, y: 0, width, height },
    Math.max(1, Math.round(width / factor)),
    Math.max(1, Math.round(height / factor)),
  );
}
