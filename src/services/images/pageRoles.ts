import type { PageRole } from './picturePlan';
import { aperioValues, qptiffPage, type TiffMetadata } from './tiffMetadata';
import type { TiffDirectory } from './tiffTags';

/** What the tags and descriptions say a page is, before any size is compared. */
export interface PageHint {
  /** From 0. */
  readonly page: number;
  readonly directory: TiffDirectory;
  /** A role that the file names, undefined for a page that may be the picture, a level or a plane of it. */
  readonly said: Extract<PageRole, 'thumbnail' | 'label' | 'macro' | 'mask'> | undefined;
  readonly reason: string;
  /** Flagged as a reduced version of another page. */
  readonly reduced: boolean;
  /** The focal plane it belongs to, where the file says so. */
  readonly focus: string | undefined;
}

const REDUCED = 1;
const MASK = 4;
const APERIO_MACRO = 9;

/** The hints of every page, in order. Pure. */
export function pageHints(directories: readonly TiffDirectory[], metadata: TiffMetadata): PageHint[] {
  return directories.map((directory, page) => {
    const said = namedRole(directory, page, metadata);
    const type = directory.subfileType ?? 0;
    return {
      page,
      directory,
      said: said?.role,
      reason: said?.reason ?? '',
      reduced: (type & REDUCED) !== 0 || (said?.reduced ?? false),
      focus: metadata.kind === 'Aperio SVS' ? aperioValues(directory.description).get('offsetz') : undefined,
    };
  });
}

interface NamedRole {
  readonly role?: PageHint['said'];
  readonly reason: string;
  readonly reduced?: boolean;
}

function namedRole(directory: TiffDirectory, page: number, metadata: TiffMetadata): NamedRole | undefined {
  const { description, subfileType, photometric } = directory;
  if (photometric === MASK || ((subfileType ?? 0) & MASK) !== 0)
    return { role: 'mask', reason: 'its tags say that it is a transparency mask' };
  if (metadata.kind === 'Aperio SVS') return aperioRole(directory, page);
  if (metadata.kind === 'Leica SCN') {
    const image = metadata.images.find(({ pages }) => pages.includes(page));
    return image?.macro
      ? { role: 'macro', reason: 'the SCN description says that it is the whole slide' }
      : undefined;
  }
  if (metadata.kind === 'PerkinElmer QPTIFF') {
    const reason = 'its QPTIFF description says so';
    switch (qptiffPage(description)?.type) {
      case 'Thumbnail':
        return { role: 'thumbnail', reason };
      case 'Overview':
        return { role: 'macro', reason };
      case 'Label':
        return { role: 'label', reason };
      case 'ReducedResolution':
        return { reason, reduced: true };
      case undefined:
      default:
        return undefined;
    }
  }
  const word = /^\s*(label|macro|thumbnail|overview)/i.exec(description)?.[1]?.toLowerCase();
  if (word === undefined) return undefined;
  const role = word === 'overview' ? 'macro' : (word as 'label' | 'macro' | 'thumbnail');
  return { role, reason: `its description begins with "${word}"` };
}

function aperioRole(directory: TiffDirectory, page: number): NamedRole | undefined {
  const { description, subfileType, tile } = directory;
  const word = /^(label|macro)\b/im.exec(description)?.[1]?.toLowerCase();
  if (word !== undefined)
    return { role: word as 'label' | 'macro', reason: 'its Aperio description says so' };
  if (subfileType === APERIO_MACRO)
    return { role: 'macro', reason: 'its NewSubfileType is 9 (Aperio: macro)' };
  // In an Aperio file every level is tiled; what lies in strips is the thumbnail, or label and macro without a word.
  if (tile === undefined && page > 0)
    return subfileType === 1
      ? { role: 'label', reason: 'in strips with NewSubfileType 1 (Aperio: label)' }
      : { role: 'thumbnail', reason: 'in strips, while the levels of an Aperio file are tiled' };
  return undefined;
}
