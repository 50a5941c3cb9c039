/** Starts to count. @returns the seconds since then, asked for as often as wanted */
export function startClock(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}
