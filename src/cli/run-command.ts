import type { Command, CommandContext, OutputFormat } from "../commands/define-command.js";
import { describeConfigurationProblem } from "../config/configuration-problem.js";
import type { LoadedConfiguration } from "../config/load-configuration.js";
import type { Environment } from "../context.js";
import type { AllOptionValues } from "../commands/option-table.js";
import { loadCatalogue } from "../commands/index.js";
import { UserError } from "../errors/user-error.js";
import { failureOf } from "./failure-of.js";
import { readDisplay } from "../output/display.js";
import { createDatabases } from "../postgres/connect.js";
import { createRemoteHosts } from "../remote/remote-hosts.js";
import { atExit, createCleanupStack } from "../system/cleanup-stack.js";
import { systemClock } from "../system/clock.js";
import { onEscapedError } from "../system/escaped-errors.js";
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
  readonly writeLog: (text: string) => void;
}): Promise<number> {
  const { environment, command, loaded, parsed, writeLog } = request;
  const { options } = parsed;
  const settings =
    options.pg_bindir === undefined ? loaded.settings : { ...loaded.settings, pg_bindir: options.pg_bindir };
  const clock = systemClock;
  const { programName } = environment;
  const { reporter, sink } = await createCommandReporter({ options, settings, programName, clock, writeLog });
  const interruption = onInterrupt();
  const cleanup = createCleanupStack(atExit);
  const context: CommandContext = {
    clock,
    processes: systemProcesses,
    databases: createDatabases(environment, { warn: (message) => reporter.warning(message) }),
    remoteHosts: createRemoteHosts({
      clock,
      processes: systemProcesses,
      cleanup,
      interrupted: interruption.signal,
      variables: environment.variables,
      sshOptions: settings.ssh_options,
      remoteUser: options["remote-user"],
      tell: (message) => {
        if (reporter.isVerbose) reporter.info(message);
      },
      warn: (message) => reporter.warning(message),
    }),
    reporter,
    environment,
    cleanup,
    interrupted: interruption.signal,
    settings,
    configFile: loaded.file,
    configurationProblems: {
      errors: loaded.errors.map(describeConfigurationProblem),
      warnings: loaded.warnings.map(describeConfigurationProblem),
    },
    connection: parsed.connection,
    format: chooseFormat(command, options),
    display: await readDisplay(environment.variables),
    loadCatalogue,
  };
  let stopHearing = (): void => {};
  const escaped = new Promise<never>((_, reject) => {
    stopHearing = onEscapedError(reject);
  });
  try {
    return await Promise.race([command.run(context, options), escaped]);
  } catch (error) {
    const caughtSignal = interruption.exitCode();
    if (caughtSignal !== null && !(error instanceof UserError)) {
      reporter.error(`${command.name} was interrupted`);
      return caughtSignal;
    }
    const failure = failureOf(error, reporter);
    renderFailure(context, command.name, failure);
    return caughtSignal ?? failure.exitCode;
  } finally {
    await cleanup.unwind();
    interruption.stop();
    stopHearing();
    await sink.flush();
  }
}

/** The precedence is the reference's; a format that the command does not have leaves its text. */
function chooseFormat({ options: honoured }: Command, options: AllOptionValues): OutputFormat {
  for (const format of ["csv", "nagios", "optformat"] as const) {
    if (options[format] && honoured[format] !== undefined) return format;
  }
  return honoured.format === undefined ? "text" : ((options.format as OutputFormat | undefined) ?? "text");
}
