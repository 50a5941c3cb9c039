module.exports = {
  testEnvironment: '<rootDir>/test/environment/outerRealm.cjs',
  globalSetup: '<rootDir>/test/environment/deviceCheck.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // They pack and install: a run of their own, jest.package.config.cjs.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/package/'],
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  testTimeout: 300_000,
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
};
