import { CONTRACT } from './conversation';
import { isBridgeError } from '../../src/errors';

function refusal(method: string, params: unknown, check: 'checkParams' | 'checkResult' = 'checkParams') {
  try {
    CONTRACT[check](method, params);
  } catch (error) {
    if (isBridgeError(error)) return { name: error.errorName, ...error.data, text: error.message };
    throw error;
  }
  return undefined;
}

const client = { name: 'test' };

test.each([
  ['a missing member', 'initialize', { client }, '/protocolVersion', 'a value: the member is required'],
  [
    'a missing member inside',
    'initialize',
    { protocolVersion: '1.0', client: {} },
    '/client/name',
    'a value: the member is required',
  ],
  ['an unknown member', 'server/status', { verbose: true }, '/verbose', 'no such member'],
  ['a member with / and ~', 'server/status', { 'a/b~c': 1 }, '/a~1b~0c', 'no such member'],
  [
    'a key named __proto__',
    'server/status',
    JSON.parse('{"__proto__":{"a":1}}'),
    '/__proto__',
    'no such member',
  ],
  ['a key named toString', 'server/status', { toString: 1 }, '/toString', 'no such member'],
  ['a key named constructor', 'server/status', { constructor: 1 }, '/constructor', 'no such member'],
  ['a wrong type', 'model/run', { modelId: 7, feeds: {} }, '/modelId', 'must be string'],
  ['too small a number', 'model/run', { modelId: 'm', feeds: {}, repeat: 0 }, '/repeat', 'must be >= 1'],
  [
    'a value that is not listed',
    'image/open',
    { uri: 'a.png', source: 'web' },
    '/source',
    'one of ["client","file"]',
  ],
])('%s: pointer and expectation', (_, method, params, pointer, expected) => {
  expect(refusal(method, params)).toMatchObject({
    name: 'InvalidParams',
    problems: [{ pointer, expected }],
    text: `params of ${method}: ${pointer} ${expected}`,
  });
});

test('params as a whole: the pointer of RFC 6901 is empty', () => {
  expect(refusal('server/status', 3)).toMatchObject({
    problems: [{ pointer: '', expected: 'must be object' }],
  });
});

test('one of several shapes: the misfit inside is told first', () => {
  expect(refusal('model/load', { path: '' })?.text).toBe(
    'params of model/load: /path must NOT have fewer than 1 characters',
  );
});

test('defaults are filled in', () => {
  const params: Record<string, unknown> = { modelId: 'm', feeds: {} };
  CONTRACT.checkParams('model/run', params);
  expect(params['repeat']).toBe(1);
});

test('a result that does not fit is the fault of the client', () => {
  const result = { base64: '', encoding: 'raw', width: 0, height: 1, channels: 3 };
  expect(refusal('image/readRegion', result, 'checkResult')).toMatchObject({
    name: 'ClientFailed',
    text: expect.stringContaining('/width must be >= 1') as string,
  });
  expect(refusal('image/readRegion', { ...result, width: 1 }, 'checkResult')).toBeUndefined();
});

test('nothing of a checked message reaches the prototype of objects', () => {
  refusal(
    'initialize',
    JSON.parse('{"__proto__":{"polluted":1},"protocolVersion":"1.0","client":{"name":"x"}}'),
  );
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
