import { join } from 'node:path';
import { BridgeError } from '../../../errors';
import type { Log } from '../../../log';
import { ReaderProcess } from '../readerProcess/readerProcess';
import type { ZarrQuestions } from './zarrQuestions';

export interface OmeZarrOptions {
  /** How long one read may take, ms; 60 s when left out. */
  readonly timeout?: number | undefined;
  readonly log?: Log | undefined;
}

/** The process that reads OME-Zarr; it starts with the first image. */
export class OmeZarr {
  readonly process: ReaderProcess<ZarrQuestions>;

  constructor({ timeout, log }: OmeZarrOptions = {}) {
    this.process = new ReaderProcess({
      library: 'zarrita',
      module: join(__dirname, 'zarrProcess'),
      timeout,
      log,
    });
  }

  close(): Promise<void> {
    return this.process.close();
  }
}

/** The refusal where the server was started without a reader for it. */
export function needsOmeZarr(): BridgeError {
  return new BridgeError('UnsupportedImage', 'this server was started without a reader for OME-Zarr', {
    hint: 'open it in the viewer and use source "client"',
  });
}
