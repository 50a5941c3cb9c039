import { isBridgeError } from '../errors';
import type { Contract } from '../protocol/validation';

interface Sent {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/**
 * Holds what the server sends on one connection against the contract. On in tests (SAMPO_CHECK_ANSWERS=1): a user's answers are
 * not read twice.
 */
export class AnswerCheck {
  /** Methods of the requests that wait for their answers, by id as JSON. */
  readonly #asked = new Map<string, string>();

  constructor(private readonly contract: Contract) {}

  /** Notes what a message of the client asks for. */
  received(text: string): void {
    try {
      const { id, method } = JSON.parse(text) as Sent;
      if (id !== undefined && id !== null && typeof method === 'string')
        this.#asked.set(JSON.stringify(id), method);
    } catch {
      // The connection itself answers what is no message.
    }
  }

  /** What the contract says against a message to the client; undefined when it fits. */
  misfit(text: string): string | undefined {
    const { id, method, params, result, error } = JSON.parse(text) as Sent;
    try {
      if (method !== undefined) this.contract.checkParams(method, params);
      else {
        const asked = this.#asked.get(JSON.stringify(id));
        this.#asked.delete(JSON.stringify(id));
        if (asked !== undefined && error === undefined) this.contract.checkResult(asked, result);
      }
    } catch (misfit) {
      if (!isBridgeError(misfit)) throw misfit;
      return misfit.message;
    }
    return undefined;
  }
}
