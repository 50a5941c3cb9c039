import type { TiffDirectory } from './tiffTags';

/** TIFF types of offsets: 32 and 64 bit. */
const SHORT_OFFSET = 4;
const LONG_OFFSET = 16;

/**
 * The planes of a stack that has one directory: uncompressed, each following the one before (ImageJ above 4 GB).
 * @returns undefined when the planes cannot be found that way
 */
export function stackDirectories(first: TiffDirectory, count: number): TiffDirectory[] | undefined {
  const { compression, tile, width, height, samplesPerPixel, bitsPerSample, blockOffsets } = first;
  const bytes = blockOffsets?.bytes;
  if (tile !== undefined || compression !== 1 || blockOffsets === undefined || bytes === undefined)
    return undefined;
  if (![SHORT_OFFSET, LONG_OFFSET].includes(blockOffsets.type)) return undefined;
  const planeBytes = (width * height * samplesPerPixel * (bitsPerSample[0] ?? 8)) / 8;
  const offset = (index: number): bigint => {
    if (blockOffsets.type === SHORT_OFFSET)
      return BigInt(first.littleEndian ? bytes.readUInt32LE(index * 4) : bytes.readUInt32BE(index * 4));
    return first.littleEndian ? bytes.readBigUInt64LE(index * 8) : bytes.readBigUInt64BE(index * 8);
  };
  return Array.from({ length: count }, (_, plane) => {
    // Planes beyond 4 GB need wide offsets, whatever the file's own are.
    const shifted = Buffer.alloc(blockOffsets.count * 8);
    for (let index = 0; index < blockOffsets.count; index += 1) {
      const value = offset(index) + BigInt(plane * planeBytes);
      if (first.littleEndian) shifted.writeBigUInt64LE(value, index * 8);
      else shifted.writeBigUInt64BE(value, index * 8);
    }
    return { ...first, blockOffsets: { ...blockOffsets, type: LONG_OFFSET, bytes: shifted } };
  });
}
