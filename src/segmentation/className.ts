import { BridgeError } from '../errors';

/**
 * A class name as every viewer keeps it: "a:b " becomes "a: b", QuPath's way of writing a derived class. QuPath refuses a whole
 * file for one name with a line break or an empty part (tried on 0.5.1, 0.6.0 and 0.7.0).
 * @throws BridgeError `InvalidParams`
 */
export function canonicalClassName(text: string): string {
  // What looks the same is the same: macOS writes é as two characters, keyboards as one.
  const parts = text
    .normalize('NFC')
    .split(':')
    .map((part) => part.trim());
  const unreadable = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(text);
  if (unreadable || parts.includes(''))
    throw new BridgeError('InvalidParams', `${JSON.stringify(text)} is no class name`, {
      hint: 'use one line of text; colons stand between words, as in "Tumor: Positive"',
    });
  return parts.join(': ');
}
