// Connects, opens an image, runs an ONNX model with progress, and cancels it.
// node connect.mjs STATE_FOLDER IMAGE MODEL   (npm install ws)
// MODEL has one float32 input of shape [n, n] called x and one int64 scalar called times, e.g. test/fixtures/onnx/slow.onnx
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const [state, image, model] = process.argv.slice(2);
const { url, token } = JSON.parse(readFileSync(`${state}/connection.json`, 'utf8'));
const socket = new WebSocket(url, ['sampo.v1'], { headers: { authorization: `Bearer ${token}` } });
await once(socket, 'open');

const waiting = new Map();
let progress = () => {};
socket.on('message', (data) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (method === '$/progress') progress(params.value);
  else if (method === undefined) waiting.get(id)?.(error ?? result);
});
const send = (message) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
const call = (id, method, params) =>
  new Promise((resolve) => {
    waiting.set(id, resolve);
    send({ id, method, params });
  });

await call(1, 'initialize', { protocolVersion: '1.0', client: { name: 'connect.mjs' } });
send({ method: 'initialized', params: {} });
const { width, height } = await call(2, 'image/open', { uri: image, source: 'file' });
console.log('image', width, 'x', height);
const { modelId } = await call(3, 'model/load', { base64: readFileSync(model).toString('base64') });
const tensor = (type, dims, data) => ({
  tensor: { type, dims, base64: Buffer.from(data.buffer).toString('base64') },
});
const feeds = {
  x: tensor('float32', [2, 2], Float32Array.of(1, 0, 0, 1)),
  times: tensor('int64', [], BigInt64Array.of(1n)),
};
console.log('runs', (await call(4, 'model/run', { modelId, feeds, repeat: 3 })).runs);

progress = ({ kind }) => kind === 'begin' && send({ method: '$/cancelRequest', params: { id: 5 } });
console.log('cancelled', (await call(5, 'model/run', { modelId, feeds, repeat: 100000 })).code);
socket.close();
