// Loaded before anything else, by any Node: only words that the oldest ones understand, and no file of ours.
import { readFileSync } from 'fs';
import { join } from 'path';

/** The oldest Node that `engines` of package.json allows, as numbers: major, minor. */
function oldestAllowed(): number[] {
  const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  const match = /"node": *">=([0-9]+)\.([0-9]+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2])] : [0, 0];
}

const oldest = oldestAllowed();
const running = process.versions.node.split('.').map(Number);
const tooOld =
  Number(running[0]) < Number(oldest[0]) ||
  (Number(running[0]) === Number(oldest[0]) && Number(running[1]) < Number(oldest[1]));
if (tooOld) {
  process.stderr.write(
    'sampo: this is Node ' +
      process.versions.node +
      ', and SAMPO needs Node ' +
      oldest.join('.') +
      ' or newer\n  install a newer Node (https://nodejs.org), or use the portable folder, which brings its own\n',
  );
  process.exit(1);
}
