import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** ELF e_machine, Mach-O cputype and PE Machine → Node's name of the processor. */
const ELF = new Map([
  [0x3e, 'x64'],
  [0xb7, 'arm64'],
]);
const MACH_O = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);
const PE = new Map([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);

/** What a native file runs on, as `os/cpu` in Node's names, read from its header; undefined for any other file. */
export function nativePlatform(path) {
  const header = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  const length = readSync(file, header, 0, header.length, 0);
  closeSync(file);
  if (length < 64) return undefined;
  if (header.readUInt32BE(0) === 0x7f454c46) return `linux/${ELF.get(header.readUInt16LE(18)) ?? 'unknown'}`;
  if (header.readUInt32LE(0) === 0xfeedfacf)
    return `darwin/${MACH_O.get(header.readUInt32LE(4)) ?? 'unknown'}`;
  if (header.readUInt32BE(0) === 0xcafebabe) return 'darwin/universal';
  if (header.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const start = header.readUInt32LE(0x3c);
  if (start > length - 6 || header.toString('latin1', start, start + 4) !== 'PE\0\0') return undefined;
  return `win32/${PE.get(header.readUInt16LE(start + 4)) ?? 'unknown'}`;
}

/** Paths of all files below a folder, relative to it, with `/`. */
export function filesBelow(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });
}

/**
 * What is wrong with the native files of a folder: `foreign` ones of another platform, and parts that are `missing`.
 * @param wanted `os/cpu` in Node's names
 */
export function nativeFaults(folder, wanted) {
  const natives = filesBelow(folder)
    .map((path) => ({ path, platform: nativePlatform(join(folder, path)) }))
    .filter(({ platform }) => platform !== undefined);
  const foreign = natives.filter(({ platform }) => platform !== wanted);
  const missing = Object.entries({
    "Node's own binary": /^node\/node(\.exe)?$/,
    'ONNX Runtime': /onnxruntime_binding\.node$/,
    "ONNX Runtime's library": /(libonnxruntime\.[^/]*|onnxruntime\.dll)$/,
    libsql: /@libsql\/[^/]+\/index\.node$/,
    sharp: /@img\/sharp-[^/]+\/.*\.node$/,
    libvips: /libvips-cpp[^/]*$|libvips-[^/]*\.dll$/,
  })
    .filter(([, pattern]) => !natives.some(({ path, platform }) => platform === wanted && pattern.test(path)))
    .map(([name]) => name);
  return {
    foreign: foreign.map(({ path, platform }) => `${path} (${platform})`),
    missing,
    natives: natives.map(({ path }) => path),
  };
}
