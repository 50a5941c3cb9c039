// Prints everything that follows from schemas/: types, error table, method table, OpenRPC document, protocol page.
// The types of the Python client follow too, where a Python is found. `--check` writes nothing and fails when a file on
// disk differs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const common = read('schemas/common.json').$defs;
const { errors } = read('schemas/errors.json');
const methods = readdirSync(join(root, 'schemas/methods'))
  .sort()
  .map((file) => read(`schemas/methods/${file}`));
const { version } = read('package.json');

/** `segment/prompt` → `SegmentPrompt`; `$/progress` → `Progress`. */
const typeName = (method) =>
  method
    .replace('$/', '')
    .split(/[/.]/)
    .map((part) => part[0].toUpperCase() + part.slice(1))
    .join('');

/** Rewrites references to common.json so that they resolve under `prefix`. */
const relink = (schema, prefix) =>
  JSON.parse(JSON.stringify(schema), (key, value) =>
    key === '$ref' ? value.replace(/^.*#\/\$defs\//, prefix) : value,
  );

/** Arrays of fixed length become tuples; other bounds are for the validator, not for types. */
const tuples = (schema) =>
  JSON.parse(JSON.stringify(schema), (key, value) =>
    value?.type === 'array' && value.minItems === value.maxItems && value.minItems > 0
      ? {
          ...value,
          tsType: `[${Array(value.minItems)
            .fill(value.items.type === 'integer' ? 'number' : value.items.type)
            .join(', ')}]`,
        }
      : value,
  );

/** Every member and list of the printed types becomes readonly: a message is read, never changed. */
function readonlyTypes(text) {
  const { factory } = ts;
  const readonly = factory.createToken(ts.SyntaxKind.ReadonlyKeyword);
  const visitor = (context) => (file) => {
    const visit = (node) => {
      const inner = ts.visitEachChild(node, visit, context);
      if (ts.isPropertySignature(inner))
        return factory.updatePropertySignature(
          inner,
          [readonly],
          inner.name,
          inner.questionToken,
          inner.type,
        );
      if (ts.isArrayTypeNode(inner) || ts.isTupleTypeNode(inner))
        return factory.createTypeOperatorNode(ts.SyntaxKind.ReadonlyKeyword, inner);
      return inner;
    };
    return ts.visitNode(file, visit);
  };
  const source = ts.createSourceFile('types.ts', text, ts.ScriptTarget.Latest, true);
  const { transformed } = ts.transform(source, [visitor]);
  return ts.createPrinter().printFile(transformed[0]);
}

async function types() {
  const definitions = { ...common };
  for (const { method, params, result } of methods) {
    definitions[`${typeName(method)}Params`] = params;
    if (result) definitions[`${typeName(method)}Result`] = result;
  }
  const body = await compile({ definitions: tuples(relink(definitions, '#/definitions/')) }, 'Contract', {
    bannerComment: '',
    unreachableDefinitions: true,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    style: { printWidth: 110, singleQuote: true },
  });
  const row = ({ method, result }) =>
    `  '${method}': { params: ${typeName(method)}Params; result: ${result ? `${typeName(method)}Result` : 'undefined'} };`;
  const of = (kind, ...directions) =>
    methods.filter((m) => m.kind === kind && directions.includes(m.direction));
  const map = (name, comment, rows) =>
    `/** ${comment} */\nexport interface ${name} {\n${rows.map(row).join('\n')}\n}\n`;
  return [
    '// Generated from schemas/ by scripts/generate.mjs; do not edit.\n',
    // The empty root that the compiler needs is not part of the contract.
    body
      .replace(/export interface Contract \{[^}]*\}\n?/, '')
      .replace(/ \*\n \* This interface was referenced by[^\n]*\n \* via the `definition`[^\n]*\n/g, '')
      .replace(
        /\/\*\*\n \* This interface was referenced by[^\n]*\n \* via the `definition`[^\n]*\n \*\/\n/g,
        '',
      )
      .trim() + '\n',
    map('ClientRequests', 'Requests a client may send.', of('request', 'client-to-server')),
    map(
      'ClientNotifications',
      'Notifications a client may send.',
      of('notification', 'client-to-server', 'both'),
    ),
    map('ServerRequests', 'Requests the server may send.', of('request', 'server-to-client')),
    map(
      'ServerNotifications',
      'Notifications the server may send.',
      of('notification', 'server-to-client', 'both'),
    ),
  ].join('\n');
}

const errorTable = () =>
  [
    '// Generated from schemas/errors.json by scripts/generate.mjs; do not edit.\n',
    '/** One row of the error table: JSON-RPC code, meaning, next step, and whether the same request may succeed later. */',
    'export interface ErrorRow {\n  readonly code: number;\n  readonly message: string;\n  readonly hint: string;\n  readonly retryable: boolean;\n}\n',
    '/** The error table: name → row. */',
    'export const ERRORS = {',
    ...errors.map(
      ({ name, code, message, hint, retryable }) =>
        `  ${name}: { code: ${code}, message: ${JSON.stringify(message)}, hint: ${JSON.stringify(hint)}, retryable: ${retryable} },`,
    ),
    '} as const satisfies Record<string, ErrorRow>;\n',
    '/** Names of the error table. */',
    'export type ErrorName = keyof typeof ERRORS;\n',
  ].join('\n');

