import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { signalIfThere } from "./signals.js";

/** Ends servers below `root` whose test file could not end them, for example because its worker crashed. */
export async function stopLeftServers(root: string): Promise<void> {
  const pidFiles = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("postmaster.pid"))
    .map((path) => join(root, path));
  for (const pidFile of pidFiles) {
    const [pid, dataDirectory] = readFileSync(pidFile, "utf8").split("\n");
    const commandLine = `/proc/${pid ?? ""}/cmdline`;
    const isOurs =
      dataDirectory !== undefined &&
      existsSync(commandLine) &&
      readFileSync(commandLine, "utf8").includes(root);
    if (isOurs) signalIfThere(Number(pid), "SIGQUIT");
  }
}
