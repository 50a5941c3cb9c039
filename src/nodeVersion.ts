// Loaded before anything else, by any Node: only words that the oldest ones understand, and no other file.

/** Major and minor number of the oldest Node that runs SAMPO: `engines` of package.json. */
const oldest = [20, 9] as const;

const running = process.versions.node.split('.').map(Number);
const [major = 0, minor = 0] = running;
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    'sampo: this is Node ' +
      process.versions.node +
      ', and SAMPO needs Node ' +
      oldest.join('.') +
      ' or newer\n  install a newer Node (https://nodejs.org), or use the portable folder, which brings its own\n',
  );
  process.exit(1);
}
export {};
