import { describe, expect, it } from "vitest";
import { completeSettings } from "../../../src/config/default-settings.js";
import { judgeReload } from "../../../src/config/reload.js";
import type { Settings } from "../../../src/config/settings-table.js";

const current: Settings = {
  ...completeSettings(new Map()),
  node_id: 1,
  node_name: "n1",
  conninfo: "host=n1 password=hidden",
  failover: "automatic",
  promote_command: "p",
  follow_command: "f",
};
const onStandby = { isWitness: false };

describe("judgeReload", () => {
  it("lists each change with its old and its new value and when it takes effect", () => {
    const fresh: Settings = {
      ...current,
      conninfo: "host=n2 password=other",
      reconnect_interval: 200,
      priority: 50,
      repmgrd_pid_file: "/run/x",
      event_notifications: ["a", "b"],
      degraded_monitoring_timeout: 60_000,
    };
    const decision = judgeReload(current, fresh, onStandby);
    expect(decision).toMatchObject({
      kind: "accepted",
      changes: [
        {
          name: "conninfo",
          from: "host=n1 password=*****",
          to: "host=n2 password=*****",
          takesEffect: "yes",
        },
        { name: "priority", from: "100", to: "50", takesEffect: "re-register" },
        { name: "reconnect_interval", from: "10", to: "200ms", takesEffect: "yes" },
        { name: "degraded_monitoring_timeout", from: "-1", to: "60", takesEffect: "yes" },
        { name: "repmgrd_pid_file", from: "", to: "/run/x", takesEffect: "no" },
        { name: "event_notifications", from: "", to: "a,b", takesEffect: "yes" },
      ],
      settings: { reconnect_interval: 200, priority: 100, repmgrd_pid_file: "" },
    });
  });

  it("finds nothing to do when nothing changed", () => {
    expect(judgeReload(current, { ...current }, onStandby)).toEqual({
      kind: "accepted",
      settings: current,
      changes: [],
    });
  });

  it.each<[string, Partial<Settings>]>([
    ["node_id", { node_id: 2 }],
    ["node_name", { node_name: "n2" }],
    ["promote_command", { promote_command: "" }],
    ["follow_command", { follow_command: "" }],
  ])("refuses the whole file because of %s", (name, change) => {
    const decision = judgeReload(current, { ...current, ...change }, onStandby);
    expect(decision).toMatchObject({ kind: "refused", reasons: [expect.stringContaining(`"${name}"`)] });
  });

  it("needs no commands on a witness or without automatic failover", () => {
    const without: Settings = { ...current, promote_command: "", follow_command: "" };
    expect(judgeReload(current, without, { isWitness: true }).kind).toBe("accepted");
    expect(judgeReload(current, { ...without, failover: "manual" }, onStandby).kind).toBe("accepted");
  });
});
