import { EnvelopeError, nestingOf, readMessage } from '../../src/protocol/envelope';

const request = { jsonrpc: '2.0', id: 1, method: 'server/status', params: {} };

function refusalOf(text: string): [string, unknown] {
  try {
    readMessage(text, 8);
  } catch (error) {
    if (error instanceof EnvelopeError) return [error.reason.errorName, error.id];
    throw error;
  }
  throw new Error('was accepted');
}

test.each([
  ['a request', request, { type: 'request', id: 1 }],
  ['id 0', { ...request, id: 0 }, { type: 'request', id: 0 }],
  ['id ""', { ...request, id: '' }, { type: 'request', id: '' }],
  ['a negative id', { ...request, id: -3 }, { type: 'request', id: -3 }],
  ['a fractional id', { ...request, id: 1.5 }, { type: 'request', id: 1.5 }],
  ['no params', { ...request, params: undefined }, { type: 'request', params: {} }],
  ['a notification', { ...request, id: undefined }, { type: 'notification' }],
  ['a result', { jsonrpc: '2.0', id: 's', result: null }, { type: 'response', id: 's', result: null }],
  ['an error', { jsonrpc: '2.0', id: 's', error: { code: 1, message: 'm' } }, { type: 'response' }],
  [
    'an error to nobody',
    { jsonrpc: '2.0', id: null, error: { code: 1, message: 'm' } },
    { type: 'complaint' },
  ],
])('reads %s', (_name, message, expected) => {
  expect(readMessage(JSON.stringify(message), 8)).toMatchObject(expected);
});

test.each([
  ['nothing', '', 'ParseError', null],
  ['half a message', '{"jsonrpc":"2.0","id":1', 'ParseError', null],
  ['a number', '7', 'InvalidRequest', null],
  ['null', 'null', 'InvalidRequest', null],
  ['an empty batch', '[]', 'InvalidRequest', null],
  ['a batch', JSON.stringify([request]), 'InvalidRequest', null],
  ['no version', '{"id":1,"method":"m"}', 'InvalidRequest', 1],
  ['version 1.0', '{"jsonrpc":"1.0","id":1,"method":"m"}', 'InvalidRequest', 1],
  ['an inherited version', '{"__proto__":{"jsonrpc":"2.0"},"id":1,"method":"m"}', 'InvalidRequest', 1],
  ['id null', JSON.stringify({ ...request, id: null }), 'InvalidRequest', null],
  ['id true', JSON.stringify({ ...request, id: true }), 'InvalidRequest', null],
  ['id as a list', JSON.stringify({ ...request, id: [1] }), 'InvalidRequest', null],
  ['an id that is infinite', '{"jsonrpc":"2.0","id":1e999,"method":"m"}', 'InvalidRequest', null],
  [
    'an id that parsing changes',
    '{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}',
    'InvalidRequest',
    null,
  ],
  ['a method that is a number', JSON.stringify({ ...request, method: 1 }), 'InvalidRequest', 1],
  ['params as a list', JSON.stringify({ ...request, params: [] }), 'InvalidRequest', 1],
  ['params null', JSON.stringify({ ...request, params: null }), 'InvalidRequest', 1],
  ['method and result', JSON.stringify({ ...request, result: 1 }), 'InvalidRequest', 1],
  ['neither', '{"jsonrpc":"2.0","id":4}', 'InvalidRequest', 4],
  ['result and error', '{"jsonrpc":"2.0","id":4,"result":1,"error":{}}', 'InvalidRequest', 4],
  ['a result to nobody', '{"jsonrpc":"2.0","result":1}', 'InvalidRequest', null],
  ['nine deep', `{"a":${'['.repeat(8)}${']'.repeat(8)}}`, 'LimitExceeded', null],
])('refuses %s', (_name, text, errorName, id) => {
  expect(refusalOf(text)).toEqual([errorName, id]);
});

test('a million brackets are counted, not parsed', () => {
  expect(refusalOf('['.repeat(1e6))).toEqual(['LimitExceeded', null]);
});

test.each([
  ['{}', 1],
  ['[[1],[2]]', 2],
  ['"[[["', 0],
  ['["\\"[", "\\\\"]', 1],
])('nesting of %s is %i', (text, depth) => expect(nestingOf(text)).toBe(depth));
