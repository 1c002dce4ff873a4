import { parse } from "shell-quote";
import { SshError } from "./ssh-error.js";

/** The words of `ssh_options`, split as a shell splits them. Throws SshError for what only a shell could carry out. */
export function splitSshOptions(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const words = parse(text, (name) => variables[name] ?? "");
  return words.map((word) => {
    if (typeof word === "string") return word;
    // No file is meant: `-o SendEnv=LC_*`.
    if ("pattern" in word) return word.pattern;
    throw new SshError("configuration", {
      message: `invalid value for "ssh_options": "${text}"`,
      detail: "only options of ssh may stand here, no operators of the shell",
      hint: 'put quotes around a value with special characters in "ssh_options" of repmgr.conf',
    });
  });
}

/** Without `-q`, which would hide the reason of a failure. */
export function dropQuiet(words: readonly string[]): readonly string[] {
  return words.filter((word) => word !== "-q");
}
