// Runs one TypeScript benchmark: `node bench/run.mjs outlines [arguments]`. Compiles on load with swc, as the tests do.
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const here = dirname(fileURLToPath(import.meta.url));
Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, filename);
};
const [name = '', ...rest] = process.argv.slice(2);
process.argv = [process.argv[0], name, ...rest];
createRequire(import.meta.url)(resolve(here, `${name}.ts`));
