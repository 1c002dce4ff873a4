import { afterAll, afterEach } from "vitest";
import { ordinaryUser } from "./ordinary-user.js";
import { stopAllServers } from "./postgres-server.js";
import { killAllPrograms } from "./program.js";
import { stopAllSshds } from "./sshd.js";
import { homeDirectory, passfile, runDirectory } from "./test-run.js";

// PostgreSQL and the program refuse root: the worker of a test file gives root up before any test.
const user = ordinaryUser();
if (user !== null && process.getuid?.() === 0) {
  process.setgroups?.([user.gid]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
}
process.chdir(runDirectory());
process.umask(0o022);
for (const name of Object.keys(process.env)) {
  if (name.startsWith("PG")) Reflect.deleteProperty(process.env, name);
}
process.env["PGPASSFILE"] = passfile();
process.env["HOME"] = homeDirectory();

let someTestFailed = false;

afterEach((context) => {
  someTestFailed ||= context.task.result?.state === "fail";
});

afterAll(async () => {
  killAllPrograms();
  await stopAllSshds();
  await stopAllServers({ removeData: !someTestFailed });
});
