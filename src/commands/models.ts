import { resolve } from 'node:path';
import type { ModelImportResult, ModelListResult } from '../protocol/types.gen';
import type { SamManifest } from '../services/models/samFamily/manifest';
import { EXIT, readOptions, stateFolder, type Command, type Surroundings } from './command';
import { ProgressBar } from './progressBar';
import { textTable } from './textTable';
import { chosenVerb, type Verb } from './verbs';
import { withServer } from './withServer';

interface Options {
  readonly name?: string | undefined;
  readonly json?: boolean | undefined;
}

const VERBS: Readonly<Record<string, Verb<Options>>> = {
  list: {
    takes: [],
    async run(client, _, { json }, around) {
      const { models: found } = await client.request('model/list', {});
      around.out(json ? `${JSON.stringify(found, null, 2)}\n` : table(found));
    },
  },
  import: {
    takes: ['DIR'],
    async run(client, [folder], { name, json }, around) {
      const { manifest, warnings } = await client.request(
        'model/import',
        { path: resolve(folder!), ...(name !== undefined && { name }) },
        { signal: around.signal },
      );
      tell(manifest, warnings, json, around);
    },
  },
  pull: {
    takes: ['NAME'],
    async run(client, [name], { json }, around) {
      const bar = new ProgressBar(around, name!);
      const { manifest, warnings } = await client
        .request(
          'model/pull',
          { name: name! },
          {
            signal: around.signal,
            progress: ({ percentage = 0, message = '' }) => bar.report({ percentage, message }),
          },
        )
        .finally(() => bar.end());
      tell(manifest, warnings, json, around);
    },
  },
};

const OPTIONS = {
  name: { type: 'string' },
  json: { type: 'boolean' },
  state: { type: 'string' },
} as const;

/** `sampo models` */
export const models: Command = {
  name: 'models',
  options: OPTIONS,
  help: `usage: sampo models list [--json]
       sampo models import DIR [--name NAME] [--json]
       sampo models pull NAME [--json]

import takes a folder with the encoder and the decoder of one model as ONNX files (SAM, MobileSAM, EfficientSAM, micro-sam,
PathoSAM, SAM 2, Hugging Face exports): it finds out which is what, runs both once, and says exactly what is missing when
something is. The files stay where they are. See docs/models.md. Uses the running server, which must be allowed to read the
folder (sampo serve --root DIR); without one, starts its own for as long as it takes.

pull fetches a listed model, checks its size and SHA-256, and takes it in; started again after a break, it goes on. A name
that is not listed is answered with those that are.

  --name NAME  to keep the model under (default: the folder's name)
  --json       the whole list or manifest, as JSON
  --state DIR  state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 done, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const { name: word, verb, args } = chosenVerb('models', VERBS, positionals);
    const roots = word === 'import' ? [resolve(args[0]!)] : [];
    await withServer({ stateFolder: stateFolder(values.state, around), roots }, around, (client) =>
      verb.run(client, args, values, around),
    );
    return EXIT.ok;
  },
};

function tell(
  manifest: object,
  warnings: ModelImportResult['warnings'],
  json: boolean | undefined,
  around: Surroundings,
): void {
  around.out(json ? `${JSON.stringify(manifest, null, 2)}\n` : describe(manifest as SamManifest));
  for (const { message } of warnings) around.err(`note: ${message}\n`);
}

function describe(manifest: SamManifest): string {
  const { name, form, licence, imageSize, tileSize, embedding, limits } = manifest;
  const { encoderSeconds, decoderSeconds } = manifest.dryRun;
  return `imported "${name}": form ${form}, licence ${licence}
  tiles of ${tileSize} px enlarged to ${imageSize} px, ${embedding.channels} features every ${embedding.stride} px, ${limits.masks} masks a prompt
  dry run: encoder ${encoderSeconds} s, decoder ${decoderSeconds} s
`;
}

function table(found: ModelListResult['models']): string {
  const rows = [
    ['name', 'family', 'version', 'licence', 'loaded'],
    ...found.map(({ modelId, family, version = '', licence = '', loaded }) => [
      modelId,
      family,
      version,
      licence,
      loaded ? 'yes' : 'no',
    ]),
  ];
  return textTable(rows);
}
