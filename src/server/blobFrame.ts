import { BridgeError } from '../errors';

/** Pixels that travelled as a binary frame. */
export interface Blob {
  readonly blob: string;
  readonly encoding: 'png' | 'jpeg' | 'raw';
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bytes: Uint8Array;
}

const HEADER_LIMIT = 4096;

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 1 << 20;
}

/**
 * Reads a binary frame: header length (4 bytes, little-endian), JSON header `{ blob, encoding, width, height, channels }`, bytes.
 * @throws BridgeError InvalidParams when the frame does not hold what it says
 */
export function readBlobFrame(frame: Uint8Array): Blob {
  const bad = (why: string) =>
    new BridgeError('InvalidParams', `binary frame: ${why}`, {
      problems: [{ pointer: '', expected: 'header length, JSON header, bytes' }],
    });
  if (frame.byteLength < 4) throw bad('shorter than its header length');
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0, true);
  if (length > HEADER_LIMIT || 4 + length > frame.byteLength)
    throw bad(`a header of ${length} bytes does not fit`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(4, 4 + length)));
  } catch {
    throw bad('the header is not JSON in UTF-8');
  }
  if (typeof header !== 'object' || header === null) throw bad('the header is not an object');
  const { blob, encoding, width, height, channels } = header as Record<string, unknown>;
  if (typeof blob !== 'string' || blob.length === 0 || blob.length > 200)
    throw bad('blob must be a name of 1 to 200 characters');
  if (encoding !== 'png' && encoding !== 'jpeg' && encoding !== 'raw')
    throw bad('encoding must be png, jpeg or raw');
  if (!isCount(width) || !isCount(height) || !isCount(channels) || channels > 4)
    throw bad('width, height and channels (1 to 4) must be positive integers');
  const bytes = frame.subarray(4 + length);
  if (encoding === 'raw' && bytes.byteLength !== width * height * channels)
    throw bad(`raw pixels need ${width * height * channels} bytes, got ${bytes.byteLength}`);
  return { blob, encoding, width, height, channels, bytes };
}

/** Writes a binary frame; the inverse of `readBlobFrame`. */
export function writeBlobFrame({ bytes, ...header }: Blob): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const frame = new Uint8Array(4 + text.byteLength + bytes.byteLength);
  new DataView(frame.buffer).setUint32(0, text.byteLength, true);
  frame.set(text, 4);
  frame.set(bytes, 4 + text.byteLength);
  return frame;
}
