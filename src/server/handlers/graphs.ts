import type { Handler } from '../../protocol/handler';
import type { ModelRunParams } from '../../protocol/types.gen';
import { regionTensor } from '../../services/images/regionTensor';
import type { Services } from '../services';
import type { Session } from '../session';
import { readTensorValue, writeTensorValue } from '../tensorValue';

type Feeds = Parameters<Services['graphs']['run']>[1];

/** `model/load` */
export function load(services: Services): Handler<Session, 'model/load'> {
  return async (params) => {
    const graph = await services.graphs.load(
      'path' in params
        ? await services.allowedPath(params.path)
        : new Uint8Array(Buffer.from(params.base64, 'base64')),
    );
    const spec = ({ name, type, dims }: (typeof graph.inputs)[number]) => ({ name, type, dims: [...dims] });
    return {
      modelId: graph.id,
      inputs: graph.inputs.map(spec),
      outputs: graph.outputs.map(spec),
      device: graph.device,
    };
  };
}

/** `model/run` */
export function run(services: Services): Handler<Session, 'model/run'> {
  const read = async (feed: ModelRunParams['feeds'][string], signal: AbortSignal) => {
    if ('tensor' in feed) return readTensorValue(feed.tensor);
    const { imageId, scale, downsample = 1, ...rectangle } = feed.region;
    const pixels = await services.images.readRegion(imageId, { ...rectangle, downsample }, signal);
    return regionTensor(pixels, scale);
  };
  return async (params, { signal, progress }) => {
    services.graphs.find(params.modelId);
    // fromEntries defines members: an input called __proto__ is a member like any other.
    const feeds: Feeds = Object.fromEntries(
      await Promise.all(
        Object.entries(params.feeds).map(async ([name, feed]) => [name, await read(feed, signal)] as const),
      ),
    );
    const repeat = params.repeat ?? 1;
    const start = performance.now();
    const each = (done: number) => {
      const spent = (performance.now() - start) / 1000;
      progress.report({
        percentage: (100 * done) / repeat,
        message: `run ${done} of ${repeat}`,
        etaSeconds: (spent / done) * (repeat - done),
      });
    };
    const tally = await services.graphs.run(params.modelId, feeds, { repeat, signal, each });
    const outputs = Object.fromEntries(
      Object.entries(tally.outputs).map(([name, tensor]) => [name, writeTensorValue(tensor)]),
    );
    return { outputs, runs: tally.runs, seconds: tally.seconds };
  };
}

/** `model/release` */
export function release(services: Services): Handler<Session, 'model/release'> {
  return async ({ modelId }) => {
    await services.graphs.release(modelId);
    return null;
  };
}
