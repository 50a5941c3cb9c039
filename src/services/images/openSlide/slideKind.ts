import { extname } from 'node:path';
import { withFile, type ByteSource } from '../byteSource';

// Which files are slides of a scanner that OpenSlide reads, told without OpenSlide: where it is not there, they are refused by
// name. The signs are those of OpenSlide's own detection (docs/formats of openslide.org), read from the first image of a TIFF.

/** Kinds as people call them. */
export type SlideKind =
  | '3DHISTECH MIRAX (MRXS)'
  | 'Aperio SVS with JPEG 2000'
  | 'DICOM slide'
  | 'Hamamatsu NDPI'
  | 'Hamamatsu VMS'
  | 'Hamamatsu VMU'
  | 'Leica SCN'
  | 'Philips TIFF'
  | 'Sakura SVSLIDE'
  | 'Trestle TIFF'
  | 'Ventana BIF'
  | 'Zeiss CZI';

/**
 * The kind of slide, or undefined for a file that is none of them (it may still be a picture).
 * @param header its first 512 bytes @param path read further only for a TIFF
 */
export async function slideKind(header: Uint8Array, path: string): Promise<SlideKind | undefined> {
  const ending = extname(path).toLowerCase();
  const text = Buffer.from(header).toString('latin1');
  // A MIRAX slide is a folder; the file of its name is a thumbnail in JPEG.
  if (ending === '.mrxs') return text === '' ? undefined : '3DHISTECH MIRAX (MRXS)';
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return kindOfTiff(await withFile(path, firstTags));
  if (text.slice(128, 132) === 'DICM') return 'DICOM slide';
  if (text.startsWith('ZISRAWFILE')) return 'Zeiss CZI';
  if (text.startsWith('SQLite format 3\0') && ending === '.svslide') return 'Sakura SVSLIDE';
  if (text.includes('[Virtual Microscope Specimen]')) return 'Hamamatsu VMS';
  if (text.includes('[Uncompressed Virtual Microscope Specimen]')) return 'Hamamatsu VMU';
  return undefined;
}

/** What the first image of a TIFF says about its scanner. */
interface FirstTags {
  readonly compression: number;
  readonly description: string;
  readonly software: string;
  /** XMP packet. */
  readonly xmp: string;
  readonly hasHamamatsuTag: boolean;
}

function kindOfTiff(tags: FirstTags | undefined): SlideKind | undefined {
  if (tags === undefined) return undefined;
  const { compression, description, software, xmp } = tags;
  if (tags.hasHamamatsuTag) return 'Hamamatsu NDPI';
  if (description.includes('http://www.leica-microsystems.com/scn/')) return 'Leica SCN';
  if (/<iScan\b/.test(xmp) || /^Label[_ ]Image$|^level=\d+ mag=/.test(description)) return 'Ventana BIF';
  if (/^Philips/.test(software) || description.includes('DPUfsImport')) return 'Philips TIFF';
  if (/^MedScan/.test(software)) return 'Trestle TIFF';
  if (/^Aperio/.test(description) && [33003, 33005].includes(compression)) return 'Aperio SVS with JPEG 2000';
  return undefined;
}

const TAG = { compression: 259, description: 270, software: 305, xmp: 700, hamamatsu: 65420 } as const;
/** Enough of a text to see who wrote it. */
const TEXT_BYTES = 16_384;
const MOST_ENTRIES = 1024;

async function firstTags(file: ByteSource): Promise<FirstTags | undefined> {
  const head = await file.read(0, 16);
  const little = head[0] === 0x49;
  const integer = (bytes: Buffer, at: number, width: number): number => {
    if (width === 8) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return little ? bytes.readUIntLE(at, width) : bytes.readUIntBE(at, width);
  };
  if (head.length < 16) return undefined;
  const big = integer(head, 2, 2) === 43;
  const [countBytes, entryBytes, valueBytes] = big ? [8, 20, 8] : [2, 12, 4];
  // An NDPI file of more than 4 GB is a classic TIFF with offsets of eight bytes.
  const wide = big || file.size > 2 ** 32;
  const directory = integer(head, big ? 8 : 4, wide ? 8 : 4);
  const counted = await file.read(directory, countBytes);
  if (counted.length < countBytes) return undefined;
  const count = integer(counted, 0, countBytes);
  if (count > MOST_ENTRIES) return undefined;
  const table = await file.read(directory + countBytes, count * entryBytes);
  const texts = new Map<number, string>();
  let compression = 1;
  let hasHamamatsuTag = false;
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const tag = integer(table, at, 2);
    const values = integer(table, at + 4, valueBytes);
    const valueAt = at + entryBytes - valueBytes;
    if (tag === TAG.compression) compression = integer(table, valueAt, 2);
    if (tag === TAG.hamamatsu) hasHamamatsuTag = true;
    if (tag === TAG.description || tag === TAG.software || tag === TAG.xmp) {
      const bytes =
        values <= valueBytes
          ? table.subarray(valueAt, valueAt + values)
          : await file.read(integer(table, valueAt, valueBytes), Math.min(values, TEXT_BYTES));
      texts.set(tag, bytes.toString('latin1').replace(/\0.*$/s, ''));
    }
  }
  const text = (tag: number) => texts.get(tag) ?? '';
  return {
    compression,
    description: text(TAG.description),
    software: text(TAG.software),
    xmp: text(TAG.xmp),
    hasHamamatsuTag,
  };
}
