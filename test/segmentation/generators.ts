import fc from 'fast-check';

export interface GeneratedMask {
  readonly width: number;
  readonly height: number;
  readonly mask: Uint8Array;
}

/** Masks of every kind: noise of any density (holes, diagonal touches, border, single pixels) and unions of discs and boxes. */
export function masks(most = 14): fc.Arbitrary<GeneratedMask> {
  return fc
    .tuple(
      fc.integer({ min: 1, max: most }),
      fc.integer({ min: 1, max: most }),
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    )
    .chain(([width, height, density]) =>
      fc
        .array(fc.double({ min: 0, max: 1, noNaN: true }), {
          minLength: width * height,
          maxLength: width * height,
        })
        .map((values) => ({
          width,
          height,
          mask: Uint8Array.from(values, (value) => (value < density ? 1 : 0)),
        })),
    );
}

/** A mask drawn in characters: '#' is inside. */
export function drawn(...rows: string[]): GeneratedMask {
  const width = rows[0]!.length;
  return {
    width,
    height: rows.length,
    mask: Uint8Array.from(rows.join(''), (character) => (character === '#' ? 1 : 0)),
  };
}
