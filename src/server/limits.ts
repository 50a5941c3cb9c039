import type { Limits } from '../protocol/types.gen';

const MIB = 1 << 20;

/** Limits in force unless configured otherwise. */
export const DEFAULT_LIMITS: Limits = {
  messageBytes: 64 * MIB,
  blobBytes: 256 * MIB,
  regionPixels: 64 * MIB,
  imagePixels: 400_000_000,
  promptsPerRequest: 1000,
  objectsPerAnswer: 200_000,
  requestsInFlight: 256,
  clients: 32,
  nesting: 64,
  messagesPerSecond: 5000,
  thumbnails: 100,
};
