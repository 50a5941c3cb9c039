/** LZW as TIFF 6.0 has it: most significant bit first, codes one bit wider one code early. */
export function encodeLzw(bytes: Uint8Array): Uint8Array {
  const output: number[] = [];
  let [held, bits] = [0, 0];
  const put = (code: number, width: number): void => {
    held = (held << width) | code;
    bits += width;
    while (bits >= 8) {
      output.push((held >> (bits - 8)) & 0xff);
      bits -= 8;
    }
    held &= (1 << bits) - 1;
  };
  let codes = new Map<string, number>();
  let [next, width] = [258, 9];
  put(256, 9);
  const codeOf = (text: string): number => (text.length === 1 ? text.charCodeAt(0) : codes.get(text)!);
  let known = '';
  for (const byte of bytes) {
    const longer = known + String.fromCharCode(byte);
    if (longer.length === 1 || codes.has(longer)) {
      known = longer;
      continue;
    }
    put(codeOf(known), width);
    codes.set(longer, next);
    next += 1;
    if (next === 512 || next === 1024 || next === 2048) width += 1;
    if (next === 4094) {
      put(256, width);
      codes = new Map();
      [next, width] = [258, 9];
    }
    known = String.fromCharCode(byte);
  }
  if (known !== '') put(codeOf(known), width);
  next += 1;
  if (next === 512 || next === 1024 || next === 2048) width += 1;
  put(257, width);
  if (bits > 0) output.push((held << (8 - bits)) & 0xff);
  return Uint8Array.from(output);
}

/** PackBits: runs of three and more, literals in between. */
export function encodePackBits(bytes: Uint8Array): Uint8Array {
  const output: number[] = [];
  let literal: number[] = [];
  const flush = (): void => {
    if (literal.length > 0) output.push(literal.length - 1, ...literal);
    literal = [];
  };
  for (let at = 0; at < bytes.length;) {
    let run = 1;
    while (run < 128 && at + run < bytes.length && bytes[at + run] === bytes[at]) run += 1;
    if (run >= 3) {
      flush();
      output.push(257 - run, bytes[at]!);
      at += run;
    } else {
      literal.push(bytes[at]!);
      if (literal.length === 128) flush();
      at += 1;
    }
  }
  flush();
  return Uint8Array.from(output);
}
