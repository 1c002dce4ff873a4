import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  expandNotificationCommand,
  type NotificationValues,
} from "../../../src/events/notification-command.js";

const values = (changes: Partial<NotificationValues> = {}): NotificationValues => ({
  nodeId: 2,
  event: "standby_register",
  successful: true,
  timestamp: "2026-01-31 12:00:00.123456+00",
  details: "upstream node ID is 1",
  subject: { nodeId: 1, nodeName: "node1", conninfo: "host=n1 user=repmgr" },
  ...changes,
});

const argumentsSeenByScript = (template: string, changes: Partial<NotificationValues> = {}): string[] => {
  const command = expandNotificationCommand(template.replace("script", `printf '%%s\\n'`), values(changes));
  return execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" }).split("\n").slice(0, -1);
};

describe("expandNotificationCommand", () => {
  it("fills every placeholder", () => {
    expect(argumentsSeenByScript(`script %n %e %s "%t" "%d" %p "%c" %a 100%%`)).toEqual([
      "2",
      "standby_register",
      "1",
      "2026-01-31 12:00:00.123456+00",
      "upstream node ID is 1",
      "1",
      "host=n1 user=repmgr",
      "node1",
      "100%",
    ]);
  });

  it("leaves an unknown placeholder as it is", () => {
    expect(expandNotificationCommand("script %x %", values())).toBe("script %x %");
  });

  it("gives nothing for what an event does not have", () => {
    expect(
      expandNotificationCommand(
        `script "%d" "%p%c%a" %s`,
        values({ details: null, subject: null, successful: false }),
      ),
    ).toBe('script "" "" 0');
  });

  it("splits an unquoted detail into words, as the reference does", () => {
    expect(argumentsSeenByScript("script %d")).toEqual(["upstream", "node", "ID", "is", "1"]);
  });

  it.each([`"%d"`, `'%d'`])("passes any detail through %s unchanged and runs none of it", (quoted) => {
    const text = fc.string({ unit: "grapheme-ascii" }).map((value) => value.replaceAll(/[\n\0]/g, ""));
    fc.assert(
      fc.property(text, (details) => {
        expect(argumentsSeenByScript(`script ${quoted}`, { details })).toEqual([details]);
      }),
      { numRuns: 40, examples: [['$(echo pwned) `id` "x" \\ $HOME'], ["it's; rm -rf /"]] },
    );
  });

  it("runs nothing of an unquoted detail", () => {
    expect(
      argumentsSeenByScript("script %d", { details: "$(echo pwned);`id` > /dev/full & | x" }).join(" "),
    ).toContain("$(echo pwned);`id`");
  });
});
