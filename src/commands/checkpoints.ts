import type { Checkpoint } from '../protocol/types.gen';
import { EXIT, UsageError, readOptions, stateFolder, type Command, type Surroundings } from './command';
import { findIntent } from './intentChoice';
import type { RpcClient } from './rpcClient';
import { withServer } from './withServer';

/** How `activate` names the model as shipped. */
const SHIPPED = 'shipped';

const OPTIONS = {
  intent: { type: 'string' },
  json: { type: 'boolean' },
  state: { type: 'string' },
} as const;

/** `sampo checkpoints` */
export const checkpoints: Command = {
  name: 'checkpoints',
  options: OPTIONS,
  help: `usage: sampo checkpoints list --intent NAME [--json]
       sampo checkpoints activate ID --intent NAME
       sampo checkpoints delete ID --intent NAME

Each refinement makes a version. The active one is what searches use.

  list         versions, oldest first: active or not, round, when, id, how right on the judgements kept back
  activate ID  uses a version; "${SHIPPED}" goes back to the model as it was shipped
  delete ID    deletes a version that is not active

  --intent NAME  the intent, by name or id
  --json         prints the answer as JSON
  --state DIR    state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 done, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const [verb = '', id, ...rest] = positionals;
    const { intent, json } = values;
    const takesId = verb === 'activate' || verb === 'delete';
    if (!takesId && verb !== 'list') throw new UsageError('say list, activate or delete');
    if (rest.length > 0 || takesId !== (id !== undefined))
      throw new UsageError(takesId ? `${verb} takes one id` : 'list takes no id');
    if (intent === undefined) throw new UsageError('--intent is missing');
    await withServer({ stateFolder: stateFolder(values.state, around) }, around, async (client) => {
      const { intentId } = await findIntent(client, intent);
      if (verb === 'list') await list(client, intentId, json === true, around);
      else if (verb === 'activate') {
        const checkpointId = id === SHIPPED ? null : id!;
        await client.request('checkpoint/activate', { intentId, checkpointId });
        around.out(`"${intent}" uses ${id === SHIPPED ? 'the model as shipped' : `version ${id}`}\n`);
      } else {
        await client.request('checkpoint/delete', { intentId, checkpointId: id! });
        around.out(`deleted ${id}\n`);
      }
    });
    return EXIT.ok;
  },
};

async function list(client: RpcClient, intentId: string, json: boolean, around: Surroundings): Promise<void> {
  const { checkpoints: versions } = await client.request('checkpoint/list', { intentId });
  if (json) return around.out(`${JSON.stringify(versions, null, 2)}\n`);
  if (versions.length === 0) return around.out('no version yet: the model as shipped is used\n');
  for (const one of versions) around.out(`${describe(one)}\n`);
}

function describe({ checkpointId, active, round, createdAt, metrics }: Checkpoint): string {
  const { holdOutBefore, holdOutAfter, judgements } = metrics as {
    readonly holdOutBefore?: { accuracy: number; count: number };
    readonly holdOutAfter?: { accuracy: number; count: number };
    readonly judgements?: number;
  };
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const check =
    holdOutBefore && holdOutAfter && holdOutAfter.count > 0
      ? `, ${percent(holdOutBefore.accuracy)} right before and ${percent(holdOutAfter.accuracy)} after, of ${holdOutAfter.count} kept back`
      : '';
  return `${active ? '*' : ' '} round ${round}  ${createdAt}  ${checkpointId}  ${judgements ?? 0} judgements${check}`;
}
