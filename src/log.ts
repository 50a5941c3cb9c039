/** Takes one line for the person who runs the server, without a line end. */
export type Log = (line: string) => void;

/** Where lines go that nobody wants. */
export const SILENT: Log = () => undefined;
