import type { Command, CommandContext, OutputFormat } from "../commands/define-command.js";
import type { LoadedConfiguration } from "../config/load-configuration.js";
import type { Environment } from "../context.js";
import type { AllOptionValues } from "../commands/option-table.js";
import { UserError } from "../errors/user-error.js";
import { createDatabases } from "../postgres/connect.js";
import { createCleanupStack } from "../system/cleanup-stack.js";
import { systemClock } from "../system/clock.js";
import { onInterrupt } from "../system/signals.js";
import { systemProcesses } from "../system/processes.js";
import { createCommandReporter } from "./create-reporter.js";
import type { ParsedArguments } from "./parse-arguments.js";
import { renderFailure } from "./render-failure.js";

/** Makes the context, runs the command, and releases everything whatever happens. Resolves to the exit code. */
export async function runCommand(request: {
  readonly environment: Environment;
  readonly command: Command;
  readonly loaded: LoadedConfiguration;
  readonly parsed: ParsedArguments;
}): Promise<number> {
  const { environment, command, loaded, parsed } = request;
  const { options } = parsed;
  const settings =
    options.pg_bindir === undefined ? loaded.settings : { ...loaded.settings, pg_bindir: options.pg_bindir };
  const clock = systemClock;
  const { programName } = environment;
  const { reporter, sink } = await createCommandReporter({ options, settings, programName, clock });
  const interruption = onInterrupt();
  const cleanup = createCleanupStack();
  const context: CommandContext = {
    clock,
    processes: systemProcesses,
    databases: createDatabases(environment, { warn: (message) => reporter.warning(message) }),
    reporter,
    environment,
    cleanup,
    interrupted: interruption.signal,
    settings,
    configFile: loaded.file,
    connection: parsed.connection,
    format: chooseFormat(options),
  };
  try {
    return await command.run(context, options);
  } catch (error) {
    const caughtSignal = interruption.exitCode();
    if (caughtSignal === null && !(error instanceof UserError)) throw error;
    if (error instanceof UserError) renderFailure(context, command.name, error);
    return caughtSignal ?? (error instanceof UserError ? error.exitCode : 1);
  } finally {
    await cleanup.unwind();
    interruption.stop();
    await sink.flush();
  }
}

/** The precedence is the reference's. */
function chooseFormat(options: AllOptionValues): OutputFormat {
  if (options.csv) return "csv";
  if (options.nagios) return "nagios";
  if (options.optformat) return "optformat";
  return (options.format as OutputFormat | undefined) ?? "text";
}
