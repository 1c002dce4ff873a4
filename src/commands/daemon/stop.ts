import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { findProcess } from "../../system/process-table.js";
import { defineCommand } from "../define-command.js";
import {
  askOwnDaemon,
  readWaitMs,
  requireServiceCommand,
  runServiceCommand,
  waitFor,
} from "./start-and-stop.js";

export const daemonStop = defineCommand({
  name: "daemon stop",
  summary: "stop the daemon of this node with repmgrd_service_stop_command",
  options: {
    "dry-run": "show the command, and do not run it",
    wait: "how long to wait until it has ended (default: 15)",
    "no-wait": "do not wait until it has ended",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "repmgrdService"],
  examples: ["daemon stop"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    const command = requireServiceCommand(context, "repmgrd_service_stop_command");
    const before = await askOwnDaemon(context);
    if (before === null)
      reporter.warning("the local server does not answer, the state of repmgrd is unknown");
    else if (!before.isRunning)
      throw new UserError(exitCodes.repmgrdService, { message: "repmgrd appears to be stopped already" });
    if (options["dry-run"]) {
      reporter.info(`would execute "${command}"`);
      return exitCodes.success;
    }
    await runServiceCommand(context, command);
    const waitMs = readWaitMs(options);
    if (waitMs === null) return exitCodes.success;
    const pid = before?.pid ?? null;
    if (pid === null) {
      throw new UserError(exitCodes.repmgrdService, {
        message: "unable to tell whether repmgrd has ended",
        detail: "its process number is not known",
      });
    }
    if (await waitFor(context, waitMs, async () => (await findProcess(pid)) === null)) {
      reporter.notice("repmgrd was successfully stopped");
      return exitCodes.success;
    }
    throw new UserError(exitCodes.repmgrdService, {
      message: `repmgrd has not ended after ${waitMs / 1000} second(s)`,
      detail: `repmgrd PID is ${pid}`,
    });
  },
});
