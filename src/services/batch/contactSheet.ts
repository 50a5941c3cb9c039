import type { JobCounts, StoredImage, StoredJob } from './jobStore';

/** Images up to which the pictures are in the page itself; with more they are read from `pictures/` beside it. */
export const MOST_EMBEDDED = 300;

/**
 * The contact sheet: one page that shows every image, what was found in it and what failed. It needs no network.
 * @param pictureOf what an image's `src` is: a data URI, or a path beside the page; undefined where there is none
 */
export function contactSheet(
  { document, createdAt, state, message }: StoredJob,
  stored: readonly StoredImage[],
  counts: JobCounts,
  pictureOf: (image: StoredImage) => string | undefined,
): string {
  const legend = document.intents
    .map(({ name, color }) => `<span class="key" style="--c:rgb(${color.join(',')})">${escaped(name)}</span>`)
    .join(' ');
  const cards = stored.map((image) => card(document.images[image.position]!.path, image, pictureOf(image)));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>SAMPO batch: ${counts.images.done} of ${counts.images.total} images</title>
<style>
:root { color-scheme: light dark; --line: #8884; --faint: #888; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0 0 .3rem; }
.key::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: 50%; background: var(--c); margin: 0 .3em 0 .6em; }
.faint { color: var(--faint); }
article { border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; margin: 1rem 0; overflow-x: auto; }
article.failed { border-color: #c33; }
article h2 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
img { max-width: 100%; background: #fff; border-radius: 4px; display: block; margin: .5rem 0; }
table { border-collapse: collapse; }
td, th { padding: .15rem .9rem .15rem 0; text-align: right; font-variant-numeric: tabular-nums; }
td:first-child, th:first-child { text-align: left; }
th { font-weight: 600; border-bottom: 1px solid var(--line); }
.error { color: #c33; }
</style>
<h1>${counts.images.done} of ${counts.images.total} images, ${counts.objects.toLocaleString('en')} objects, ${area(counts.areaMm2)} mm²</h1>
<p class="faint">Job of ${escaped(createdAt.slice(0, 16).replace('T', ' '))} UTC, ${escaped(state)}${message === '' ? '' : `: ${escaped(message)}`}. Each picture: the image${document.tissue ? ' with the edge of its tissue' : ''}, then where the objects of each class are (the darker the denser, by the densest place of each map): ${legend}</p>
<p><a href="summary.csv">summary.csv</a> · <a href="errors.csv">errors.csv</a> · <a href="methods.txt">methods.txt</a> · <a href="job.json">job.json</a></p>
${cards.join('\n')}
</html>
`;
}

function card(
  path: string,
  { state, outcome, error, plan }: StoredImage,
  picture: string | undefined,
): string {
  const notes = (plan?.warnings ?? []).map(({ message }) => `<p class="faint">${escaped(message)}</p>`);
  const link =
    outcome === undefined
      ? ''
      : ` <a href="${encodeURIComponent(outcome.file)}">${escaped(outcome.file)}</a>`;
  return `<article class="${state}">
<h2>${escaped(path)}${link}</h2>
${error === undefined ? '' : `<p class="error">${escaped(`${error.name}: ${error.message}`)}</p>`}
${picture === undefined ? '' : `<img alt="${escaped(path)}" src="${escaped(picture)}">`}
${outcome === undefined ? '' : table(outcome)}
${notes.join('\n')}
</article>`;
}

function table({ classes, areaMm2 }: NonNullable<StoredImage['outcome']>): string {
  const rows = classes.map(
    ({ name, count, density, meanArea, meanScore }) =>
      `<tr><td>${escaped(name)}</td><td>${count.toLocaleString('en')}</td><td>${density.toFixed(1)}</td><td>${meanArea.toFixed(1)}</td><td>${meanScore.toFixed(2)}</td></tr>`,
  );
  return `<table><tr><th>class</th><th>objects</th><th>per mm²</th><th>mean area µm²</th><th>mean score</th></tr>${rows.join('')}</table>
<p class="faint">${area(areaMm2)} mm² searched</p>`;
}

/** mm² with three digits that count: 0.0144, 1.23, 312. */
function area(mm2: number): string {
  return mm2 >= 100 ? mm2.toFixed(0) : String(Number(mm2.toPrecision(3)));
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
