import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/commands/run';
import { qupathUserFolders, userFolderOf } from '../../src/commands/qupathFolders';

const root = join(__dirname, '..', '..');
const jar = join(root, 'plugins', 'qupath-groovy', 'qupath-extension-sampo.jar');

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sampo-plugin-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function plugin(...argv: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await runCommandLine(['plugin', ...argv, '--state', join(folder, 'state')], {
    env: {},
    platform: 'linux',
    out: (line) => (text += line),
    err: (line) => (text += line),
    signal: new AbortController().signal,
  });
  return { code, text };
}

/** A user folder of QuPath, empty. */
function userFolder(): string {
  const made = join(folder, 'v0.7');
  mkdirSync(made);
  return made;
}

test('install brings the extension and the scripts, and notes how to start the server', async () => {
  const to = userFolder();
  const { code, text } = await plugin('install', 'qupath', '--to', to);
  expect(code).toBe(0);
  expect(readFileSync(join(to, 'extensions', 'qupath-extension-sampo.jar'))).toEqual(readFileSync(jar));
  expect(readdirSync(join(to, 'scripts', 'SAMPO')).sort()).toEqual([
    'BatchProject.groovy',
    'FindAllLike.groovy',
    'RefineFromEdits.groovy',
  ]);
  expect(readFileSync(join(folder, 'state', 'start-command.txt'), 'utf8')).toBe(
    `${process.execPath}\n${join(root, 'dist', 'main.js')}\n`,
  );
  expect(text).toContain('brought extensions');
});

test('a second install does nothing twice, and replaces what is older', async () => {
  const to = userFolder();
  await plugin('install', 'qupath', '--to', to);
  writeFileSync(join(to, 'extensions', 'qupath-extension-sampo.jar'), 'an older one');
  const { code, text } = await plugin('install', 'qupath', '--to', join(to, 'extensions'));
  expect(code).toBe(0);
  expect(text).toContain('replaced the older extensions');
  expect(text).toContain('already there: scripts');
  expect(readdirSync(join(to, 'extensions'))).toHaveLength(1);
});

test('uninstall takes back what install brought, and keeps a script that was changed', async () => {
  const to = userFolder();
  await plugin('install', 'qupath', '--to', to);
  const changed = join(to, 'scripts', 'SAMPO', 'FindAllLike.groovy');
  writeFileSync(changed, '// mine now');
  const { code, text } = await plugin('uninstall', 'qupath', '--to', to);
  expect(code).toBe(0);
  expect(text).toContain('kept, since you have changed it: scripts');
  expect(readdirSync(join(to, 'extensions'))).toEqual([]);
  expect(readdirSync(join(to, 'scripts', 'SAMPO'))).toEqual(['FindAllLike.groovy']);
  expect(existsSync(join(folder, 'state', 'start-command.txt'))).toBe(false);
  expect((await plugin('uninstall', 'qupath', '--to', to)).text).not.toContain('removed');
});

test.each([
  [['install', 'qupath', '--to', '/no/such/folder'], 1, 'is no folder'],
  [['install', 'fiji'], 2, 'no plugin for "fiji"'],
  [['install'], 2, 'no plugin for ""'],
  [['remove', 'qupath'], 2, 'plugin takes'],
])('%j ends with %d and says why', async (argv, code, said) => {
  const answer = await plugin(...argv);
  expect(answer.code).toBe(code);
  expect(answer.text).toContain(said);
});

test("QuPath's user folders: those it proposes and those it noted, of versions that the plugin runs in", () => {
  const home = join(folder, 'home');
  const mine = join(folder, 'QuPath & mine');
  for (const path of ['QuPath/v0.4', 'QuPath/v0.5', 'QuPath/v0.7', 'QuPath/other', '.java/.userPrefs/_x/_y'])
    mkdirSync(join(home, path), { recursive: true });
  mkdirSync(mine);
  writeFileSync(
    join(home, '.java', '.userPrefs', '_x', '_y', 'prefs.xml'),
    `<map MAP_XML_VERSION="1.0"><entry key="userPath" value="${mine.replace('&', '&amp;')}"/></map>`,
  );
  writeFileSync(
    join(home, '.java', '.userPrefs', '_x', 'prefs.xml'),
    '<map><entry key="userPath" value="/gone"/></map>',
  );
  expect(qupathUserFolders(home)).toEqual(
    [join(home, 'QuPath', 'v0.5'), join(home, 'QuPath', 'v0.7'), mine].sort(),
  );
  expect(qupathUserFolders(join(folder, 'nobody'))).toEqual([]);
  expect(userFolderOf(join(mine, 'extensions'))).toBe(mine);
});
