import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../src/commands/doctor/finding';
import { packageChecks } from '../../src/commands/doctor/packageChecks';
import { runCommandLine } from '../../src/commands/run';
import { startServer } from '../../src/composition';
import { PACKAGE_ROOT } from '../../src/packageFiles';
import { checkModelFiles, readManifest } from '../../src/services/models/modelManifest';
import { TEST_DEVICE } from '../support/testDevice';

const folder = mkdtempSync(join(tmpdir(), 'sampo doctor '));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function doctor(state: string, ...more: string[]) {
  let out = '';
  const code = await runCommandLine(['doctor', '--state', state, '--device', TEST_DEVICE, ...more], {
    env: process.env,
    platform: process.platform,
    out: (text) => (out += text),
    err: (text) => (out += text),
    signal: new AbortController().signal,
  });
  return { code, out };
}

async function finding(check: string, state: string): Promise<Finding | undefined> {
  const { out } = await doctor(state, '--json');
  return (JSON.parse(out) as Finding[]).find((one) => one.check === check);
}

/** What is looked at of a package, copied so that it can be damaged. */
function copyOfPackage(name: string): string {
  const root = join(folder, name);
  for (const part of ['schemas', 'models'])
    cpSync(join(PACKAGE_ROOT, part), join(root, part), { recursive: true });
  return root;
}

test('one line for each thing, and exit code 0 where nothing needs doing', async () => {
  const { code, out } = await doctor(join(folder, 'sound'));
  const checks = ['version', 'Node', 'engine', 'contract', 'model sampo-tiny', 'device', 'state', 'server', 'QuPath', 'napari', 'OpenSlide']; // prettier-ignore
  for (const check of checks) expect(out).toMatch(new RegExp(`^(ok|-) +${check} `, 'm'));
  expect(out).not.toMatch(/^!!/m);
  expect(code).toBe(0);
});

test('it leaves no state folder behind that was not there', async () => {
  const state = join(folder, 'not', 'there');
  expect(await finding('state', state)).toMatchObject({ state: 'ok' });
  expect(() => readFileSync(join(folder, 'not'))).toThrow(/ENOENT/);
});

test('a state folder that cannot be written needs doing: exit code 1', async () => {
  const file = join(folder, 'a file');
  writeFileSync(file, '');
  const { code, out } = await doctor(join(file, 'state'));
  expect(code).toBe(1);
  expect(out).toMatch(/^!! +state .*a file.* cannot be written: .*\n +→ .*--state, or SAMPO_STATE/m);
});

test.each([
  ['missing', (file: string) => rmSync(file), /encoder\.onnx is missing/],
  ['cut', (file: string) => truncateSync(file, 1000), /encoder\.onnx has 1000 bytes, not \d+: it was cut/],
  [
    'changed',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes[5000]! ^= 1;
      writeFileSync(file, bytes);
    },
    /encoder\.onnx is not the one that was made/,
  ],
])('a model file that is %s is named', (name, damage, expected) => {
  const root = copyOfPackage(name);
  damage(join(root, 'models', 'sampo-tiny', 'encoder.onnx'));
  const found = packageChecks(root);
  expect(found.find(({ check }) => check === 'model sampo-tiny')).toMatchObject({
    state: 'problem',
    found: expect.stringMatching(expected) as string,
    advice: expect.stringMatching(/install it again/) as string,
  });
  expect(found.find(({ check }) => check === 'model sampo-tiny-int8')).toMatchObject({ state: 'ok' });
});

test('a server does not start on a model file that is missing or cut, and names it', () => {
  const model = join(copyOfPackage('for a server'), 'models', 'sampo-tiny');
  const manifest = readManifest(model);
  expect(() => checkModelFiles(model, manifest)).not.toThrow();
  truncateSync(join(model, 'decoder.onnx'), 7);
  expect(() => checkModelFiles(model, manifest)).toThrow(/decoder\.onnx has 7 bytes/);
  rmSync(join(model, 'decoder.onnx'));
  expect(() => checkModelFiles(model, manifest)).toThrow(/decoder\.onnx is missing/);
});

test('the running server: version, protocol, and what it may read', async () => {
  const state = join(folder, 'running');
  expect(await finding('server', state)).toMatchObject({ state: 'note', found: 'none runs' });
  const server = await startServer({ stateFolder: state, device: TEST_DEVICE, roots: [folder] });
  const found = await finding('server', state);
  await server.close();
  expect(found).toMatchObject({ state: 'ok' });
  expect(found?.found).toContain(
    `at ${server.url}, process ${process.pid}, protocol 1.0, reads images below`,
  );
});

test('a connection file that a killed server left is no server', async () => {
  const state = join(folder, 'killed');
  mkdirSync(state);
  const left = { url: 'ws://127.0.0.1:1/rpc', token: 't', pid: 2 ** 22 + 1, protocolVersion: '1.0' };
  writeFileSync(join(state, 'connection.json'), JSON.stringify(left));
  expect(await finding('server', state)).toMatchObject({
    state: 'note',
    found: expect.stringContaining('left over from process') as string,
  });
});
