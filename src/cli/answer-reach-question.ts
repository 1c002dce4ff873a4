import { connectToCluster } from "../commands/cluster/connect-to-cluster.js";
import { reachNodes } from "../commands/cluster/reach-nodes.js";
import { loadConfiguration, type LoadedConfiguration } from "../config/load-configuration.js";
import type { Environment } from "../context.js";
import { connectivity } from "../decide/connectivity.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { renderCsvRow } from "../output/csv.js";
import { renderTerminalLines } from "../output/log-lines.js";
import { createTextSink } from "../output/log-sinks.js";
import { createReporter, type Reporter } from "../output/reporter.js";
import { flushStandardStreams, writeStderr, writeStdout } from "../output/standard-streams.js";
import { createDatabases } from "../postgres/connect.js";
import { reachQuestion } from "../remote/reach-question.js";
import { atExit, createCleanupStack } from "../system/cleanup-stack.js";
import { systemClock } from "../system/clock.js";
import { awaitInputEnd } from "../system/standard-input.js";
import { readEnvironment } from "./read-environment.js";
import { isRoot } from "./refusals.js";

const STATE_UNKNOWN = -1;

const LONGEST_WAIT_MS = 2000;
const AT_ONCE_MS = 20;
const REST_MS = 100;

/**
 * Prints the CSV of `cluster show` with the state of every node unknown. Null, with nothing done, when the words are
 * not those of the question or the configuration is not in order: that is for the command itself.
 */
export async function answerReachQuestion(
  programPath: string,
  words: readonly string[],
): Promise<ExitCode | null> {
  const explicitFile = readConfigFile(words);
  if (explicitFile === null || isRoot()) return null;
  const environment = readEnvironment(programPath);
  const loaded = tryToLoad(explicitFile, environment);
  return loaded === null || loaded.errors.length > 0 ? null : showReach(environment, loaded);
}

function readConfigFile(words: readonly string[]): string | null {
  const [option, file = "", ...rest] = words;
  const command = rest[0] === "-L" ? rest.slice(2) : rest;
  const isAsked =
    option === "-f" &&
    command.length === reachQuestion.args.length &&
    reachQuestion.args.every((word, index) => command[index] === word);
  return isAsked && file !== "" ? file : null;
}

function tryToLoad(explicitFile: string, environment: Environment): LoadedConfiguration | null {
  try {
    return loadConfiguration({ explicitFile, environment });
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

async function showReach(
  environment: Environment,
  { file, settings }: LoadedConfiguration,
): Promise<ExitCode> {
  const reporter = createTerseReporter();
  const cleanup = createCleanupStack(atExit);
  const context = {
    environment,
    settings,
    configFile: file,
    connection: new Map(),
    databases: createDatabases(environment, { warn: (message) => reporter.warning(message) }),
    interrupted: new AbortController().signal,
    reporter,
    cleanup,
  };
  try {
    const { records } = await connectToCluster(context);
    const reached = await Promise.all(
      [...reachNodes(context, records)].map(async ([nodeId, cell]) => ({ nodeId, value: await cell })),
    );
    for (const { nodeId, value } of reached) reporter.data(renderCsvRow([nodeId, value, STATE_UNKNOWN]));
    writeStdout(reachQuestion.end);
    await awaitRelease();
    const isWhole = reached.every(({ value }) => value === connectivity.reachable);
    return isWhole ? exitCodes.success : exitCodes.nodeStatus;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    reporter.error(error.message);
    return error.exitCode;
  } finally {
    await cleanup.unwind();
  }
}

/**
 * Until who has asked drops the connection, and a moment longer: that command is about to end, on this very machine
 * perhaps. One without an open standard input waits for our end.
 */
async function awaitRelease(): Promise<void> {
  const waitedMs = await awaitInputEnd(systemClock, LONGEST_WAIT_MS);
  if (waitedMs > AT_ONCE_MS) await systemClock.sleep(REST_MS);
}

/** As `--terse` makes it. */
function createTerseReporter(): Reporter {
  return createReporter({
    sink: createTextSink({ write: writeStderr, flush: flushStandardStreams }, renderTerminalLines),
    threshold: "NOTICE",
    isVerbose: false,
    isTerse: true,
    now: () => systemClock.now(),
    writeData: writeStdout,
    writeAside: writeStderr,
  });
}
