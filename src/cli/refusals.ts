import { exitCodes } from "../errors/exit-codes.js";
import { writeStderr } from "../output/standard-streams.js";

export const isRoot = (): boolean => process.geteuid?.() === 0;

/** Shows that the program does not run as root, in the reference's words. Returns the exit code. */
export function refuseRoot(programName: string): number {
  writeStderr(
    `${programName}: cannot be run as root\n` +
      'Please log in (using, e.g., "su") as the (unprivileged) user that owns the data directory.\n',
  );
  return exitCodes.badConfiguration;
}

export const indented = (heading: string, lines: readonly string[]): string =>
  `${heading}\n${lines.map((line) => `  ${line}\n`).join("")}`;

export function refuseArguments(programName: string, errors: readonly string[], noun: string | null): number {
  writeStderr(indented("The following command line errors were encountered:", errors));
  return printTryHelp(programName, noun, writeStderr);
}

export function printTryHelp(
  programName: string,
  noun: string | null,
  write: (text: string) => void,
): number {
  const ofNoun = noun === null ? "" : ` or "${programName} ${noun} --help"`;
  write(`Try "${programName} --help"${ofNoun} for more information.\n`);
  return exitCodes.badConfiguration;
}
