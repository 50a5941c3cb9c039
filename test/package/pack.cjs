const { execFileSync } = require('node:child_process');
const { mkdtempSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** `npm pack` as for a release; SAMPO_PACKED names the file, SAMPO_PACKED_FOLDER the folder to remove. */
module.exports = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-packed-'));
  const printed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(__dirname, '../..'),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    shell: process.platform === 'win32',
  });
  // What the scripts of the package print comes before the JSON.
  const [{ filename }] = JSON.parse(printed.slice(printed.indexOf('[\n')));
  process.env.SAMPO_PACKED = join(folder, filename);
  process.env.SAMPO_PACKED_FOLDER = folder;
};
