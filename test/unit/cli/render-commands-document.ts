import type { CatalogueEntry } from "../../../src/commands/define-command.js";
import { generalOptions } from "../../../src/commands/general-options.js";
import { spellOption, type OptionName } from "../../../src/commands/option-table.js";
import { exitCodeMeanings } from "../../../src/errors/exit-code-meanings.js";
import { exitCodes, type ExitCodeName } from "../../../src/errors/exit-codes.js";

const introduction = `# Commands

<!-- Written by "npx vitest run test/unit/cli/documents.test.ts -u" from the declarations in src/commands/. -->

\`\`\`text
tsrepmgr [OPTIONS] COMMAND [ACTION] [HOST]
\`\`\`

- Options stand before, between or after these words; short ones can be combined (\`-Fvf /etc/repmgr.conf\`), long ones
  shortened as long as they stay unique. COMMAND and ACTION are read in any case.
- A value follows in the next word or after \`=\`. A value in brackets, as in \`--watch[=SECONDS]\`, is taken only after \`=\`.
- An option that a command does not honour is a warning; where ignoring it would change what is done (\`--dry-run\`,
  \`--node-id\`, \`--node-name\`, \`--replication-conf-only\` on a command that changes something) it is an error.
- Colours appear only on a terminal. \`NO_COLOR\` switches them off, \`FORCE_COLOR\` on.
- Every command ends with 1 for a mistake on the command line; [exit-codes.md](exit-codes.md) has all codes.
- Nothing runs as root but \`--help\`, \`--version\`, \`--version-number\` and \`completion\`.

\`tsrepmgr COMMAND ACTION --help\` says the same in the terminal.
`;

/** The text of docs/commands.md. */
export function renderCommandsDocument(catalogue: readonly CatalogueEntry[]): string {
  const contents = catalogue.map(({ command: { name, summary } }) => {
    return `- [\`${name}\`](#${name.replace(" ", "-")}): ${summary}`;
  });
  const general = Object.entries(generalOptions).map(
    ([title, options]) => `## ${title}\n\n${optionTableOf(options)}`,
  );
  return [introduction, contents.join("\n").concat("\n"), ...general, ...catalogue.map(renderCommand)].join(
    "\n",
  );
}

/** The text of docs/exit-codes.md. */
export function renderExitCodesDocument(catalogue: readonly CatalogueEntry[]): string {
  const rows = (Object.keys(exitCodes) as ExitCodeName[]).map((name) => {
    const commands = catalogue
      .filter(({ command }) => command.exitCodes.includes(name))
      .map(({ command }) => `\`${command.name}\``);
    const shown = commands.length === catalogue.length ? "all" : commands.join(", ");
    return `| ${exitCodes[name]} | ${exitCodeMeanings[name]} | ${shown} |`;
  });
  return `# Exit codes

<!-- Written by "npx vitest run test/unit/cli/documents.test.ts -u" from src/errors/ and the declarations in src/commands/. -->

The numbers are repmgr's. A process that Ctrl-C or a signal ended has 128 and the number of the signal, 130 for Ctrl-C;
\`--watch\`, which only Ctrl-C ends, has 0 then. A bug in the program ends it with 1 and a stack trace.

| Code | Meaning | Commands |
| --- | --- | --- |
${rows.join("\n")}
`;
}

function renderCommand({ command, spellings }: CatalogueEntry): string {
  const { name, summary, options, takesHost, examples } = command;
  const [, ...others] = spellings;
  const codes = command.exitCodes.map((code) => `- ${exitCodes[code]}: ${exitCodeMeanings[code]}`);
  return [
    `## ${name}\n`,
    `${capitalise(summary)}.${others.length === 0 ? "" : ` Also: ${others.map((other) => `\`${other}\``).join(", ")}.`}\n`,
    `\`\`\`text\ntsrepmgr [OPTIONS] ${name}${takesHost ? " [HOST]" : ""}\n\`\`\`\n`,
    ...(Object.keys(options).length === 0 ? [] : [optionTableOf(options)]),
    `Exit codes:\n\n${codes.join("\n")}\n`,
    ...(examples.length === 0 ? [] : [`Example:\n\n\`\`\`sh\n${commandLines(examples)}\`\`\`\n`]),
  ].join("\n");
}

const commandLines = (examples: readonly string[]): string =>
  examples.map((example) => `tsrepmgr ${example}\n`).join("");

function optionTableOf(options: Partial<Record<OptionName, string>>): string {
  const rows = (Object.entries(options) as [OptionName, string][]).map(
    ([name, text]) => `| \`${spellOption(name).replaceAll("|", "\\|")}\` | ${text.replaceAll("|", "\\|")} |`,
  );
  return `${["| Option | Meaning |", "| --- | --- |", ...rows].join("\n")}\n`;
}

const capitalise = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
