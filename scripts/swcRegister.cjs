// Lets a plain `node -r` process (the engine's child under jest, a benchmark) load the TypeScript sources without a build.
// Developers only: an installed package has dist/ and never loads this file.
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    // A package of ES modules alone (zarrita) is imported as Node imports it.
    module: { type: 'commonjs', ignoreDynamic: true },
    sourceMaps: 'inline',
  });
  module._compile(code, filename);
};
