/** Protocol version of this build: the major number changes when old clients stop working. */
export const PROTOCOL_VERSION = '1.0';

/** Whether a client written for `version` can be served: same major number. */
export function speaks(version: string): boolean {
  return version.split('.')[0] === PROTOCOL_VERSION.split('.')[0];
}
