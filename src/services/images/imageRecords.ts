import type { Database } from '../../store/database';
import type { StainRequest } from './stains';

/** What a user said about an image, kept for every later command. */
export interface ImageSettings {
  /** µm per px */
  readonly pixelSizeMicrons?: number | undefined;
  readonly stains?: Exclude<StainRequest, 'auto'> | undefined;
}

interface Row {
  readonly stamp: string;
  readonly pixelSizeMicrons: number | null;
  readonly stains: string | null;
}

/** The record of each image that a user said something about: by its resolved name, for the content that it had then. */
export class ImageRecords {
  constructor(private readonly database: Database) {}

  /** What was said, and whether it was about the same content. @param stamp undefined where nobody can tell */
  get(
    uri: string,
    stamp: string | undefined,
  ): { readonly settings: ImageSettings; readonly sameContent: boolean } | undefined {
    const row = this.database.get<Row>(
      'SELECT stamp, pixelSizeMicrons, stains FROM images WHERE uri = ?',
      uri,
    );
    if (row === undefined) return undefined;
    const settings = {
      pixelSizeMicrons: row.pixelSizeMicrons ?? undefined,
      stains: row.stains === null ? undefined : (JSON.parse(row.stains) as Exclude<StainRequest, 'auto'>),
    };
    return { settings, sameContent: stamp === undefined || row.stamp === stamp };
  }

  /** Keeps what was said; nothing said is nothing kept. */
  set(uri: string, stamp: string, { pixelSizeMicrons, stains }: ImageSettings): void {
    if (pixelSizeMicrons === undefined && stains === undefined) {
      this.database.run('DELETE FROM images WHERE uri = ?', uri);
      return;
    }
    this.database.run(
      `INSERT INTO images (uri, stamp, pixelSizeMicrons, stains) VALUES (?, ?, ?, ?)
       ON CONFLICT (uri) DO UPDATE SET stamp = excluded.stamp, pixelSizeMicrons = excluded.pixelSizeMicrons,
       stains = excluded.stains`,
      uri,
      stamp,
      pixelSizeMicrons ?? null,
      stains === undefined ? null : JSON.stringify(stains),
    );
  }
}
