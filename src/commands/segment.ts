import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ImageOpenResult, SegmentPromptResult } from '../protocol/types.gen';
import { EXIT, stateFolder, type Command, type Surroundings } from './command';
import { chooseIntent, type ChosenIntent } from './intentChoice';
import { foldersOf } from './openedImage';
import { writeOverlay } from './overlayPicture';
import { ProgressBar } from './progressBar';
import type { RpcClient } from './rpcClient';
import { explain } from './explain';
import { SEGMENT_OPTIONS, readSegmentOptions, type SegmentOptions, type SegmentTask } from './segmentOptions';
import { withServer } from './withServer';

/** `sampo segment`: the main job from the shell, over the same calls that any viewer makes. */
export const segment: Command = {
  name: 'segment',
  options: SEGMENT_OPTIONS,
  help: `usage: sampo segment IMAGE... [--click x,y[,+|-]]... [--intent NAME|FILE]... --out FILE|DIR [options]

Finds every nucleus like the clicked ones and writes it as GeoJSON for QuPath and napari. Uses the running server; without
one, starts its own for as long as it takes. Coordinates are pixels of the full image, from its top-left corner.

  --click x,y[,+|-]       a nucleus of the type; with "-" one that is not; may be given several times
  --box x,y,width,height  a box around a nucleus of the type
  --intent NAME|FILE      a stored intent, by name or id: clicks are added to it, and with clicks a new name makes it;
                          or a file of sampo intents export (its name ends with .json), used for this run alone;
                          several without clicks: each nucleus goes to the one that fits best
  --region x,y,width,height  look here alone
  --mpp NUMBER|file       µm per pixel, in place of the image's own; kept with the image for later commands, until
                          another is given, or "file" for the file's own
  --stain MAP             how channels are shown, e.g. DAPI=haematoxylin,CD3=dab (names, or numbers from 1); rgb for
                          colours as they are; auto to guess; kept with the image likewise
  --model NAME            an imported model (sampo models list), in place of the bundled one
  --min-score NUMBER      least score, 0 to 1
  --out FILE|DIR          GeoJSON; several images need a folder, and get a file each
  --overlay FILE|DIR      also a picture (PNG): clicks, outlines, and scores in percent where there is room
  --state DIR             state folder (default: the system's place, or SAMPO_STATE)

  sampo segment slide.tif --click 1200,840 --click 1310,902 --intent Lymphocyte --out slide.geojson
  sampo segment *.tif --intent Lymphocyte --out results

exit codes: 0 done, 1 an image failed, wholly or in part (the others are written), 2 wrong use, 130 interrupted`,
  async run(argv, around) {
    const options = readSegmentOptions(argv);
    const server = {
      stateFolder: stateFolder(options.state, around),
      roots: [...new Set(options.tasks.flatMap(({ image }) => foldersOf(image)))],
    };
    return withServer(server, around, async (client) => {
      const chosen: ChosenIntent[] = [];
      try {
        const hasExamples = options.clicks.length + options.boxes.length > 0;
        const names = options.intents.length > 0 ? options.intents : [undefined];
        for (const name of names) chosen.push(await chooseIntent(client, name, hasExamples));
        return await segmentAll(client, options, chosen, around);
      } finally {
        // What went wrong before is what the user has to hear.
        for (const { intent, borrowed } of chosen)
          if (borrowed)
            await client.request('intent/delete', { intentId: intent.intentId }).catch(() => undefined);
      }
    });
  },
};

