import { writeFileSync } from 'node:fs';
import { BridgeError } from '../errors';
import type { Intent } from '../protocol/types.gen';
import { EXIT, UsageError, readOptions, stateFolder, type Command } from './command';
import { findIntent, importIntent } from './intentChoice';
import { textTable } from './textTable';
import { chosenVerb, type Verb } from './verbs';
import { withServer } from './withServer';

interface Options {
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
  readonly force?: boolean | undefined;
}

const VERBS: Readonly<Record<string, Verb<Options>>> = {
  list: {
    takes: [],
    async run(client, _, { json }, around) {
      const { intents } = await client.request('intent/list', {});
      around.out(json ? `${JSON.stringify(intents, null, 2)}\n` : table(intents));
    },
  },
  show: {
    takes: ['NAME'],
    async run(client, [name], _, around) {
      around.out(`${JSON.stringify(await findIntent(client, name!), null, 2)}\n`);
    },
  },
  export: {
    takes: ['NAME'],
    async run(client, [name], { out }, around) {
      const { intentId } = await findIntent(client, name!);
      const { document } = await client.request('intent/export', { intentId });
      writeFileSync(out!, `${JSON.stringify(document)}\n`);
      around.out(`wrote ${out}\n`);
    },
  },
  import: {
    takes: ['FILE'],
    async run(client, [file], _, around) {
      const { intent, warnings } = await importIntent(client, file!);
      around.out(`imported "${intent.name}" with ${intent.exemplars} examples: ${intent.intentId}\n`);
      for (const { message } of warnings) around.err(`note: ${message}\n`);
    },
  },
  rename: {
    takes: ['NAME', 'NEW'],
    async run(client, [name, to], _, around) {
      const { intentId } = await findIntent(client, name!);
      const { intent } = await client.request('intent/update', { intentId, name: to! });
      around.out(`"${name}" is now "${intent.name}"\n`);
    },
  },
  delete: {
    takes: ['NAME'],
    async run(client, [name], { force }, around) {
      const { intentId, judgements } = await findIntent(client, name!);
      if (judgements > 0 && force !== true)
        throw new BridgeError(
          'InvalidParams',
          `"${name}" has ${judgements} judgements, which would go with it`,
          {
            hint: 'export it first, or say --force',
          },
        );
      await client.request('intent/delete', { intentId });
      around.out(`deleted "${name}"\n`);
    },
  },
};

const OPTIONS = {
  out: { type: 'string' },
  json: { type: 'boolean' },
  force: { type: 'boolean' },
  state: { type: 'string' },
} as const;

/** `sampo intents` */
export const intents: Command = {
  name: 'intents',
  options: OPTIONS,
  help: `usage: sampo intents list [--json]
       sampo intents show NAME
       sampo intents export NAME --out FILE
       sampo intents import FILE
       sampo intents rename NAME NEW
       sampo intents delete NAME [--force]

What you look for: a class name, a colour, its examples and what it has learned. NAME is a name or an id. Uses the running
server; without one, starts its own for as long as it takes.

  --out FILE   where to write the intent, one JSON document
  --json       the whole list, as JSON
  --force      delete an intent together with its judgements
  --state DIR  state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 done, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const { name, verb, args } = chosenVerb('intents', VERBS, positionals);
    if (name === 'export' && values.out === undefined) throw new UsageError('intents export needs --out');
    await withServer({ stateFolder: stateFolder(values.state, around) }, around, (client) =>
      verb.run(client, args, values, around),
    );
    return EXIT.ok;
  },
};

function table(found: readonly Intent[]): string {
  if (found.length === 0) return 'no intents yet: make one with sampo segment --intent NAME --click x,y\n';
  const rows = [
    ['name', 'examples', 'judgements', 'refined', 'id'],
    ...found.map((one) => [
      one.name,
      String(one.exemplars),
      String(one.judgements),
      one.checkpointId === null ? 'no' : 'yes',
      one.intentId,
    ]),
  ];
  return textTable(rows);
}
