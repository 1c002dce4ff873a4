import { describeVersion, REFERENCE_VERSION_NUMBER } from "./program-identity.js";
import { flushStandardStreams, writeStdout } from "../output/standard-streams.js";
import { reachQuestion } from "../remote/reach-question.js";
import { readProgramName } from "./read-environment.js";

/**
 * Runs one command line (`argv` as in process.argv) and resolves to the exit code when all output has left. What is not
 * needed to print a version is loaded afterwards: start-up time is what users of `cluster show` wait for.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [, programPath = "tsrepmgr", ...words] = argv;
  const exitCode = await run(programPath, words);
  await flushStandardStreams();
  return exitCode;
}

async function run(programPath: string, words: readonly string[]): Promise<number> {
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
    writeStdout(`${describeVersion(readProgramName(programPath))}\n`);
    return 0;
  }
  if (words.length === 1 && words[0] === "--version-number") {
    writeStdout(`${REFERENCE_VERSION_NUMBER}\n`);
    return 0;
  }
  if (process.env[reachQuestion.variable] === "1") {
    const { answerReachQuestion } = await import("./answer-reach-question.js");
    const exitCode = await answerReachQuestion(programPath, words);
    if (exitCode !== null) return exitCode;
  }
  const { runCommandLine } = await import("./run-command-line.js");
  return runCommandLine(programPath, words);
}
