// Clicks in, all nuclei of the type out: opens an image, makes an intent, segments, and writes GeoJSON.
// node segment.mjs STATE_FOLDER IMAGE OUT.geojson CLASS X,Y [X,Y ...]   (npm install ws)
import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { WebSocket } from 'ws';

const [state, image, out, name, ...places] = process.argv.slice(2);
const { url, token } = JSON.parse(readFileSync(`${state}/connection.json`, 'utf8'));
const socket = new WebSocket(url, ['sampo.v1'], { headers: { authorization: `Bearer ${token}` } });
await once(socket, 'open');

const waiting = new Map();
let progress = () => {};
socket.on('message', (data) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (method === '$/progress') progress(params.value);
  else if (method === undefined) {
    const { resolve, reject } = waiting.get(id);
    if (error) reject(new Error(`${error.message} (${error.data.hint})`));
    else resolve(result);
  }
});
const send = (message) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
let id = 0;
const call = (method, params) =>
  new Promise((resolve, reject) => {
    waiting.set(++id, { resolve, reject });
    send({ id, method, params });
  });

try {
  await call('initialize', { protocolVersion: '1.0', client: { name: 'segment.mjs' } });
  send({ method: 'initialized', params: {} });
  const { imageId, width, height } = await call('image/open', { uri: resolve(image), source: 'file' });
  console.log('image', width, 'x', height);
  const { intent } = await call('intent/create', { name });

  const clicks = places.map((place) => place.split(',').map(Number)).map(([x, y]) => ({ x, y }));
  let streamed = 0;
  // Objects come tile by tile, the clicked tiles first; a viewer draws them at once.
  progress = ({ objects = [] }) => (streamed += objects.length);
  const intents = [{ intentId: intent.intentId, clicks }];
  const found = await call('segment/prompt', { imageId, intents, extent: { type: 'image' } });
  for (const { message } of found.warnings) console.log('note:', message);
  for (const { x, y, error } of found.tiles.failed) console.log(`failed at ${x}, ${y}: ${error}`);
  // The first tiles were answered before the others were known: the answer is what counts.
  console.log('streamed', streamed, 'answered', found.featureCollection.features.length);
  writeFileSync(out, JSON.stringify(found.featureCollection));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  socket.close();
}
