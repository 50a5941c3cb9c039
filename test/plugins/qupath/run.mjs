// The QuPath plugin's tests: its Groovy on Groovy 4 and 5, each on a real JVM, against the built server (dist/main.js).
//
//   node test/plugins/qupath/run.mjs [--report FILE] [--only TEXT]
//
// With QUPATH_HOME (the folder of a QuPath's jars, or a class path) the glue runs on QuPath's own classes and Groovy instead of
// the stand-ins, and the stand-ins are held against them. Prints each test and closes with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const root = join(here, '..', '..', '..');
const plugin = join(root, 'plugins', 'qupath-groovy');
const windows = process.platform === 'win32';
const { values: options } = parseArgs({ options: { report: { type: 'string' }, only: { type: 'string' } } });

/** Groovy and Gson as QuPath 0.5 and 0.7 bring them (0.6 has a later Groovy 4). Groovy 4 does not run on the newest Java. */
const PAIRINGS = [
  { name: 'Groovy 4.0.15', groovy: '4.0.15', gson: '2.10.1', javaAtLeast: 17, javaAtMost: 21 },
  { name: 'Groovy 5.0.4', groovy: '5.0.4', gson: '2.13.2', javaAtLeast: 17, javaAtMost: Infinity },
];

const tests = [];
const fail = (name, error) => tests.push({ name, ok: false, error });

/** Every JDK or JRE of this machine: JAVA_HOME, the usual folder, the one on the PATH. */
function javas() {
  const homes = [process.env.JAVA_HOME, ...(process.env.JAVA_HOMES ?? '').split(delimiter)];
  const usual = '/usr/lib/jvm';
  if (existsSync(usual)) homes.push(...readdirSync(usual).map((name) => join(usual, name)));
  const commands = homes.filter(Boolean).map((home) => join(home, 'bin', windows ? 'java.exe' : 'java'));
  const found = new Map();
  for (const command of [...commands.filter((path) => existsSync(path)), 'java']) {
    const { status, stderr } = spawnSync(command, ['-version'], { encoding: 'utf8' });
    const version = status === 0 && /version "(\d+)/.exec(stderr)?.[1];
    if (version && !found.has(Number(version))) found.set(Number(version), command);
  }
  return found;
}

/** The jars of a pairing, fetched once by Maven's own client. */
function jars({ groovy, gson }) {
  const folder = join(tmpdir(), `sampo-qupath-jars-${groovy}-${gson}`);
  if (!existsSync(join(folder, 'complete'))) {
    rmSync(folder, { recursive: true, force: true });
    const settings = [`-DoutputDirectory=${folder}`, `-Dgroovy.version=${groovy}`, `-Dgson.version=${gson}`];
    const command = ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies', ...settings];
    const { status, error } = spawnSync('mvn', command, { stdio: 'inherit', shell: windows });
    if (status !== 0) throw new Error(`mvn could not bring the jars (${error?.message ?? `exit ${status}`})`);
    writeFileSync(join(folder, 'complete'), '');
  }
  return jarsBelow(folder);
}

function jarsBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.jar'))
    .map((name) => join(folder, name));
}

