import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { connectToLocalNode } from "../connect-local.js";
import { defineCommand } from "../define-command.js";
import {
  askOwnDaemon,
  readWaitMs,
  requireServiceCommand,
  runServiceCommand,
  waitFor,
} from "./start-and-stop.js";

export const daemonStart = defineCommand({
  name: "daemon start",
  summary: "start the daemon of this node with repmgrd_service_start_command",
  options: {
    "dry-run": "show the command, and do not run it",
    wait: "how long to wait until it runs (default: 15)",
    "no-wait": "do not wait until it runs",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "repmgrdService"],
  examples: ["daemon start", "daemon start --no-wait"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, environment } = context;
    const command = requireServiceCommand(context, "repmgrd_service_start_command");
    await connectToLocalNode(context);
    const before = await askOwnDaemon(context);
    if (before?.isRunning === true) {
      throw new UserError(exitCodes.repmgrdService, {
        message: "repmgrd appears to be running already",
        ...(before.pid === null ? {} : { detail: `repmgrd PID is ${before.pid}` }),
      });
    }
    if (options["dry-run"]) {
      reporter.info(`would execute "${command}"`);
      return exitCodes.success;
    }
    await runServiceCommand(context, command);
    const waitMs = readWaitMs(options);
    const hint = `execute "${environment.programName} service status" to see whether it runs`;
    if (waitMs === null) {
      reporter.notice("the start of repmgrd was initiated", { hint });
      return exitCodes.success;
    }
    if (await waitFor(context, waitMs, async () => (await askOwnDaemon(context))?.isRunning === true)) {
      reporter.notice("repmgrd was successfully started");
      return exitCodes.success;
    }
    throw new UserError(exitCodes.repmgrdService, {
      message: `repmgrd does not run after ${waitMs / 1000} second(s)`,
      hint: "look into the daemon's log",
    });
  },
});
