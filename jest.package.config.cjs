// The package as a user gets it: packed once, installed in an empty folder, unpacked as a portable folder.
const { testPathIgnorePatterns, ...shared } = require('./jest.config.cjs');

module.exports = {
  ...shared,
  globalSetup: '<rootDir>/test/package/pack.cjs',
  globalTeardown: '<rootDir>/test/package/unpack.cjs',
  testMatch: ['<rootDir>/test/package/**/*.test.ts'],
  testTimeout: 300000,
};