/** QuPath's own jars where they are given. */
function realJars() {
  const home = process.env.QUPATH_HOME;
  if (!home) return undefined;
  if (home.includes(delimiter) || home.endsWith('.jar') || home.endsWith('*')) return home.split(delimiter);
  if (!statSync(home, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`QUPATH_HOME is no folder: ${home}`);
  return jarsBelow(home);
}

/** Runs one test file and takes its lines of JSON in. */
function runSuite(label, java, classPath, suite) {
  const scratch = mkdtempSync(join(tmpdir(), 'sampo-qupath-'));
  const out = join(scratch, 'results.jsonl');
  const env = {
    ...process.env,
    SAMPO_TEST_OUT: out,
    SAMPO_TEST_SCRATCH: scratch,
    // Where the scripts of the plugin look for a server.
    SAMPO_STATE: join(scratch, 'scripts'),
    SAMPO_TEST_ROOT: root,
    SAMPO_TEST_NODE: process.execPath,
    SAMPO_TEST_ONLY: options.only ?? '',
  };
  const settings = ['-Xmx2g', '-Djava.awt.headless=true', '--enable-native-access=ALL-UNNAMED'];
  const command = [...settings, '-cp', classPath.join(delimiter), 'groovy.ui.GroovyMain', join(here, suite)];
  const { status, error } = spawnSync(java, command, { cwd: root, env, stdio: 'inherit' });
  const lines = existsSync(out) ? readFileSync(out, 'utf8').split('\n').filter(Boolean) : [];
  for (const line of lines) {
    const test = JSON.parse(line);
    tests.push({ ...test, name: `${label}, ${suite}: ${test.name}` });
  }
  if (status !== 0 || lines.length === 0)
    fail(
      `${label}, ${suite}`,
      error?.message ?? `ended with exit code ${status} after ${lines.length} tests`,
    );
  rmSync(scratch, { recursive: true, force: true });
}

if (!existsSync(join(root, 'dist', 'main.js')))
  fail('the built server', 'dist/main.js is missing: npm run build');
const available = javas();
if (available.size === 0) fail('a Java runtime', 'install a JDK of version 17 or newer');
const sources = [join(plugin, 'src'), here];

/** The jar that ships must hold the sources as they are. */
function checkJar() {
  const jar = join(plugin, 'qupath-extension-sampo.jar');
  const scratch = mkdtempSync(join(tmpdir(), 'sampo-qupath-jar-'));
  try {
    const command = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'jar') : 'jar';
    const { status, error } = spawnSync(command, ['--extract', '--file', jar], { cwd: scratch });
    if (status !== 0) throw new Error(error?.message ?? 'it cannot be read');
    const listed = readFileSync(join(scratch, 'sampo', 'sources.txt'), 'utf8')
      .split('\n')
      .filter(Boolean);
    const src = join(plugin, 'src');
    const present = readdirSync(src, { recursive: true }).filter((name) => name.endsWith('.groovy'));
    const differ = present.filter((name) => {
      const packed = join(scratch, name);
      return !existsSync(packed) || !readFileSync(packed).equals(readFileSync(join(src, name)));
    });
    if (differ.length > 0 || listed.length !== present.length)
      throw new Error(
        `not what src holds (${differ.join(', ')}): run plugins/qupath-groovy/extension/build.mjs`,
      );
    if (!existsSync(join(scratch, 'sampo', 'extension', 'SampoExtension.class')))
      throw new Error('its class is missing');
    tests.push({ name: 'the jar holds the sources as they are', ok: true });
  } catch (error) {
    fail('the jar holds the sources as they are', error.message);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

checkJar();

if (available.size > 0 && existsSync(join(root, 'dist', 'main.js'))) {
  let real;
  try {
    real = realJars();
  } catch (error) {
    fail('QUPATH_HOME', error.message);
  }
  if (real) {
    // Its own Groovy is among its jars; the newest Java that is here fits the newest QuPath, JAVA_HOME any other.
    const java = process.env.JAVA_HOME
      ? join(process.env.JAVA_HOME, 'bin', 'java')
      : available.get(Math.max(...available.keys()));
    for (const suite of ['transport.groovy', 'glue.groovy', 'badInput.groovy', 'signatures.groovy'])
      runSuite('real QuPath', java, [...sources, ...real], suite);
  } else {
    for (const pairing of PAIRINGS) {
      const fitting = [...available.keys()].filter(
        (v) => v >= pairing.javaAtLeast && v <= pairing.javaAtMost,
      );
      if (fitting.length === 0) {
        fail(pairing.name, `no Java of version ${pairing.javaAtLeast} to ${pairing.javaAtMost} is installed`);
        continue;
      }
      const version = Math.max(...fitting);
      const label = `${pairing.name} on Java ${version}`;
      let classPath;
      try {
        classPath = jars(pairing);
      } catch (error) {
        fail(label, error.message);
        continue;
      }
      runSuite(label, available.get(version), [...sources, ...classPath], 'transport.groovy');
      for (const suite of ['glue.groovy', 'badInput.groovy'])
        runSuite(label, available.get(version), [...sources, join(here, 'standins'), ...classPath], suite);
    }
  }
}

const failed = tests.filter(({ ok }) => !ok);
const report = { passed: tests.length - failed.length, failed: failed.length, tests };
if (options.report) {
  mkdirSync(join(options.report, '..'), { recursive: true });
  writeFileSync(options.report, JSON.stringify(report, undefined, 2));
}
for (const { name, error } of failed) console.error(`FAILED ${name}\n  ${error}`);
console.log(`${report.passed} passed, ${report.failed} failed`);
process.exitCode = failed.length === 0 && tests.length > 0 ? 0 : 1;
