import type { Warning } from '../warning';

/** Of this much of a profile its name is looked for; the description stands near the beginning. */
const LOOKED_AT = 4096;

/**
 * The note about a colour profile that is not applied: pixels are read as stored, as QuPath and napari show them. sRGB is
 * what stored pixels are taken for anyway, and a grey profile changes no colour, so those need no word.
 * @param profile an ICC profile, or its beginning
 */
export function profileWarnings(profile: Uint8Array | undefined): Warning[] {
  if (profile === undefined || isSrgb(profile)) return [];
  const message = 'the colour profile in the file is not applied; colours are read as stored';
  return [{ name: 'ColourProfileIgnored', message }];
}

/** By the name in its description, 8-bit or UTF-16 (ICC.1:2010, desc and mluc). */
function isSrgb({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const text = Buffer.from(buffer, byteOffset, Math.min(LOOKED_AT, byteLength)).toString('latin1');
  const isGrey = text.slice(16, 20) === 'GRAY';
  return isGrey || /sRGB|s\0R\0G\0B/.test(text);
}
