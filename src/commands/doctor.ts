import { homedir } from 'node:os';
import { EXIT, UsageError, readOptions, setting, stateFolder, type Command } from './command';
import { deviceCheck, stateCheck } from './doctor/machineChecks';
import { packageChecks } from './doctor/packageChecks';
import { pluginChecks } from './doctor/pluginChecks';
import { serverCheck } from './doctor/serverCheck';
import type { Finding } from './doctor/finding';

const OPTIONS = {
  state: { type: 'string' },
  device: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const SIGNS: Readonly<Record<Finding['state'], string>> = { ok: 'ok', note: '-', problem: '!!' };

/** `sampo doctor` */
export const doctor: Command = {
  name: 'doctor',
  options: OPTIONS,
  help: `usage: sampo doctor [--state DIR] [--device NAME] [--json]

Looks at everything that can be wrong, one line each: the package and its files, Node, the engine and its device, the
models and their checksums, the state folder, the running server, the plugins. A line that begins with "!!" needs
doing, and says what; one with "-" is to know.

  --state DIR   state folder (default: the system's place, or SAMPO_STATE)
  --device NAME device to try (default: SAMPO_DEVICE, or the best one)
  --json        all findings as JSON: [{ check, state: "ok" | "note" | "problem", found, advice? }]

exit codes: 0 nothing needs doing, 1 something does, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`doctor takes no argument "${positionals[0]}"`);
    const folder = stateFolder(values.state, around);
    const findings: Finding[] = [
      ...packageChecks(),
      await deviceCheck(values.device ?? setting(around, 'SAMPO_DEVICE')),
      stateCheck(folder),
      await serverCheck(folder),
      ...(await pluginChecks(around, homedir())),
    ];
    around.out(values.json ? `${JSON.stringify(findings, null, 2)}\n` : report(findings));
    return findings.some(({ state }) => state === 'problem') ? EXIT.failed : EXIT.ok;
  },
};

function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, state, found, advice }) => {
      const line = `${SIGNS[state].padEnd(2)}  ${check.padEnd(width)}  ${found}\n`;
      return advice === undefined ? line : `${line}${' '.repeat(width + 6)}→ ${advice}\n`;
    })
    .join('');
}
