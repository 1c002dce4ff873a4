import { describeFailure } from "../system/directories.js";
import { openLineServer, type LineServer } from "../system/line-server.js";
import type { DaemonContext } from "./daemon-context.js";

const CHECK_EVERY_MS = 200;

/**
 * The port on which a load balancer asks for the role: `MASTER` or `STANDBY`, and refused while the server does not
 * answer, as Debian's bgw-replstatus does. Null when `role_port` is off or taken; the daemon goes on without it.
 */
export async function openRolePort(
  context: DaemonContext,
  isInRecovery: () => boolean | null,
): Promise<LineServer | null> {
  const port = context.settings().role_port;
  if (port === null) return null;
  const answer = (): string | null => {
    const inRecovery = isInRecovery();
    if (inRecovery === null) return null;
    return inRecovery ? "STANDBY" : "MASTER";
  };
  try {
    return await openLineServer(port, { answer, checkEveryMs: CHECK_EVERY_MS });
  } catch (error) {
    context.reporter.error(`unable to listen on "role_port" ${port}`, {
      detail: describeFailure(error),
      hint: "choose another port in repmgr.conf, then restart the daemon",
    });
    return null;
  }
}
