import {
  groupByNoun,
  spellWithBlank,
  withVerb,
  type CompletedCommand,
  type CompletedOption,
  type CompletionModel,
} from "./model.js";

/** The completion script for bash; it needs no package and never calls the program. */
export function renderBashCompletion(model: CompletionModel): string {
  const { programName, commands, generalOptions, allOptions } = model;
  const groups = groupByNoun(commands);
  const nextWord = spell(allOptions.filter(({ value }) => value === "next-word")).join("|");
  const verbs = groups.map((group) => [group.nouns, words(withVerb(group).map(({ verb }) => verb))] as const);
  const withOptions = commands.filter(({ options }) => options.length > 0);
  const hosted = commands.filter(({ takesHost }) => takesHost).flatMap(({ spellings }) => spellings);
  return `# bash completion of ${programName}. To load it: source <(${programName} completion bash)
_${identifier(programName)}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local option= noun= verb= words= word i
  COMPREPLY=()

  # bash hands "--option=value" over as three words.
  if [[ $current == = ]]; then
    option=$previous current=
  elif [[ $previous == = ]]; then
    option=\${COMP_WORDS[COMP_CWORD - 2]}
  else
    case $previous in
      ${nextWord}) option=$previous ;;
    esac
  fi
  case $option in
    '') ;;
${valueCases(allOptions)}    *) return ;;
  esac

  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${nextWord})
        [[ \${COMP_WORDS[i + 1]} == = ]] && ((i++))
        ((i++))
        ;;
      =) ((i++)) ;;
      -*) ;;
      *) if [[ -z $noun ]]; then noun=\${word,,}; elif [[ -z $verb ]]; then verb=\${word,,}; fi ;;
    esac
  done

  if [[ $current == -* ]]; then
    words='${spellLong(generalOptions).join(" ")}'
    case "$noun $verb" in
${withOptions.map(addOptions).join("")}    esac
  elif [[ -z $noun ]]; then
    words=${words(groups.map(({ commands: [first] }) => first?.noun ?? ""))}
  elif [[ -z $verb ]]; then
    case $noun in
${verbs.map(([names, list]) => `      ${quoteEach(names)}) words=${list} ;;\n`).join("")}    esac
  else
    case "$noun $verb" in
      ${quoteEach(hosted)}) mapfile -t COMPREPLY < <(compgen -A hostname -- "$current") ;;
    esac
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _${identifier(programName)} ${programName}
`;
}

const addOptions = (command: CompletedCommand): string =>
  `      ${quoteEach(spellWithBlank(command))}) words+=' ${spellLong(command.options).join(" ")}' ;;\n`;

const spell = (options: readonly CompletedOption[]): readonly string[] =>
  options.flatMap(({ spellings }) => spellings);

const spellLong = (options: readonly CompletedOption[]): readonly string[] =>
  options.map(({ long }) => `--${long}`);

const words = (list: readonly string[]): string => `'${list.join(" ")}'`;

const quoteEach = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(" | ");

/** A name for a shell function. */
const identifier = (programName: string): string => programName.replace(/\W/g, "_");

function valueCases(options: readonly CompletedOption[]): string {
  const cases = options.flatMap((option) => {
    const action = completeValue(option);
    return action === null ? [] : [`    ${option.spellings.join("|")}) ${action} return ;;\n`];
  });
  return cases.join("");
}

function completeValue({ choices, names }: CompletedOption): string | null {
  const reply = (generator: string): string =>
    `mapfile -t COMPREPLY < <(compgen ${generator} -- "$current");`;
  if (choices.length > 0) return reply(`-W '${choices.join(" ")}'`);
  if (names === "host") return reply("-A hostname");
  if (names === null) return null;
  return `compopt -o filenames 2>/dev/null; ${reply(names === "file" ? "-f" : "-d")}`;
}
