import {
  groupByNoun,
  spellWithBlank,
  withVerb,
  type CompletedCommand,
  type CompletedNoun,
  type CompletedOption,
  type CompletionModel,
} from "./model.js";

/** The completion script for zsh, for a directory of fpath or to be sourced; it never calls the program. */
export function renderZshCompletion({
  programName,
  commands,
  generalOptions,
  allOptions,
}: CompletionModel): string {
  const name = `_${programName.replace(/\W/g, "_")}`;
  const groups = groupByNoun(commands);
  const nextWord = allOptions
    .filter(({ value }) => value === "next-word")
    .flatMap(({ spellings }) => spellings);
  const hidden = allOptions
    .filter(
      ({ long, value }) => value === "next-word" && !generalOptions.some((known) => known.long === long),
    )
    .flatMap(describeOption)
    .map((specification) => specification.replace("'", "'!"));
  const nouns = groups.flatMap(({ commands: own }) =>
    own
      .slice(0, 1)
      .map(({ noun, summary }) => `${noun}:${own.map(({ verb }) => verb).join(", ") || summary}`),
  );
  const oneWord = commands.filter(({ verb }) => verb === "").map(({ noun }) => noun);
  const hosted = commands.filter(({ takesHost }) => takesHost).flatMap(({ spellings }) => spellings);
  return `#compdef ${programName}
# zsh completion of ${programName}. To install it: ${programName} completion zsh > DIRECTORY_OF_FPATH/_${programName}

${name}_nouns() {
  local -a nouns=(${nouns.map((text) => `\n    ${quote(text)}`).join("")}
  )
  _describe command nouns
}

${name}_verbs() {
  local -a verbs
  case $noun in
${groups.map(setVerbs).join("")}  esac
  _describe action verbs
}

${name}_rest() {
  case "$noun $verb" in
    (${hosted.map(quote).join("|")}) _hosts ;;
  esac
}

${name}() {
  local noun verb
  local -a options
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      (${nextWord.join("|")}) ((i++)) ;;
      (-*) ;;
      (*) if [[ -z $noun ]]; then noun=\${(L)words[i]}; elif [[ -z $verb ]]; then verb=\${(L)words[i]}; fi ;;
    esac
  done
  options=(${generalOptions.flatMap(describeOption).map(inLine).join("")}
  )
  # Not offered before their command is known, but read: their values are no words.
  [[ -n $verb || $noun == (${oneWord.join("|")}) ]] || options+=(${hidden.map(inLine).join("")}
  )
  case "$noun $verb" in
${commands.map(addOptions).join("")}  esac
  _arguments -s -S : $options '1: :${name}_nouns' '2: :${name}_verbs' '*: :${name}_rest'
}

if [[ $funcstack[1] == _${programName} ]]; then
  ${name} "$@"
else
  compdef ${name} ${programName}
fi
`;
}

const setVerbs = (noun: CompletedNoun): string =>
  `    (${noun.nouns.join("|")})${assign("verbs=", withVerb(noun).map(describeVerb))}`;

function addOptions(command: CompletedCommand): string {
  const { options } = command;
  if (options.length === 0) return "";
  return `    (${spellWithBlank(command).map(quote).join("|")})${assign("options+=", options.flatMap(describeOption))}`;
}

const inLine = (text: string): string => `\n    ${text}`;

const assign = (target: string, values: readonly string[]): string =>
  ` ${target}(${values.map((text) => `\n      ${text}`).join("")}\n    ) ;;\n`;

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const describeVerb = ({ verb, summary }: CompletedCommand): string =>
  quote(`${verb}:${summary.replaceAll(":", "\\:")}`);

/** One specification of _arguments for each spelling; the spellings exclude each other. */
function describeOption(option: CompletedOption): readonly string[] {
  const { spellings, help } = option;
  const exclusion = spellings.length > 1 ? `(${spellings.join(" ")})` : "";
  const explanation = help === "" ? "" : `[${help.replace(/[[\]\\:]/g, "\\$&")}]`;
  return spellings.map((spelling) =>
    quote(`${exclusion}${spelling}${joiner(option, spelling)}${explanation}${describeValue(option)}`),
  );
}

/** Where the value stands: attached or in the next word, after `=` or in the next word, only after `=`. */
function joiner({ value }: CompletedOption, spelling: string): string {
  if (value === "none" || (value === "optional" && !spelling.startsWith("--"))) return "";
  if (value === "optional") return "=-";
  return spelling.startsWith("--") ? "=" : "+";
}

function describeValue({ value, argument, choices, names, long }: CompletedOption): string {
  if (value === "none") return "";
  const title = (argument.startsWith("{") ? long : argument).toLowerCase();
  const colon = value === "optional" ? "::" : ":";
  return `${colon}${title}:${completeValue(choices, names)}`;
}

function completeValue(choices: readonly string[], names: CompletedOption["names"]): string {
  if (choices.length > 0) return `(${choices.join(" ")})`;
  if (names === "file") return "_files";
  if (names === "directory") return "_files -/";
  return names === "host" ? "_hosts" : " ";
}
