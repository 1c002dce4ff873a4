import { homedir, userInfo } from "node:os";
import { basename } from "node:path";
import type { Environment } from "../context.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";

/** Who runs us under which name. */
export function readEnvironment(programPath: string): Environment {
  let osUser: string | null = null;
  return {
    programName: readProgramName(programPath),
    variables: process.env,
    workingDirectory: readWorkingDirectory(),
    // Looked up when it is wanted: that takes milliseconds, and a container may run us as a user without a name.
    get osUser() {
      return (osUser ??= readOsUser());
    },
    homeDirectory: homedir(),
  };
}

/** The root directory stands in for one that somebody deleted under us. */
function readWorkingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}

/** `repmgr` when called through a link of that name. */
export function readProgramName(programPath: string): string {
  return basename(programPath).replace(/\.js$/, "");
}

function readOsUser(): string {
  try {
    return userInfo().username;
  } catch (error) {
    throw new UserError(
      exitCodes.badConfiguration,
      {
        message: "unable to determine the name of the operating system user",
        detail: `user ID is ${process.geteuid?.() ?? "unknown"}`,
        hint: "add this user to /etc/passwd, or run as the user that owns the PostgreSQL data directory",
      },
      error,
    );
  }
}
