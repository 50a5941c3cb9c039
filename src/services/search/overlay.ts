import { outlineCentroid, type Outline, type Point } from '../../segmentation/geometry';

/** One object to be drawn: outline in image px, score 0 to 1, RGB. */
export interface OverlayObject {
  readonly outline: Outline;
  readonly score: number;
  readonly color: readonly number[];
}

/** A click to be drawn: a cross, or a bar for "not this type". */
export interface OverlayClick extends Point {
  readonly positive: boolean;
}

/**
 * An SVG over an image enlarged by `scale`: outlines (opaque where the score is high), scores in percent, clicks, and a legend. Sizes in px of the
 * enlarged image.
 */
export function overlaySvg(
  size: { readonly width: number; readonly height: number },
  objects: readonly OverlayObject[],
  clicks: readonly OverlayClick[],
  { scale, legend, scores }: { scale: number; legend: string; scores: boolean },
): string {
  const path = (outline: Outline) =>
    outline
      .flat()
      .map((ring) => {
        const points: string[] = [];
        for (let i = 0; i < ring.length; i += 2) points.push(`${ring[i]! * scale} ${ring[i + 1]! * scale}`);
        return `M${points.join('L')}Z`;
      })
      .join('');
  const shapes = objects.map(({ outline, score, color }) => {
    const ink = `rgb(${color.join(',')})`;
    const { x, y } = outlineCentroid(outline);
    const label = !scores
      ? ''
      : `<text x="${(x * scale).toFixed(1)}" y="${(y * scale + 3).toFixed(1)}" font-size="8" text-anchor="middle" fill="white">${Math.round(score * 100)}</text>`;
    return `<path d="${path(outline)}" fill="${ink}" fill-opacity="0.18" stroke="${ink}" stroke-width="2" stroke-opacity="${(0.35 + 0.65 * score).toFixed(2)}"/>${label}`;
  });
  const crosses = clicks.map(({ x, y, positive }) => {
    const [cx, cy, arm] = [x * scale, y * scale, 9];
    const lines = `M${cx - arm} ${cy}H${cx + arm}${positive ? `M${cx} ${cy - arm}V${cy + arm}` : ''}`;
    return `<path d="${lines}" stroke="black" stroke-width="6"/><path d="${lines}" stroke="yellow" stroke-width="3"/>`;
  });
  const [width, height] = [size.width * scale, size.height * scale];
  const text = legend.replace(/[<&>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif">${shapes.join('')}${crosses.join('')}<rect x="0" y="${height - 24}" width="${width}" height="24" fill="black" fill-opacity="0.6"/><text x="8" y="${height - 7}" font-size="14" fill="white">${text}</text></svg>`;
}
