import { describe, expect, it } from "vitest";
import { parseDaemonArguments, renderDaemonHelp } from "../../../src/cli/daemon-options.js";

describe("parseDaemonArguments", () => {
  it.each<[string[], object]>([
    [[], { isDetaching: true, pidFile: null, logLevel: null, verbose: false, hasNoPidFile: false }],
    [
      ["-d", "-f", "a.conf", "-p", "x", "-v", "-m"],
      { isDetaching: true, configFile: "a.conf", pidFile: "x", verbose: true, keepsMonitoringHistory: true },
    ],
    [["--daemonize"], { isDetaching: true }],
    [["--daemonize=false"], { isDetaching: false }],
    [["--daemonize=OFF", "-d"], { isDetaching: true }],
    [["-d", "--daemonize=no"], { isDetaching: false }],
    [["-Ldebug", "--no-pid"], { logLevel: "DEBUG", hasNoPidFile: true }],
    [["--show", "--config-file=b"], { showsPidFile: true, configFile: "b" }],
    [["-V", "--nonsense"], { version: true }],
    [["-?"], { help: true }],
  ])("reads %j", (argv, expected) => {
    expect(parseDaemonArguments(argv)).toMatchObject({ options: expected, unknown: [], errors: [] });
  });

  it("collects what is wrong", () => {
    expect(parseDaemonArguments(["--x", "-L", "LOUD", "--daemonize=maybe", "-p"])).toMatchObject({
      unknown: [{ message: "unrecognized option '--x'" }, { message: "option requires an argument -- 'p'" }],
      errors: [
        'invalid log level "LOUD" provided',
        'value "maybe" provided for --daemonize is not a boolean, such as true or false',
      ],
    });
  });
});

describe("the daemon's help", () => {
  const help = renderDaemonHelp("tsrepmgrd", "/tmp/repmgrd.pid");

  it("is test/fixtures/help/tsrepmgrd.txt; add -u to write it again", async () => {
    await expect(help).toMatchFileSnapshot("../../fixtures/help/tsrepmgrd.txt");
  });

  it("fits a terminal of 80 columns", () => {
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