async function segmentAll(
  client: RpcClient,
  options: SegmentOptions,
  chosen: readonly ChosenIntent[],
  around: Surroundings,
): Promise<number> {
  const { tasks } = options;
  let failed = 0;
  for (const task of tasks) {
    try {
      if (!(await segmentOne(client, task, options, chosen, around))) failed++;
    } catch (error) {
      if (tasks.length === 1 || around.signal.aborted) throw error;
      around.err(`${basename(task.image)}: ${explain(error)}`);
      failed++;
    }
  }
  if (tasks.length > 1) around.out(`${tasks.length} images, ${failed} failed\n`);
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

/** Writes the files of one image. @returns false when a part of it failed */
async function segmentOne(
  client: RpcClient,
  task: SegmentTask,
  options: SegmentOptions,
  chosen: readonly ChosenIntent[],
  around: Surroundings,
): Promise<boolean> {
  const { clicks, boxes, extent, pixelSizeMicrons, stains, threshold, modelId } = options;
  const opened = await client.request('image/open', {
    uri: task.image,
    source: 'file',
    ...(pixelSizeMicrons !== undefined && { pixelSizeMicrons }),
    ...(stains !== undefined && { stains }),
  });
  const { imageId } = opened;
  const bar = new ProgressBar(around, basename(task.image));
  let count = 0;
  try {
    const found = await client
      .request(
        'segment/prompt',
        {
          imageId,
          intents: chosen.map(({ intent }) => ({
            intentId: intent.intentId,
            clicks: clicks.map((click) => ({ ...click })),
            boxes: boxes.map((box) => [...box] as [number, number, number, number]),
          })),
          extent,
          ...(threshold !== undefined && { filters: { threshold } }),
          ...(modelId !== undefined && { modelId }),
        },
        {
          signal: around.signal,
          progress: ({ kind, percentage = 0, message = '', etaSeconds, objects = [] }) => {
            if (kind === 'end') return;
            count += objects.length;
            const step = { percentage, message: `${message}, ${count} objects` };
            bar.report({ ...step, ...(etaSeconds !== undefined && { etaSeconds }) });
          },
        },
      )
      .finally(() => bar.end());
    await writeFiles(client, task, options, opened, found);
    tellResult(task, opened, found, chosen, around);
    return found.tiles.failed.length === 0;
  } finally {
    await client.request('image/close', { imageId }).catch(() => undefined);
  }
}

async function writeFiles(
  client: RpcClient,
  { out, overlay }: SegmentTask,
  { clicks, extent }: SegmentOptions,
  { imageId, width, height }: ImageOpenResult,
  { featureCollection }: SegmentPromptResult,
): Promise<void> {
  const { features } = featureCollection;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(featureCollection)}\n`);
  if (overlay === undefined) return;
  const looked = 'width' in extent ? extent : { x: 0, y: 0, width, height };
  const x = Math.max(0, Math.floor(looked.x));
  const y = Math.max(0, Math.floor(looked.y));
  const region = {
    x,
    y,
    width: Math.min(width, Math.ceil(looked.x + looked.width)) - x,
    height: Math.min(height, Math.ceil(looked.y + looked.height)) - y,
  };
  mkdirSync(dirname(overlay), { recursive: true });
  const legend = `found: ${features.length}, clicks: ${clicks.length}`;
  await writeOverlay(client, overlay, { imageId, region, features, clicks, legend });
}

function tellResult(
  { image, out, overlay }: SegmentTask,
  opened: ImageOpenResult,
  { featureCollection, tiles, seconds, warnings }: SegmentPromptResult,
  chosen: readonly ChosenIntent[],
  around: Surroundings,
): void {
  const name = basename(image);
  const { features } = featureCollection;
  const names = features.map(
    ({ properties }) => (properties as { classification?: { name: string } }).classification?.name,
  );
  const counts = chosen.map(
    ({ intent }) => `${names.filter((one) => one === intent.name).length} ${intent.name}`,
  );
  const where = overlay === undefined ? out : `${out} and ${overlay}`;
  around.out(`${name}: ${counts.join(', ')} in ${tiles.done} tiles, ${seconds.toFixed(1)} s: ${where}\n`);
  // The search says which size it assumed; that the file has none needs no second word.
  const notes = [...opened.warnings.filter((one) => one.name !== 'PixelSizeUnknown'), ...warnings];
  for (const { message } of notes) around.err(`${name}: note: ${message}\n`);
  for (const { x, y, error } of tiles.failed)
    around.err(`${name}: the tile at (${x}, ${y}) failed: ${error}\n`);
}
