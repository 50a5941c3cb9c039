import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TEST_DEVICE } from '../support/testDevice';

const ROOT = join(__dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sampo commands-'));
const state = join(folder, 'state');
const connectionFile = join(state, 'connection.json');
// The sources themselves, as a real process; the package runs the same files compiled.
const SAMPO = ['-r', join(ROOT, 'scripts/swcRegister.cjs'), join(ROOT, 'src/main.ts')];
const env = { ...process.env, SAMPO_STATE: state, SAMPO_DEVICE: TEST_DEVICE };

function sampo(argv: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SAMPO, ...argv], {
    encoding: 'utf8',
    env,
    input,
  });
  return { status, stdout, stderr };
}

function start(argv: string[] = []): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [...SAMPO, 'serve', '--json', ...argv], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (complaint += part));
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(complaint)));
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.endsWith('\n')) resolve({ child, line: text });
    });
  });
}

const TIMEOUT = 120_000;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['segment', 'intents', 'models', 'serve', 'status', 'stop', 'call'])(
  '%s --help teaches and names the exit codes',
  (name) => {
    const { status, stdout, stderr } = sampo([name, '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^usage: sampo ${name}[^]*exit codes: 0`));
  },
  TIMEOUT,
);

test.each([
  ['no command', []],
  ['an unknown command', ['sevre']],
  ['an unknown flag', ['serve', '--prot', '1']],
  ['a port that is none', ['serve', '--port', '99999']],
  ['params that are not JSON', ['call', 'server/status', '{']],
])(
  '%s: exit code 2 and the usage',
  (_, argv) => {
    const { status, stdout, stderr } = sampo(argv);
    expect(status).toBe(2);
    expect(stdout + stderr).toContain('usage: sampo');
  },
  TIMEOUT,
);

test.each(['status', 'stop'])(
  '%s without a server: exit code 3 and a hint',
  (name) => {
    const { status, stderr } = sampo([name]);
    expect(status).toBe(3);
    expect(stderr).toContain('sampo serve');
  },
  TIMEOUT,
);

test(
  'serve, status, call, a second serve, stop',
  async () => {
    // Left over from a server that was killed; its process id belongs to someone else by now.
    const stale = { url: 'ws://127.0.0.1:1/rpc', token: 'old', pid: process.pid, protocolVersion: '1.0' };
    mkdirSync(state, { recursive: true });
    writeFileSync(connectionFile, JSON.stringify(stale));
    const { child, line } = await start();
    try {
      const ready = JSON.parse(line) as { url: string; pid: number; connectionFile: string };
      expect(ready).toEqual({
        url: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/rpc$/) as string,
        pid: child.pid,
        connectionFile,
      });
      const info = JSON.parse(readFileSync(connectionFile, 'utf8')) as Record<string, unknown>;
      expect(info).toEqual({
        url: ready.url,
        pid: child.pid,
        token: expect.any(String) as string,
        protocolVersion: '1.0',
      });
      if (process.platform !== 'win32') expect(statSync(connectionFile).mode & 0o777).toBe(0o600);

      expect(JSON.parse(sampo(['status']).stdout)).toMatchObject({ pid: child.pid, clients: 1 });
      const discovered = sampo(['call', 'rpc.discover']);
      expect(JSON.parse(discovered.stdout)).toHaveProperty('openrpc');
      expect(JSON.parse(sampo(['call', 'server/status', '-'], '{}').stdout)).toMatchObject({
        pid: child.pid,
      });
      const refused = sampo(['call', 'model/run', '{"modelId": "none", "feeds": {}}']);
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toMatch(/^sampo call: .*none.*\n {2}\w/);

      const second = sampo(['serve']);
      expect(second.status).toBe(1);
      expect(second.stderr).toContain(ready.url);
      expect(second.stderr).toContain(String(child.pid));
      const port = new URL(ready.url).port;
      const elsewhere = sampo(['serve', '--state', join(folder, 'elsewhere'), '--port', port]);
      expect(elsewhere.status).toBe(1);
      expect(elsewhere.stderr).toContain(`port ${port} is in use`);

      const ended = new Promise((resolve) => child.once('exit', resolve));
      // Not spawnSync: this process has to take note of its child's end, or the child stays visible.
      const stop = await promisify(execFile)(process.execPath, [...SAMPO, 'stop'], { env });
      expect(stop).toEqual({ stdout: 'stopped\n', stderr: '' });
      expect(await ended).toBe(0);
      expect(existsSync(connectionFile)).toBe(false);
    } finally {
      child.kill('SIGKILL');
    }
  },
  TIMEOUT,
);
