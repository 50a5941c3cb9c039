import sharp from 'sharp';
import { BridgeError } from '../../errors';

/** Instance numbers as stored: 0 is background, others in any order. `labels` [height * width]. */
export interface StoredLabels {
  readonly width: number;
  readonly height: number;
  readonly labels: Int32Array;
}

/** Reads an 8- or 16-bit grey PNG or TIFF of instance numbers. @throws BridgeError FileDamaged */
export async function readLabels(path: string): Promise<StoredLabels> {
  try {
    const { depth, channels } = await sharp(path).metadata();
    if (channels !== 1) throw new Error(`it has ${channels} channels, labels have one`);
    const wide = depth === 'ushort';
    const image = wide ? sharp(path).toColourspace('grey16') : sharp(path).toColourspace('b-w');
    const { data, info } = await image
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const values = wide ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
    return { width: info.width, height: info.height, labels: Int32Array.from(values) };
  } catch (error) {
    throw new BridgeError('FileDamaged', `${path} is no label image: ${(error as Error).message}`, {
      hint: 'labels are grey PNG files, 16 bit, one number per object, 0 for background',
    });
  }
}
