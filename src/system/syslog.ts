import { spawn } from "node:child_process";
import { once } from "node:events";

export interface SyslogConnection {
  /** `severity` as syslog counts: 0 emergency … 7 debug. */
  send(severity: number, text: string): void;
  /** Resolves when everything sent has been handed over. Nothing can be sent afterwards. */
  flush(): Promise<void>;
}

const FACILITY_NUMBERS = {
  USER: 1,
  LOCAL0: 16,
  LOCAL1: 17,
  LOCAL2: 18,
  LOCAL3: 19,
  LOCAL4: 20,
  LOCAL5: 21,
  LOCAL6: 22,
  LOCAL7: 23,
};

export type SyslogFacility = keyof typeof FACILITY_NUMBERS;

export function isSyslogFacility(name: string): name is SyslogFacility {
  return Object.hasOwn(FACILITY_NUMBERS, name);
}

/**
 * Opens one long-lived `logger` process: Node has no datagram Unix sockets, and syslog listens on nothing else.
 * Messages are lost, not errors, when syslog does not answer, as with syslog(3).
 */
export function openSyslog(ident: string, facility: SyslogFacility): SyslogConnection {
  const logger = spawn("logger", ["--tag", ident, `--id=${process.pid}`, "--prio-prefix"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  logger.on("error", () => undefined);
  logger.stdin.on("error", () => undefined);
  return {
    send: (severity, text) => {
      const priority = FACILITY_NUMBERS[facility] * 8 + severity;
      for (const line of text.split("\n")) logger.stdin.write(`<${priority}>${line}\n`);
    },
    flush: async () => {
      if (logger.exitCode !== null || logger.pid === undefined) return;
      const ended = once(logger, "close");
      logger.stdin.end();
      await ended;
    },
  };
}
