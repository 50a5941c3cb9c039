import { UsageError, type Surroundings } from './command';
import type { RpcClient } from './rpcClient';

/** One thing that a command with verbs can do, over a connection. `Options` are the command's own. */
export interface Verb<Options> {
  /** Names of its arguments. */
  readonly takes: readonly string[];
  run(client: RpcClient, args: readonly string[], options: Options, around: Surroundings): Promise<void>;
}

/** The verb that `positionals` begin with, and its arguments. @throws UsageError when there is none, or too few or too many */
export function chosenVerb<Options>(
  command: string,
  verbs: Readonly<Record<string, Verb<Options>>>,
  [name = '', ...args]: readonly string[],
): { name: string; verb: Verb<Options>; args: readonly string[] } {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb)
    throw new UsageError(name === '' ? `${command} needs a verb` : `${command} has no verb "${name}"`);
  if (args.length !== verb.takes.length)
    throw new UsageError(`${command} ${name} takes ${verb.takes.join(' and ') || 'no argument'}`);
  return { name, verb, args };
}
