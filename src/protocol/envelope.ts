import { BridgeError } from '../errors';

/** JSON-RPC ids this bridge accepts: strings and numbers that come back as they went, 0 and "" included. */
export type MessageId = string | number;

/** A message whose envelope is sound; params are not looked at yet. */
export type Message =
  | { readonly type: 'request'; readonly id: MessageId; readonly method: string; readonly params: unknown }
  | {
      readonly type: 'notification';
      readonly method: string;
      readonly params: Readonly<Record<string, unknown>>;
    }
  /** An error without an id: the other side could not read something. Answering it could go on for ever. */
  | { readonly type: 'complaint' }
  | {
      readonly type: 'response';
      readonly id: MessageId;
      readonly result?: unknown;
      readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
    };

/** Why a message was refused, and the id to answer to (null when it cannot be known). */
export class EnvelopeError extends Error {
  constructor(
    readonly id: MessageId | null,
    readonly reason: BridgeError,
  ) {
    super(reason.message);
  }
}

/** Depth of brackets of a JSON text, without parsing it: a parser's recursion must not be the limit. */
export function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i++;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 123 || code === 91) deepest = Math.max(deepest, ++depth);
    else if (code === 125 || code === 93) depth--;
  }
  return deepest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is MessageId {
  // Above 2^53 a number does not survive parsing: the answer would name another request.
  return (
    typeof value === 'string' || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
  );
}

/**
 * Reads one message (JSON-RPC 2.0, section 4 and 5). Own members only: a key such as `__proto__` is a plain member.
 * @throws EnvelopeError with ParseError, InvalidRequest or LimitExceeded
 */
export function readMessage(text: string, nesting: number): Message {
  const depth = nestingOf(text);
  if (depth > nesting) {
    throw new EnvelopeError(
      null,
      new BridgeError('LimitExceeded', `the message nests ${depth} deep`, {
        limit: 'nesting',
        value: nesting,
      }),
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EnvelopeError(null, new BridgeError('ParseError', `not JSON: ${(error as Error).message}`));
  }
  if (Array.isArray(value)) throw refuse(null, 'batch arrays are not accepted');
  if (!isRecord(value)) throw refuse(null, 'a message is a JSON object');
  const has = (key: string) => Object.hasOwn(value, key);
  const id = has('id') && isId(value['id']) ? value['id'] : null;
  if (value['jsonrpc'] !== '2.0' || !has('jsonrpc')) throw refuse(id, 'jsonrpc must be "2.0"');
  if (has('method')) {
    if (typeof value['method'] !== 'string') throw refuse(id, 'method must be a string');
    if (has('result') || has('error')) throw refuse(id, 'a request has neither result nor error');
    const params = has('params') ? value['params'] : {};
    if (!isRecord(params)) throw refuse(id, 'params are given by name, as an object');
    if (!has('id')) return { type: 'notification', method: value['method'], params };
    if (id === null) throw refuse(null, 'id must be a string or a number up to 2^53');
    return { type: 'request', id, method: value['method'], params };
  }
  if (has('result') === has('error')) throw refuse(id, 'a message has a method, a result or an error');
  if (has('error') && (!has('id') || value['id'] === null)) return { type: 'complaint' };
  if (id === null) throw refuse(null, 'a response has the id of its request');
  if (has('result')) return { type: 'response', id, result: value['result'] };
  const error = value['error'];
  if (!isRecord(error) || typeof error['code'] !== 'number' || typeof error['message'] !== 'string')
    throw refuse(null, 'error must have code and message');
  return {
    type: 'response',
    id,
    error: {
      code: error['code'],
      message: error['message'],
      ...(Object.hasOwn(error, 'data') ? { data: error['data'] } : {}),
    },
  };
}

function refuse(id: MessageId | null, message: string): EnvelopeError {
  return new EnvelopeError(id, new BridgeError('InvalidRequest', message));
}
