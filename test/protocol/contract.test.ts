import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../../src/errorTable.gen';
import { handlerTable } from '../../src/server/handlers/table';
import type { Services } from '../../src/server/services';
import { CONTRACT } from './conversation';

const ROOT = join(__dirname, '../..');
const rows = (
  JSON.parse(readFileSync(join(ROOT, 'schemas/errors.json'), 'utf8')) as {
    errors: { name: string; code: number; message: string; hint: string; retryable: boolean }[];
  }
).errors;

test('what is generated from schemas/ is up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/generate.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('names and codes of the error table are unique, each row says what to do', () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
  for (const row of rows) {
    expect(row).toEqual({
      name: expect.stringMatching(/^[A-Z][A-Za-z]+$/) as string,
      code: expect.any(Number) as number,
      message: expect.stringMatching(/./) as string,
      hint: expect.stringMatching(/./) as string,
      retryable: expect.any(Boolean) as boolean,
    });
  }
});

test('codes of the JSON-RPC standard keep their meaning', () => {
  expect({
    ParseError: ERRORS.ParseError.code,
    InvalidRequest: ERRORS.InvalidRequest.code,
    MethodNotFound: ERRORS.MethodNotFound.code,
    InvalidParams: ERRORS.InvalidParams.code,
    InternalError: ERRORS.InternalError.code,
    ServerNotInitialized: ERRORS.ServerNotInitialized.code,
    RequestCancelled: ERRORS.RequestCancelled.code,
  }).toEqual({
    ParseError: -32700,
    InvalidRequest: -32600,
    MethodNotFound: -32601,
    InvalidParams: -32602,
    InternalError: -32603,
    ServerNotInitialized: -32002,
    RequestCancelled: -32800,
  });
});

test.each([...CONTRACT.methods.values()].map((schema) => [schema.method, schema] as const))(
  '%s is whole',
  (method, schema) => {
    expect(schema.summary).toMatch(/\.$/);
    expect(schema.errors.filter((name) => !Object.hasOwn(ERRORS, name))).toEqual([]);
    expect(schema.result !== undefined).toBe(schema.kind === 'request');
    const file = method.replace('$/', 'protocol.').replaceAll('/', '.');
    expect(readdirSync(join(ROOT, 'schemas/methods'))).toContain(`${file}.json`);
  },
);

/** Every `new BridgeError('Name'` of the sources. */
function thrownNames(folder: string): [string, string][] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return thrownNames(path);
    if (!path.endsWith('.ts')) return [];
    return [...readFileSync(path, 'utf8').matchAll(/new BridgeError\(\s*'([A-Za-z]+)'/g)].map(
      (match): [string, string] => [path, match[1] ?? ''],
    );
  });
}

test('every error that the sources throw is a row of the table', () => {
  const thrown = thrownNames(join(ROOT, 'src'));
  expect(thrown.length).toBeGreaterThan(30);
  expect(thrown.filter(([, name]) => !Object.hasOwn(ERRORS, name))).toEqual([]);
});

test('the error table of the protocol page names the same codes and names', () => {
  const page = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8').split('## Errors')[1] ?? '';
  const listed = [...page.matchAll(/^\| (-\d+) \| `(\w+)` \|/gm)].map(([, code, name]) => [
    name,
    Number(code),
  ]);
  expect(listed).toEqual(rows.map(({ name, code }) => [name, code]));
});

/** Methods that a client may ask for, of the contract. */
const requests = [...CONTRACT.methods.values()]
  .filter(({ kind, direction }) => kind === 'request' && direction !== 'server-to-client')
  .map(({ method }) => method)
  .sort();

// Handlers take what they need from the services when they are called, so the table can be made without any.
const handled = Object.keys(handlerTable(new Proxy({}, { get: () => undefined }) as Services)).sort();

test('every request of the contract has a handler, and every handler is in the contract', () => {
  expect(handled).toEqual(requests);
});

test('the OpenRPC document and the protocol page name the methods of the contract, and no other', () => {
  const openrpc = JSON.parse(readFileSync(join(ROOT, 'openrpc.json'), 'utf8')) as {
    methods: { name: string }[];
  };
  const page = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
  const all = [...CONTRACT.methods.keys()].sort();
  expect(openrpc.methods.map(({ name }) => name).sort()).toEqual(all);
  expect([...page.matchAll(/^### `(.+)`$/gm)].map(([, name]) => name).sort()).toEqual(all);
});

test('every row of the error table is one that something throws', () => {
  const sources = thrownNames(join(ROOT, 'src')).map(([, name]) => name);
  const whole = readSources(join(ROOT, 'src'));
  const unused = rows
    .map(({ name }) => name)
    .filter((name) => !sources.includes(name) && !whole.includes(`'${name}'`));
  expect(unused).toEqual([]);
});

/** All sources but the generated ones, as one text. */
function readSources(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return readSources(path);
      return path.endsWith('.ts') && !path.endsWith('.gen.ts') ? readFileSync(path, 'utf8') : '';
    })
    .join('\n');
}
