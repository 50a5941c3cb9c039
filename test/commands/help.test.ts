import { runCommandLine } from '../../src/commands/run';
import { COMMANDS } from '../../src/commands/table';

async function say(...argv: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const code = await runCommandLine(argv, {
    env: {},
    platform: 'linux',
    out: (text) => (out += text),
    err: (text) => (out += text),
    signal: new AbortController().signal,
  });
  return { code, out };
}

/** Options of its own that a help text names; those of other commands in its sentences stand behind a command's name. */
function namedOptions(help: string): string[] {
  const own = help.replace(/\(?sampo [a-z]+ (?:[a-z]+ )?--[a-z-]+/g, (text, at: number) =>
    help.slice(Math.max(0, at - 7), at).endsWith('usage: ') ? text : '',
  );
  return [...new Set([...own.matchAll(/--([a-z][a-z-]*)/g)].map((match) => match[1]!))].sort();
}

describe.each(COMMANDS.map((row) => [row.name, row] as const))('sampo %s', (name, row) => {
  test('--help begins with its usage, and names its exit codes', async () => {
    const { code, out } = await say(name, '--help');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^usage: sampo ${name}\\b`));
    expect(out).toContain('exit codes: 0 ');
  });

  test('--help names exactly the options that it takes', () => {
    const command = row.load();
    expect(command.name).toBe(name);
    expect(namedOptions(command.help)).toEqual(Object.keys(command.options).sort());
  });

  test('an unknown option is wrong use, and answered with the help', async () => {
    const { code, out } = await say(name, '--no-such-option');
    expect(code).toBe(2);
    expect(out).toContain(`usage: sampo ${name}`);
  });
});

test('sampo --help lists every command', async () => {
  const { out } = await say('--help');
  for (const { name, summary } of COMMANDS) expect(out).toContain(`${name.padEnd(11)}  ${summary}`);
});
