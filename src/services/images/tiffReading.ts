import { COMPRESSIONS, compressionName, type SampleKind } from './tiffCompression';
import type { TiffDirectory } from './tiffTags';

// The one list of what is read of TIFF: photometric x samples x bits x planes x compression. What is not on it is refused
// at open, by name; so a codec that is missing can never come out as black pixels.

/** What the samples of a picture are. */
export type Colour =
  'grey' | 'grey and alpha' | 'channels' | 'RGB' | 'RGB and alpha' | 'palette' | 'CMYK' | 'YCbCr';

/** A row of the list: a photometric interpretation with the samples and bits in which it is read. */
export interface TiffReading {
  readonly photometric: number;
  /** As the specification calls it. */
  readonly name: string;
  readonly kinds: readonly SampleKind[];
  /** Least and most samples of a pixel. */
  readonly samples: readonly [least: number, most: number];
  /** In words, for the page of formats. */
  readonly samplesText: string;
  readonly planar: readonly (1 | 2)[];
  readonly compressions: readonly number[];
  /** What is done that a user should know, in words; absent where values are shown as stored. */
  readonly note?: string;
}

/** Most channels of a picture. */
export const MAX_CHANNELS = 64;

const LOSSLESS = [1, 5, 8, 32773, 32946];
const FAX = [2, 3, 4];
const JPEG = 7;
const WEBP = 50001;

export const TIFF_READINGS: readonly TiffReading[] = [
  {
    photometric: 0,
    name: 'white is zero',
    kinds: ['1 bit', '2 bit', '4 bit', '8 bit', '16 bit'],
    samples: [1, 1],
    samplesText: '1',
    planar: [1, 2],
    compressions: [...LOSSLESS, ...FAX, JPEG],
    note: 'inverted, so that white is white',
  },
  {
    photometric: 1,
    name: 'black is zero',
    kinds: ['1 bit', '2 bit', '4 bit', '8 bit', '16 bit', 'float'],
    samples: [1, MAX_CHANNELS],
    samplesText: `1 to ${MAX_CHANNELS}; alpha where ExtraSamples says so`,
    planar: [1, 2],
    compressions: [...LOSSLESS, ...FAX, JPEG],
  },
  {
    photometric: 2,
    name: 'RGB',
    kinds: ['8 bit', '16 bit', 'float'],
    samples: [3, MAX_CHANNELS],
    samplesText: '3; alpha where ExtraSamples says so; others left out with a note',
    planar: [1, 2],
    compressions: [...LOSSLESS, JPEG, WEBP],
  },
  {
    photometric: 3,
    name: 'palette',
    kinds: ['1 bit', '2 bit', '4 bit', '8 bit'],
    samples: [1, 1],
    samplesText: '1',
    planar: [1, 2],
    compressions: LOSSLESS,
  },
  {
    photometric: 5,
    name: 'CMYK',
    kinds: ['8 bit'],
    samples: [4, 4],
    samplesText: '4',
    planar: [1, 2],
    compressions: LOSSLESS,
    note: 'turned into RGB without a colour profile, with a note',
  },
  {
    photometric: 6,
    name: 'YCbCr',
    kinds: ['8 bit'],
    samples: [3, 3],
    samplesText: '3; subsampled in JPEG alone',
    planar: [1],
    compressions: [...LOSSLESS, JPEG],
    note: 'turned into RGB; outside JPEG with a note',
  },
];

const REFUSED_PHOTOMETRICS: Readonly<Record<number, string>> = {
  4: 'a transparency mask',
  8: 'CIE L*a*b* colours',
  9: 'ICC L*a*b* colours',
  10: 'ITU L*a*b* colours',
  32803: 'raw values of a camera (CFA)',
  32844: 'Pixar LogL values',
  32845: 'Pixar LogLuv values',
  34892: 'raw values of a camera (linear)',
};
const SAMPLE_FORMATS: Readonly<Record<number, string>> = {
  1: 'unsigned',
  2: 'signed',
  3: 'floating point',
  4: 'undefined',
  5: 'complex whole',
  6: 'complex',
};

/** How a directory is read, or the words that refuse it: "Zstandard compression". */
export type ReadingChoice =
  | { readonly colour: Colour; readonly kind: SampleKind; readonly reading: TiffReading }
  | { readonly refused: string };

