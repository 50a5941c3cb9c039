import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const PARENT = `
  const { createEngineClient } = require('./src/engine/engineClient.ts');
  createEngineClient({ device: 'cpu', threads: 1 }).then((engine) => engine.status()).then(({ pid }) => console.log(pid));
`;

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the engine process ends when its parent is killed', async () => {
  const parent = spawn(process.execPath, ['-r', './scripts/swcRegister.cjs', '-e', PARENT], { cwd: ROOT });
  let output = '';
  const enginePid = await new Promise<number>((resolve) => {
    parent.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.endsWith('\n')) resolve(Number(output));
    });
  });
  expect(alive(enginePid)).toBe(true);
  const ended = new Promise((resolve) => parent.once('exit', resolve));
  parent.kill('SIGKILL');
  await ended;
  while (alive(enginePid)) await new Promise((resolve) => setTimeout(resolve, 20));
});
