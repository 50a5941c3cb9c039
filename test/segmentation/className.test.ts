import fc from 'fast-check';
import { canonicalClassName } from '../../src/segmentation/className';
import { oneFeature } from './oneFeature';
import { qupathFaults } from './qupathRules';

test.each([
  ['Lymphocyte', 'Lymphocyte'],
  [' spaced ', 'spaced'],
  ['Tumor:Positive', 'Tumor: Positive'],
  ['Tumor :  Positive', 'Tumor: Positive'],
  ['Größe 5 µm', 'Größe 5 µm'],
])('%j is kept as %j', (text, name) => {
  expect(canonicalClassName(text)).toBe(name);
});

test.each(['', '  ', ':', 'Tumor:', ': Positive', 'a::b', 'a\nb', 'a\r', 'a\tb', 'a\u2028b'])(
  '%j is refused, with a way out',
  (text) => {
    expect(() => canonicalClassName(text)).toThrow(/is no class name/);
  },
);

test('whatever is let through, QuPath reads as it is written', () => {
  const outline = [[[0, 0, 4, 0, 4, 4, 0, 4]]];
  const text = fc.string({ unit: fc.constantFrom('a', 'B', ' ', ':', '\n', '\u00a0', '\u3000', 'µ', '"') });
  fc.assert(
    fc.property(text, (written) => {
      let name: string;
      try {
        name = canonicalClassName(written);
      } catch {
        return;
      }
      const id = '7d9c0273-6584-4f4a-97ff-6a27dc8164e3';
      expect(qupathFaults(oneFeature({ id, outline, classification: { name, color: [1, 2, 3] } }))).toEqual(
        [],
      );
      expect(canonicalClassName(name)).toBe(name);
    }),
  );
});
