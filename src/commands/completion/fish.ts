import {
  groupByNoun,
  withVerb,
  type CompletedCommand,
  type CompletedOption,
  type CompletionModel,
} from "./model.js";

/** The completion script for fish; it never calls the program. */
export function renderFishCompletion(model: CompletionModel): string {
  const { programName, commands, generalOptions, allOptions } = model;
  const prefix = `__${programName.replace(/\W/g, "_")}`;
  const complete = `complete -c ${programName}`;
  const nextWord = allOptions
    .filter(({ value }) => value === "next-word")
    .flatMap(({ spellings }) => spellings);
  const lines = [
    `${complete} -f`,
    ...generalOptions.map((option) => `${complete} ${describeOption(option)}`),
    ...groupByNoun(commands).flatMap((group) => [
      ...group.commands.slice(0, 1).map(({ noun, summary }) => {
        const verbs = group.commands.map(({ verb }) => verb).join(", ");
        return `${complete} -n '${prefix}_is ""' -a ${noun} -d ${quote(verbs || summary)}`;
      }),
      ...withVerb(group).map(
        ({ verb, summary }) =>
          `${complete} -n ${condition(prefix, group.nouns)} -a ${verb} -d ${quote(summary)}`,
      ),
    ]),
    ...commands.flatMap((command) => describeCommand(command, { complete, prefix })),
  ];
  return `# fish completion of ${programName}. To load it: ${programName} completion fish | source

# The words before the cursor that are neither options nor their values, in lower case.
function ${prefix}_words
    set -l takes_value no
    for token in (commandline -opc)[2..-1]
        if test $takes_value = yes
            set takes_value no
        else if contains -- $token ${nextWord.join(" ")}
            set takes_value yes
        else if not string match -q -- '-*' $token
            string lower -- $token
        end
    end
end

function ${prefix}_is
    set -l words (${prefix}_words)
    contains -- "$words" $argv
end

${lines.join("\n")}
`;
}

interface Place {
  readonly complete: string;
  readonly prefix: string;
}

function describeCommand(command: CompletedCommand, { complete, prefix }: Place): readonly string[] {
  const here = `${complete} -n ${condition(prefix, command.spellings)}`;
  const options = command.options.map((option) => `${here} ${describeOption(option)}`);
  return command.takesHost ? [...options, `${here} -a '(__fish_print_hostnames)'`] : options;
}

/** True when the words so far are exactly one of these. */
const condition = (prefix: string, texts: readonly string[]): string =>
  `'${prefix}_is ${texts.map((text) => `"${text}"`).join(" ")}'`;

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function describeOption({ long, short, spellings, help, value, choices, names }: CompletedOption): string {
  const others = spellings.filter((spelling) => spelling !== `--${long}` && spelling.startsWith("--"));
  return [
    ...(short === null ? [] : [`-s ${short === "?" ? "'?'" : short}`]),
    `-l ${long}`,
    ...others.map((other) => `-l ${other.slice(2)}`),
    ...(value === "next-word" ? [names === "file" || names === "directory" ? "-r -F" : "-x"] : []),
    ...(choices.length > 0 ? [`-a ${quote(choices.join(" "))}`] : []),
    ...(names === "host" ? ["-a '(__fish_print_hostnames)'"] : []),
    ...(help === "" ? [] : [`-d ${quote(help)}`]),
  ].join(" ");
}
