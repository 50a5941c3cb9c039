import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileChecked, sha256, writeFileAtomic } from '../../src/store/files';
import { defaultStateFolder } from '../../src/store/stateFolder';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

test('sha256 of a known text', () => {
  expect(sha256(bytes('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('a file is replaced as a whole, read back by its checksum, and nothing else is left', async () => {
  const path = join(folder, 'weights.bin');
  await writeFileAtomic(path, bytes('old'));
  const checksum = await writeFileAtomic(path, bytes('new'));
  expect(Buffer.from(await readFileChecked(path, checksum)).toString()).toBe('new');
  expect(readdirSync(folder)).toEqual(['weights.bin']);
});

test('other bytes are FileDamaged, no file is FileNotFound', async () => {
  const path = join(folder, 'weights.bin');
  const checksum = await writeFileAtomic(path, bytes('weights'));
  writeFileSync(path, 'weighty');
  await expect(readFileChecked(path, checksum)).rejects.toMatchObject({ errorName: 'FileDamaged' });
  rmSync(path);
  await expect(readFileChecked(path, checksum)).rejects.toMatchObject({ errorName: 'FileNotFound' });
});

test('a write that fails leaves the old file and no part of the new one', async () => {
  const path = join(folder, 'weights.bin');
  await writeFileAtomic(path, bytes('old'));
  // A folder in the way makes the rename fail after everything was written.
  await expect(writeFileAtomic(folder, bytes('new'))).rejects.toThrow();
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['weights.bin']);
});

test.each([
  ['linux', {}, '/home/ada', '/home/ada/.local/state/sampo'],
  ['linux', { XDG_STATE_HOME: '/var/ada' }, '/home/ada', '/var/ada/sampo'],
  ['linux', { XDG_STATE_HOME: 'relative' }, '/home/ada', '/home/ada/.local/state/sampo'],
  ['darwin', { XDG_STATE_HOME: '/var/ada' }, '/Users/ada', '/Users/ada/Library/Application Support/sampo'],
  ['win32', { LOCALAPPDATA: 'C:\\Users\\ada\\Local' }, 'C:\\Users\\ada', 'C:\\Users\\ada\\Local\\sampo'],
  ['win32', {}, 'C:\\Users\\ada', 'C:\\Users\\ada\\AppData\\Local\\sampo'],
] as const)('state folder on %s with %p', (platform, env, home, expected) => {
  expect(defaultStateFolder(platform, env, home)).toBe(expected);
});
