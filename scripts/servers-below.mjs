import { readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const STOP_WITHIN_MS = 10_000;

/** The PostgreSQL processes that run in a folder: servers made there for a while, however they were started. */
function findServers(folder) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [program, directory] = ["exe", "cwd"].map((link) => readlinkSync(`/proc/${pid}/${link}`));
        return basename(program).startsWith("postgres") && `${directory}/`.startsWith(`${folder}/`);
      } catch {
        return false; // it has ended, or belongs to somebody else
      }
    })
    .map(Number);
}

/** Stops every server below a folder at once, for servers whose data is thrown away. Answers how many there were. */
export async function stopServersBelow(folder) {
  const found = findServers(folder);
  const deadline = Date.now() + STOP_WITHIN_MS;
  for (let left = found; left.length > 0; left = findServers(folder)) {
    for (const pid of left) signal(pid, Date.now() < deadline ? "SIGQUIT" : "SIGKILL");
    await sleep(50);
  }
  return found.length;
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended
  }
}
