import { planWalReceiverControl } from "../../../decide/wal-receiver.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { mergeConninfo, parseConninfo } from "../../../model/conninfo.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { readRetryInterval, readWalReceiver } from "../../../postgres/wal-receiver.js";
import { openDatabaseOrFail } from "../../connect-local.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import { reportProblems } from "../../report-problems.js";
import { describeWalReceiverPlan, disableWalReceiver, enableWalReceiver } from "./execute.js";

export const nodeControl = defineCommand({
  name: "node control",
  summary: "stop the WAL receiver of this standby, or let it run again; for tests",
  options: {
    "disable-wal-receiver": "end the WAL receiver and keep it from starting again",
    "enable-wal-receiver": "let it start again, and wait until it runs",
    superuser: "connect as this user",
    "dry-run": "show what would be done",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection"],
  examples: ["node control --disable-wal-receiver"],
  checkOptions: (options) =>
    options["disable-wal-receiver"] || options["enable-wal-receiver"]
      ? []
      : ["--disable-wal-receiver or --enable-wal-receiver is required when executing NODE CONTROL"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    const database = await connect(context, options.superuser);
    const plan = planWalReceiverControl(
      {
        inRecovery: await isInRecovery(database),
        isSuperuser: database.isSuperuser,
        receiverPid: (await readWalReceiver(database)).pid,
        retryIntervalMs: await readRetryInterval(database),
      },
      options["disable-wal-receiver"] ? "disable" : "enable",
    );
    if (plan.kind === "refused") return reportProblems(reporter, [plan.problem]);
    if (options["dry-run"]) {
      for (const line of describeWalReceiverPlan(plan)) reporter.info(`would ${line}`);
    } else if (plan.kind === "disable") {
      await disableWalReceiver(context, database, plan);
    } else {
      await enableWalReceiver(context, database, plan);
    }
    return exitCodes.success;
  },
});

function connect(context: CommandContext, superuser: string | undefined): Promise<Database> {
  const user = superuser === undefined ? [] : ([["user", superuser]] as const);
  const conninfo = mergeConninfo(parseConninfo(context.settings.conninfo), new Map(user));
  return openDatabaseOrFail(context, conninfo, {
    exitCode: exitCodes.databaseConnection,
    message: "connection to database failed",
    hint: 'check that this server is running and that "conninfo" in repmgr.conf is right',
  });
}
