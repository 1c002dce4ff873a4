import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../harness/program.js";
import { newDirectory, testEnvironment } from "../../harness/test-run.js";

type Shell = "bash" | "zsh" | "fish";

let directory: string;

beforeAll(async () => {
  directory = await newDirectory("completion");
  mkdirSync(join(directory, "conf"));
  writeFileSync(join(directory, "conf", "node one.conf"), "");
  // A broken configuration is no obstacle.
  writeFileSync(join(directory, "repmgr.conf"), "node_id=\n");
  for (const shell of ["bash", "zsh", "fish"]) {
    const { exitCode, stdout, stderr } = await runProgram(["completion", shell], { cwd: directory });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    writeFileSync(join(directory, shell === "zsh" ? "_tsrepmgr" : `completion.${shell}`), stdout);
  }
});

const isHere = (shell: Shell): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

/**
 * Drives each shell's own completion and prints what it offers, one candidate a line. zsh gets its keys over a terminal,
 * and only once its line editor listens: before that, the terminal itself takes ^U and throws away the line.
 */
const drivers: Readonly<Record<Shell, (line: string) => readonly string[]>> = {
  bash: (line) => [
    "--norc",
    "-c",
    `source completion.bash
     COMP_LINE=$1 COMP_POINT=\${#1}
     # Words as readline splits them at COMP_WORDBREAKS.
     read -ra COMP_WORDS <<< "\${1//=/ = }"
     [[ $1 == *' ' || $1 == *= ]] && COMP_WORDS+=("")
     [[ $1 == *= ]] && unset 'COMP_WORDS[-1]'
     COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
     _tsrepmgr 2>/dev/null
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    line,
  ],
  zsh: (line) => [
    "-f",
    "-c",
    `zmodload zsh/zpty
     zpty shell 'TERM=dumb zsh -f -i'
     zpty -w shell 'PROMPT= RPROMPT=; unsetopt zle_bracketed_paste prompt_cr prompt_sp; stty -echo; fpath=($PWD $fpath)'
     zpty -w shell 'autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" list-colors ""; LISTMAX=10000'
     zpty -w shell 'compadd() { local -a found; if [[ $argv[(r)-O] || $argv[(r)-A] || $argv[(r)-D] ]]; then builtin compadd "$@"; else builtin compadd -O found "$@"; print -rl -- "$found[@]" >> offered; builtin compadd "$@"; fi }'
     zpty -w shell 'rm -f offered; zle-line-init() { print READY-$((1 + 1)) }; zle -N zle-line-init'
     zpty -r shell output '*READY-2*'
     zpty -w -n shell "$1"$'\\t'
     zpty -w -n shell $'\\C-u'
     zpty -w shell 'print DONE-$((1 + 1))'
     zpty -r shell output '*DONE-2*'
     zpty -d shell
     [[ -f offered ]] && grep . offered | sort -u; true`,
    "zsh",
    line,
  ],
  fish: (line) => [
    "--no-config",
    "-c",
    "source completion.fish; complete -C $argv[1] | string replace -r '\\t.*' ''",
    line,
  ],
};

function complete(shell: Shell, line: string): readonly string[] {
  const { stdout, stderr, error } = spawnSync(shell, [...drivers[shell](line)], {
    cwd: directory,
    encoding: "utf8",
    env: { ...testEnvironment(), ZDOTDIR: directory },
    timeout: 30_000,
  });
  expect({ stderr, error }).toEqual({ stderr: "" });
  return stdout
    .split("\n")
    .filter((word) => word !== "")
    .sort();
}

describe.each<Shell>(["bash", "zsh", "fish"])("completion in %s", (shell) => {
  beforeEach(({ skip }) => {
    if (!isHere(shell)) skip(`${shell} is not on this machine`);
  });

  it.each<[string, readonly string[]]>([
    ["tsrepmgr clu", ["cluster"]],
    ["tsrepmgr primary ", ["register", "unregister"]],
    ["tsrepmgr MASTER unr", ["unregister"]],
    ["tsrepmgr -f x.conf cluster s", ["show"]],
    ["tsrepmgr --node-name cluster standby cl", ["clone"]],
    ["tsrepmgr cluster show --tr", ["--tree"]],
    ["tsrepmgr cluster events --li", ["--limit"]],
    ["tsrepmgr cluster show --lim", []],
    ["tsrepmgr cluster event --format ", ["csv", "json", "text"]],
    ["tsrepmgr cluster event --format j", ["json"]],
    ["tsrepmgr cluster event --node-id ", []],
    ["tsrepmgr doc", ["doctor"]],
    ["tsrepmgr doctor ", []],
    ["tsrepmgr doctor --form", ["--format"]],
    ["tsrepmgr doctor --format=j", ["json"]],
  ])("offers for %j", (line, expected) => {
    const offered = complete(shell, line).map((word) => word.replace(/^--format=|=$/, "").trim());
    expect(offered).toEqual(expected);
  });

  it("offers files for -f, and no files elsewhere", () => {
    const offered = complete(shell, "tsrepmgr -f conf/");
    expect(offered.map((word) => word.replace(/^conf\//, "").replace("\\ ", " "))).toEqual(["node one.conf"]);
    expect(complete(shell, "tsrepmgr cluster show conf/")).toEqual([]);
  });

  it("offers choices behind =", () => {
    const offered = complete(shell, "tsrepmgr cluster show --format=j");
    expect(offered.map((word) => word.replace("--format=", ""))).toEqual(["json"]);
  });
});
