import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** The server programs that a queue works with, in the order in which they are taken. */
const PROGRAMS = ['valkey-server', 'redis-server'];

/** A Redis or Valkey of a test's own: on loopback, with nothing kept on the disk. */
export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sampo-redis-'));
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
  ) {}

  /** @throws Error that says what to install, where there is no such program */
  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, or starts it again: empty, on the same port. */
  async start(): Promise<void> {
    const own = ['--bind', '127.0.0.1', '--port', String(this.port), '--save', '', '--appendonly', 'no'];
    const child = spawn(program(), [...own, '--dir', this.#folder, ...this.options], { stdio: 'ignore' });
    this.#child = child;
    let ended = false;
    child.once('exit', () => (ended = true));
    const port = this.options.includes('--tls-port') ? Number(this.options[1]) : this.port;
    while (!(await answers(port))) {
      if (ended) throw new Error(`${program()} ended at its start`);
      await wait(20);
    }
  }

  /** Ends it at once; what it held is lost. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function program(): string {
  const found = PROGRAMS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (found === undefined)
    throw new Error(
      'the tests of workers need Redis or Valkey: install it (Debian and Ubuntu: apt-get install redis-server; macOS: brew install valkey)',
    );
  return found;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