/** Looks a directory up in the list. Pure. */
export function chooseReading(directory: TiffDirectory): ReadingChoice {
  const { compression, samplesPerPixel, planarConfiguration, fillOrder } = directory;
  const compressed = COMPRESSIONS[compression];
  if (compressed === undefined) return { refused: `${compressionName(compression)} compression` };
  // Baseline writers of grey files leave the tag out; three samples without it are somebody's RGB, or not.
  const photometric = directory.photometric ?? (samplesPerPixel === 1 ? 1 : undefined);
  if (photometric === undefined)
    return { refused: 'samples of which no tag says what they are (PhotometricInterpretation is missing)' };
  const reading = TIFF_READINGS.find((row) => row.photometric === photometric);
  if (reading === undefined)
    return { refused: REFUSED_PHOTOMETRICS[photometric] ?? `photometric interpretation ${photometric}` };
  const kind = sampleKind(directory);
  if (kind === undefined || !reading.kinds.includes(kind) || !compressed.kinds.includes(kind))
    return {
      refused: `${sampleText(directory)} samples${compressed.name === 'none' ? '' : ` in ${compressed.name}`} (${reading.name})`,
    };
  const [least, most] = reading.samples;
  if (samplesPerPixel < least || samplesPerPixel > most)
    return { refused: `${samplesPerPixel} samples per pixel in a ${reading.name} picture` };
  if (!reading.compressions.includes(compression))
    return { refused: `${reading.name} samples in ${compressed.name} compression` };
  const planar = samplesPerPixel === 1 ? 1 : planarConfiguration;
  if (!reading.planar.some((allowed) => allowed === planar))
    return { refused: `${reading.name} samples in separate planes` };
  if (samplesPerPixel > 1 && kind.endsWith(' bit') && parseInt(kind) < 8)
    return { refused: `${samplesPerPixel} samples of ${kind} each` };
  if (compression === JPEG && planar === 1 && ![1, 3].includes(samplesPerPixel))
    return { refused: `${samplesPerPixel} samples per pixel in JPEG compression` };
  if (compression === WEBP && planar === 2) return { refused: 'separate planes in WebP compression' };
  if (fillOrder !== 1 && !FAX.includes(compression))
    return { refused: 'bits stored in reverse (FillOrder 2)' };
  const subSampling = directory.yCbCrSubSampling;
  if (photometric === 6 && compression !== JPEG && (subSampling[0] ?? 2) * (subSampling[1] ?? 2) !== 1)
    return { refused: 'subsampled YCbCr outside JPEG' };
  if (!predictorFits(directory, kind))
    return { refused: `predictor ${directory.predictor} with ${sampleText(directory)} samples` };
  return { colour: colourOf(directory, photometric), kind, reading };
}

const PREDICTED = [5, 8, 32946];

/** The predictor that has to be undone: 1 none. Only LZW and Deflate have one; elsewhere the tag means nothing. */
export function predictorOf({ compression, predictor }: TiffDirectory): number {
  return PREDICTED.includes(compression) ? predictor : 1;
}

function predictorFits(directory: TiffDirectory, kind: SampleKind): boolean {
  const predictor = predictorOf(directory);
  if (predictor === 2) return kind === '8 bit' || kind === '16 bit';
  return predictor === 1 || (predictor === 3 && kind === 'float');
}

function colourOf({ samplesPerPixel, extraSamples }: TiffDirectory, photometric: number): Colour {
  // Alpha is what ExtraSamples says is alpha, never what the count suggests.
  const isAlpha = extraSamples[0] === 1 || extraSamples[0] === 2;
  if (photometric === 2) return samplesPerPixel > 3 && isAlpha ? 'RGB and alpha' : 'RGB';
  if (photometric === 3) return 'palette';
  if (photometric === 5) return 'CMYK';
  if (photometric === 6) return 'YCbCr';
  if (samplesPerPixel === 1) return 'grey';
  return samplesPerPixel === 2 && isAlpha ? 'grey and alpha' : 'channels';
}

/** The kind of the samples, undefined for one that is not read or when they differ. */
function sampleKind({ bitsPerSample, sampleFormat }: TiffDirectory): SampleKind | undefined {
  const [bits] = bitsPerSample;
  const [format] = sampleFormat;
  if (bitsPerSample.some((other) => other !== bits) || sampleFormat.some((other) => other !== format))
    return undefined;
  if (format === 3) return bits === 32 ? 'float' : undefined;
  // "Undefined" is what some writers of plain 8-bit pictures put.
  if (format !== 1 && format !== 4) return undefined;
  return ({ 1: '1 bit', 2: '2 bit', 4: '4 bit', 8: '8 bit', 16: '16 bit' } as const)[bits ?? 0];
}

function sampleText({ bitsPerSample, sampleFormat }: TiffDirectory): string {
  const bits = [...new Set(bitsPerSample)].join(', ');
  return `${bits}-bit ${SAMPLE_FORMATS[sampleFormat[0] ?? 1] ?? `format ${sampleFormat[0]}`}`;
}
