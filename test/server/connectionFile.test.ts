import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { processExists } from '../../src/server/connectionFile';

/** Returns when `done` holds; the test's own time limit ends what never comes. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('a process runs until it ends', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
  expect(processExists(child.pid!)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(processExists(child.pid!)).toBe(false);
  expect(processExists(process.pid)).toBe(true);
});

(existsSync('/proc/self/stat') ? test : test.skip)(
  'a process that ended but whose parent has not noticed counts as gone',
  async () => {
    // The shell becomes `sleep`, which never asks for its children.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
      const pid = Number(line);
      await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim() === 'sleep');
      expect(processExists(pid)).toBe(true);
      process.kill(pid, 'SIGKILL');
      await until(() => !processExists(pid));
      expect(() => process.kill(pid, 0)).not.toThrow();
    } finally {
      parent.kill('SIGKILL');
    }
  },
);
