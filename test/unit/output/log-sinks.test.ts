import { describe, expect, it } from "vitest";
import { renderFileLines, renderTerminalLines } from "../../../src/output/log-lines.js";
import { createJsonSink, createSyslogSink, createTextSink } from "../../../src/output/log-sinks.js";
import { createReporter, type LogSink, type Reporter } from "../../../src/output/reporter.js";
import type { LogLevel } from "../../../src/output/log-level.js";

const time = new Date(2026, 0, 31, 12, 0, 0).getTime();

function collect(): { readonly lines: string[]; readonly destination: Parameters<typeof createTextSink>[0] } {
  const lines: string[] = [];
  return { lines, destination: { write: (text) => void lines.push(text), flush: () => Promise.resolve() } };
}

function reporterOn(sink: LogSink, changes: { threshold?: LogLevel; isTerse?: boolean } = {}): Reporter {
  return createReporter({
    sink,
    threshold: changes.threshold ?? "INFO",
    isVerbose: false,
    isTerse: changes.isTerse ?? false,
    now: () => time,
    writeData: () => undefined,
    writeAside: () => undefined,
  });
}

const problem = { detail: "the fact", hint: "do this" };

describe("createTextSink", () => {
  it("writes the terminal's form", () => {
    const { lines, destination } = collect();
    reporterOn(createTextSink(destination, renderTerminalLines)).error("it failed", problem);
    expect(lines.join("")).toBe("ERROR: it failed\nDETAIL: the fact\nHINT: do this\n");
  });

  it("writes the log file's form", () => {
    const { lines, destination } = collect();
    reporterOn(createTextSink(destination, renderFileLines)).notice("done", { hint: "go on" });
    expect(lines.join("")).toBe("[2026-01-31 12:00:00] [NOTICE] done\n[2026-01-31 12:00:00] [HINT] go on\n");
  });
});

describe("createReporter", () => {
  it.each<[LogLevel, string]>([
    ["DEBUG", "DEBUG INFO NOTICE WARNING ERROR"],
    ["INFO", "INFO NOTICE WARNING ERROR"],
    ["WARNING", "WARNING ERROR"],
    ["ERROR", "ERROR"],
    ["CRIT", ""],
  ])("with threshold %s shows %s", (threshold, expected) => {
    const { lines, destination } = collect();
    const reporter = reporterOn(createTextSink(destination, renderTerminalLines), { threshold });
    for (const level of ["debug", "info", "notice", "warning", "error"] as const) reporter[level]("x");
    expect(lines.map((line) => line.split(":")[0]).join(" ")).toBe(expected);
  });

  it("leaves out DETAIL and HINT when terse", () => {
    const { lines, destination } = collect();
    reporterOn(createTextSink(destination, renderTerminalLines), { isTerse: true }).error(
      "it failed",
      problem,
    );
    expect(lines).toEqual(["ERROR: it failed\n"]);
  });
});

describe("createJsonSink", () => {
  it("writes one object a record", async () => {
    const { lines, destination } = collect();
    reporterOn(await createJsonSink(destination, "tsrepmgr")).warning("look", problem);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines.join(""))).toEqual({
      level: "WARNING",
      program: "tsrepmgr",
      pid: process.pid,
      time: new Date(time).toISOString(),
      message: "look",
      ...problem,
    });
  });
});

describe("createSyslogSink", () => {
  it("sends each line with syslog's number of the level", () => {
    const sent: [number, string][] = [];
    const sink = createSyslogSink({
      send: (...line) => void sent.push(line),
      flush: () => Promise.resolve(),
    });
    reporterOn(sink).error("it failed", problem);
    expect(sent).toEqual([
      [3, "ERROR: it failed"],
      [3, "DETAIL: the fact"],
      [3, "HINT: do this"],
    ]);
  });
});
