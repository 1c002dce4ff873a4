import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderEvents } from "../../../src/commands/cluster/event/render.js";
import type { EventRecord } from "../../../src/metadata/events.js";
import { nodeId } from "../../../src/model/node-record.js";

const events: readonly EventRecord[] = [
  {
    nodeId: nodeId(2),
    nodeName: "n2",
    event: "standby_register",
    successful: true,
    localTime: "2026-11-21 02:54:16",
    time: "2026-11-21T01:54:16.123456Z",
    details: "standby registration succeeded; upstream node ID is 1",
  },
  {
    nodeId: nodeId(9),
    nodeName: null,
    event: "standby_clone",
    successful: false,
    localTime: "2026-11-21 02:54:15",
    time: "2026-11-21T01:54:15.000000Z",
    details: null,
  },
];

describe("renderEvents", () => {
  it("lays the table out as repmgr does", () => {
    expect(renderEvents(events, { format: "text", isCompact: false })).toBe(
      [
        " Node ID | Name | Event            | OK | Timestamp           | Details                                              ",
        "---------+------+------------------+----+---------------------+-------------------------------------------------------",
        " 2       | n2   | standby_register | t  | 2026-11-21 02:54:16 | standby registration succeeded; upstream node ID is 1",
        " 9       |      | standby_clone    | f  | 2026-11-21 02:54:15 |                                                      ",
        "",
        "",
      ].join("\n"),
    );
  });

  it("leaves out the details when compact", () => {
    expect(renderEvents(events, { format: "text", isCompact: true })).toBe(
      [
        " Node ID | Name | Event            | OK | Timestamp          ",
        "---------+------+------------------+----+---------------------",
        " 2       | n2   | standby_register | t  | 2026-11-21 02:54:16",
        " 9       |      | standby_clone    | f  | 2026-11-21 02:54:15",
        "",
        "",
      ].join("\n"),
    );
  });

  it("writes five fields per event as CSV", () => {
    expect(renderEvents(events, { format: "csv", isCompact: false })).toBe(
      "2,n2,standby_register,t,2026-11-21 02:54:16\n9,,standby_clone,f,2026-11-21 02:54:15\n",
    );
  });

  it.each([
    ["text", "no matching events found\n"],
    ["csv", "no matching events found\n"],
  ] as const)("says in %s that there are none", (format, expected) => {
    expect(renderEvents([], { format, isCompact: false })).toBe(expected);
  });

  it("gives an empty list as JSON when there are none", () => {
    expect(JSON.parse(renderEvents([], { format: "json", isCompact: false }))).toMatchObject({ events: [] });
  });

  it("agrees with docs/json.md", () => {
    const text = readFileSync(new URL("../../../docs/json.md", import.meta.url), "utf8");
    const section = text.split(/^## /m).find((part) => part.startsWith("`cluster event`")) ?? "";
    expect(/```json\n([^]*?)```/.exec(section)?.[1]).toBe(
      renderEvents(events, { format: "json", isCompact: false }),
    );
  });
});
