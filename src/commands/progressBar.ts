import type { Surroundings } from './command';

/** How far something is. */
export interface Step {
  readonly percentage: number;
  readonly message: string;
  readonly etaSeconds?: number;
}

const WIDTH = 24;
/** Without a terminal a line is written for each started tenth. */
const SHARE = 10;

/** Progress on standard error: a bar that redraws itself on a terminal, else a few plain lines. */
export class ProgressBar {
  #share = -1;
  #drawn = false;

  constructor(
    private readonly around: Surroundings,
    private readonly label: string,
  ) {}

  report({ percentage, message, etaSeconds }: Step): void {
    const left = etaSeconds !== undefined && etaSeconds >= 1 ? `, ${Math.ceil(etaSeconds)} s left` : '';
    const percent = `${Math.round(percentage)} %`.padStart(5);
    if (this.around.interactive === true) {
      const filled = Math.round((WIDTH * percentage) / 100);
      const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
      this.around.err(`\r\x1b[K${this.label} ${bar} ${percent}  ${message}${left}`);
      this.#drawn = true;
      return;
    }
    const share = Math.floor(percentage / SHARE);
    if (share === this.#share) return;
    this.#share = share;
    this.around.err(`${this.label} ${percent}  ${message}${left}\n`);
  }

  /** Takes the bar away, so that what is written next stands on a line of its own. */
  end(): void {
    if (this.#drawn) this.around.err('\r\x1b[K');
    this.#drawn = false;
  }
}
