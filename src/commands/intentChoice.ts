import { readFileSync } from 'node:fs';
import { BridgeError } from '../errors';
import type { Intent } from '../protocol/types.gen';
import { canonicalClassName } from '../segmentation/className';
import type { RpcClient } from './rpcClient';

/** An intent that a command works with; a borrowed one was made for the command and goes with it. */
export interface ChosenIntent {
  readonly intent: Intent;
  readonly borrowed: boolean;
}

/** The intent of a name or an id. @throws BridgeError `IntentNotFound`; `InvalidParams` for no name, or one that several have */
export async function findIntent(client: RpcClient, name: string): Promise<Intent> {
  const { intents } = await client.request('intent/list', {});
  const wanted = canonicalClassName(name);
  const found = intents.filter((one) => one.intentId === name || one.name === wanted);
  if (found.length > 1)
    throw new BridgeError('InvalidParams', `${found.length} intents are called "${name}"`, {
      hint: `name one by its id: ${found.map(({ intentId }) => intentId).join(', ')}`,
    });
  if (found[0] !== undefined) return found[0];
  const names = intents.map((one) => one.name).join(', ');
  throw new BridgeError('IntentNotFound', `no intent is called "${name}"`, {
    hint: names ? `there are: ${names}` : 'there are none: make one with sampo segment --intent and --click',
  });
}

/** Takes an exported intent in. @throws BridgeError `IntentInvalid`, `FileNotFound`, and what `intent/import` answers */
export async function importIntent(client: RpcClient, path: string) {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BridgeError('FileNotFound', `the intent ${path} cannot be read: ${(error as Error).message}`);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new BridgeError('IntentInvalid', `${path} is not JSON: ${(error as Error).message}`);
  }
  return client.request('intent/import', { document: document as Record<string, unknown> });
}

/**
 * What `--intent` names: a file (its name ends with .json; borrowed), else a stored intent, made when it is missing and the
 * command has examples for it. Without a name, one that is borrowed.
 * @throws what `findIntent` and `importIntent` throw
 */
export async function chooseIntent(
  client: RpcClient,
  name: string | undefined,
  hasExamples: boolean,
): Promise<ChosenIntent> {
  if (name === undefined) {
    const { intent } = await client.request('intent/create', { name: 'Clicked' });
    return { intent, borrowed: true };
  }
  if (name.toLowerCase().endsWith('.json'))
    return { intent: (await importIntent(client, name)).intent, borrowed: true };
  try {
    return { intent: await findIntent(client, name), borrowed: false };
  } catch (error) {
    if (!hasExamples || (error as BridgeError).errorName !== 'IntentNotFound') throw error;
    return { intent: (await client.request('intent/create', { name })).intent, borrowed: false };
  }
}
