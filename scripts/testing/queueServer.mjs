// The tests of workers need a Redis or Valkey server program. On Debian and Ubuntu, as root, it is installed where it is missing;
// elsewhere this says what to install, and those tests fail with the same sentence.
import { spawnSync } from 'node:child_process';

const answers = (program) => spawnSync(program, ['--version']).status === 0;

if (!answers('valkey-server') && !answers('redis-server')) {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && answers('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
    ])
      spawnSync('apt-get', args, { env, stdio: 'inherit' });
  }
  if (!answers('redis-server'))
    console.error(
      'the tests of workers need Redis or Valkey: install it (Debian and Ubuntu: apt-get install redis-server; macOS: brew install valkey)',
    );
}
