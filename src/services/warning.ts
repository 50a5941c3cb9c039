/** Something the user should know about an answer; not a failure. */
export interface Warning {
  /** Machine-readable, PascalCase; a client may act on it. */
  readonly name: string;
  /** A whole sentence for a person: what was found and what was assumed. */
  readonly message: string;
}
