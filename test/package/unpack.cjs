const { rmSync } = require('node:fs');

module.exports = async () => {
  rmSync(process.env.SAMPO_PACKED_FOLDER, { recursive: true, force: true });
};
