import type { Command } from "../commands/define-command.js";
import { generalOptions } from "../commands/general-options.js";
import { nouns, verbsOf } from "../commands/index.js";
import { spellOption, type OptionName } from "../commands/option-table.js";

/** `{clone|follow}`, continued on the next line where it would leave the terminal. */
function foldVerbs(verbs: readonly string[], column: number): string {
  let text = "{";
  let end = column + 1;
  for (const [index, verb] of verbs.entries()) {
    const word = `${verb}${index === verbs.length - 1 ? "}" : "|"}`;
    if (end + word.length > WIDTH) {
      text += `\n${" ".repeat(column + 1)}`;
      end = column + 1;
    }
    text += word;
    end += word.length;
  }
  return text;
}

const WIDTH = 80;
const OPTION_COLUMN = 36;

/** What `--help` shows without a command. */
export function renderGeneralHelp(
  programName: string,
  { osUser, isRoot }: { readonly osUser: string; readonly isRoot: boolean },
): string {
  const nounWidth = Math.max(...nouns.map((noun) => noun.length));
  const usage = nouns.map((noun) => {
    const verbs = verbsOf(noun);
    if (verbs.length === 0) return `    ${programName} [OPTIONS] ${noun}\n`;
    const start = `    ${programName} [OPTIONS] ${noun.padEnd(nounWidth)} `;
    return `${start}${foldVerbs(verbs, start.length)}\n`;
  });
  return [
    `${heading(programName)}${usage.join("")}`,
    ...(isRoot ? [rootNote(programName)] : []),
    paragraph(`"${programName} COMMAND ACTION --help" shows the options of a command`),
    ...describeSections("General options", "Configuration options"),
    section("Options of many commands", {
      force: "do what is refused as dangerous otherwise",
      "dry-run": "show what would be done, and change nothing",
    }),
    section("Database connection options", {
      dbname: 'database name or connection string (default: "postgres")',
      host: "database server host",
      port: 'database server port (default: "5432")',
      username: `database user name (default: "${osUser}")`,
    }),
    ...describeSections("Logging options"),
  ].join("\n");
}

/** What `NOUN --help` and `NOUN VERB --help` show: the given commands, each with its options. */
export function renderCommandsHelp(programName: string, commands: readonly Command[]): string {
  const usage = commands.map(
    ({ name, takesHost }) => `    ${programName} [OPTIONS] ${name}${takesHost ? " [HOST]" : ""}\n`,
  );
  const blocks = commands.flatMap(({ name, summary, options, examples }) => [
    `${name.toUpperCase()}\n`,
    paragraph(summary),
    ...(Object.keys(options).length === 0 ? [] : [describeOptions(options)]),
    ...(examples.length === 0 ? [] : [listExamples(programName, examples)]),
  ]);
  return [`${heading(programName)}${usage.join("")}`, ...blocks].join("\n");
}

const heading = (programName: string): string =>
  `${programName}: replication management for PostgreSQL, without a server extension\n\nUsage:\n`;

const rootNote = (programName: string): string =>
  paragraph(`${programName} does not run as root: log in as the user that owns the data directory`);

const describeSections = (...titles: readonly (keyof typeof generalOptions)[]): readonly string[] =>
  titles.map((title) => section(title, generalOptions[title]));

const section = (title: string, options: Partial<Record<OptionName, string>>): string =>
  `${title}:\n${describeOptions(options)}`;

function listExamples(programName: string, examples: readonly string[]): string {
  const title = examples.length === 1 ? "Example" : "Examples";
  return `${title}:\n${examples.map((example) => `    ${programName} ${example}\n`).join("")}`;
}

function describeOptions(options: Partial<Record<OptionName, string>>): string {
  return (Object.entries(options) as [OptionName, string][])
    .map(([name, text]) => describeOption(name, text))
    .join("");
}

function describeOption(name: OptionName, text: string): string {
  const spelling = `  ${spellOption(name)}`;
  const gap = `\n${" ".repeat(OPTION_COLUMN)}`;
  const first = spelling.length < OPTION_COLUMN ? spelling.padEnd(OPTION_COLUMN) : `${spelling}${gap}`;
  return `${first}${wrap(text, WIDTH - OPTION_COLUMN).join(gap)}\n`;
}

const paragraph = (text: string): string =>
  wrap(text, WIDTH - 2)
    .map((line) => `  ${line}\n`)
    .join("");

/** Lines of at most `width` characters, unless one word is longer. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
