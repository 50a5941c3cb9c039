// Makes the QuPath extension: one class compiled for Java 17, the Groovy sources beside it. Needs a JDK (17 or newer).
//
//   node plugins/qupath-groovy/extension/build.mjs [--out FILE] [--catalog FILE --repository https://github.com/OWNER/NAME]
//
// The jar is the same, byte for byte, for the same sources and JDK.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const plugin = join(here, '..');
const { version } = JSON.parse(readFileSync(join(plugin, '..', '..', 'package.json'), 'utf8'));
const { values: options } = parseArgs({
  options: { out: { type: 'string' }, catalog: { type: 'string' }, repository: { type: 'string' } },
});

function tool(name, args) {
  const path = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', name) : name;
  const { status, error } = spawnSync(path, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    throw new Error(
      `${name} failed${error ? `: ${error.message}` : ''}; a JDK of version 17 or newer is needed`,
    );
}

/** Every Groovy source below src, as the class path names it. */
export function sources() {
  const src = join(plugin, 'src');
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.groovy'))
    .map((entry) =>
      relative(src, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort();
}

function buildJar(out) {
  const work = mkdtempSync(join(tmpdir(), 'sampo-extension-'));
  try {
    const classes = join(work, 'classes');
    mkdirSync(classes);
    const java = [
      'SampoExtension.java',
      'standins/qupath/lib/gui/QuPathGUI.java',
      'standins/qupath/lib/gui/extensions/QuPathExtension.java',
    ];
    tool('javac', [
      '--release',
      '17',
      '-Xlint:all',
      '-Werror',
      '-d',
      classes,
      ...java.map((file) => join(here, file)),
    ]);
    rmSync(join(classes, 'qupath'), { recursive: true });
    cpSync(join(here, 'META-INF'), join(classes, 'META-INF'), { recursive: true });
    cpSync(join(plugin, 'src'), classes, { recursive: true });
    writeFileSync(join(classes, 'sampo', 'sources.txt'), `${sources().join('\n')}\n`);
    writeFileSync(
      join(work, 'manifest.txt'),
      `Implementation-Title: SAMPO for QuPath\nImplementation-Version: ${version}\n`,
    );
    mkdirSync(dirname(out), { recursive: true });
    const date = '--date=2026-01-01T00:00:00Z';
    tool('jar', [
      '--create',
      '--file',
      out,
      '--manifest',
      join(work, 'manifest.txt'),
      date,
      '-C',
      classes,
      '.',
    ]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The catalogue that QuPath's extension manager reads. */
function writeCatalog(file, repository) {
  if (!/^https:\/\/github\.com\/[^/]+\/[^/]+$/.test(repository ?? ''))
    throw new Error(
      '--catalog needs --repository https://github.com/OWNER/NAME: QuPath takes extensions from there alone',
    );
  const text = readFileSync(join(here, 'catalog.template.json'), 'utf8');
  writeFileSync(file, text.replaceAll('{repository}', repository).replaceAll('{version}', version));
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) {
  const out = resolve(options.out ?? join(plugin, 'qupath-extension-sampo.jar'));
  buildJar(out);
  if (options.catalog) writeCatalog(resolve(options.catalog), options.repository);
  console.log(out);
}
