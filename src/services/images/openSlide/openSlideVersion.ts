/** Earlier ones write to memory that is not theirs for a crafted file (CVE-2026-48977). */
export const LEAST_OPENSLIDE = '4.0.1';

/** Whether a version as the library gives it, say `4.0.1` or `4.1.0-rc1`, is at least `LEAST_OPENSLIDE`. */
export function isNewEnough(version: string): boolean {
  const [found, least] = [version, LEAST_OPENSLIDE].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10) || 0),
  ) as [number[], number[]];
  for (const [index, part] of least.entries()) {
    const difference = (found[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