const openrpc = () =>
  JSON.stringify(
    {
      openrpc: '1.3.2',
      info: {
        title: 'SAMPO bridge',
        version,
        license: { name: 'Apache-2.0' },
        description: 'Promptable nucleus segmentation over one WebSocket.',
      },
      methods: methods.map(({ method, direction, kind, summary, params, result, errors: names }) => ({
        name: method,
        summary,
        'x-direction': direction,
        'x-kind': kind,
        paramStructure: 'by-name',
        params: params.properties
          ? Object.entries(params.properties).map(([name, schema]) => ({
              name,
              required: (params.required ?? []).includes(name),
              schema: relink(schema, '#/components/schemas/'),
            }))
          : [{ name: 'params', required: true, schema: relink(params, '#/components/schemas/') }],
        ...(result ? { result: { name: 'result', schema: relink(result, '#/components/schemas/') } } : {}),
        errors: errors
          .filter(({ name }) => names.includes(name))
          .map(({ code, message }) => ({ code, message })),
      })),
      components: { schemas: relink(common, '#/components/schemas/') },
    },
    null,
    1,
  ) + '\n';

function shape(schema) {
  if (schema.$ref) return `[${schema.$ref.split('/').pop()}](#types)`;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (schema.oneOf) return schema.oneOf.map(shape).join(' or ');
  if (schema.type === 'array') return `array of ${schema.items ? shape(schema.items) : 'values'}`;
  if (schema.type === 'object' && schema.properties)
    return `{ ${Object.keys(schema.properties).join(', ')} }`;
  return [schema.type ?? 'any'].flat().join(' or ');
}

function rows(schema) {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return `${shape(schema)}\n`;
  const line = ([name, value]) =>
    `| \`${name}\` | ${(schema.required ?? []).includes(name) ? 'yes' : ''} | ${shape(value).replaceAll('|', '\\|')} | ${value.description ?? ''}${value.default === undefined ? '' : ` (default \`${JSON.stringify(value.default)}\`)`} |`;
  return ['| member | required | type | meaning |', '|---|---|---|---|', ...entries.map(line), ''].join('\n');
}

const page = () =>
  [
    '# The bridge protocol\n',
    'Generated from `schemas/` by `npm run generate`; do not edit. How to connect: [connecting.md](connecting.md).\n',
    '## Methods\n',
    ...methods.flatMap(({ method, direction, kind, summary, params, result, errors: names }) => [
      `### \`${method}\`\n`,
      `${summary} *(${kind}, ${direction})*\n`,
      `**Params**\n\n${rows(params)}`,
      ...(result ? [`**Result**\n\n${rows(result)}`] : []),
      ...(names.length ? [`**Errors**: ${names.map((name) => `\`${name}\``).join(', ')}\n`] : []),
    ]),
    '## Types\n',
    ...Object.entries(common).flatMap(([name, schema]) => [
      `### ${name}\n`,
      `${schema.description ?? ''}\n`,
      rows(schema),
    ]),
    '## Errors\n',
    'Every error object has `data.name` and `data.hint`, and `data.retryable`.\n',
    '| code | name | meaning | what to do | may succeed later |',
    '|---|---|---|---|---|',
    ...errors.map(
      ({ code, name, message, hint, retryable }) =>
        `| ${code} | \`${name}\` | ${message} | ${hint} | ${retryable ? 'yes' : ''} |`,
    ),
    '',
  ].join('\n');

const outputs = {
  'src/protocol/types.gen.ts': await format(readonlyTypes(await types()), {
    ...(await resolveConfig(join(root, 'src/protocol/types.gen.ts'))),
    parser: 'typescript',
  }),
  'src/errorTable.gen.ts': errorTable(),
  'openrpc.json': openrpc(),
  'docs/protocol.md': page(),
};

let stale = [];
for (const [path, text] of Object.entries(outputs)) {
  const full = join(root, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    continue;
  }
  let disk = '';
  try {
    disk = readFileSync(full, 'utf8');
  } catch {
    // A missing file is a difference.
  }
  if (disk !== text) stale.push(path);
}
if (stale.length > 0) {
  console.error(`out of date, run npm run generate: ${stale.join(', ')}`);
  process.exitCode = 1;
}

// The Python client's types have a printer of their own, in the language that reads them.
const python = process.platform === 'win32' ? 'python' : 'python3';
const printer = join(root, 'plugins/napari-py/tools/generate_types.py');
const { status, error } = spawnSync(python, [printer, ...process.argv.slice(2)], { stdio: 'inherit' });
if (error)
  console.error(
    `${python} was not found: the types in plugins/napari-py/src/sampo_client were left as they are`,
  );
else if (status !== 0) process.exitCode = 1;
