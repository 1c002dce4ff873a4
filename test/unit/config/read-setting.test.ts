import { describe, expect, it } from "vitest";
import { readSetting } from "../../../src/config/read-setting.js";

const unitsHint = "units are ms, s, min, h, d, without one it is s";

describe("readSetting", () => {
  it.each([
    ["priority", "+7", 7],
    ["child_nodes_connected_min_count", "-1", null],
    ["role_port", "0", null],
    ["reconnect_interval", "7", 7000],
    ["reconnect_interval", "200ms", 200],
    ["reconnect_interval", "0", 0],
    ["monitor_interval_secs", "100ms", 100],
    ["standby_reconnect_timeout", "2min", 120_000],
    ["degraded_monitoring_timeout", "-1", null],
    ["degraded_monitoring_timeout", "0", null],
    ["log_status_interval", "0s", null],
    ["primary_isolation_timeout", "5s", 5000],
    ["use_replication_slots", "On", true],
    ["use_replication_slots", "0", false],
    ["connection_check_type", "PING", "ping"],
    ["failover", "automatic", "automatic"],
    ["location", "", "default"],
    ["replication_user", "", ""],
    ["data_directory", "/a/./b/../c//d/", "/a/c/d"],
    ["data_directory", "/", "/"],
    ["log_file", "a/../b", "b"],
    ["passfile", "rel/../x", "rel/../x"],
    ["recovery_min_apply_delay", "5min", "5min"],
    ["recovery_min_apply_delay", "5 min", "5min"],
    ["recovery_min_apply_delay", "", ""],
    ["event_notifications", "a b,, c", ["ab", "c"]],
    ["event_notifications", ",", []],
    ["tablespace_mapping", "", []],
    ["tablespace_mapping", String.raw`/a\=1=/b\=2`, [{ oldDirectory: "/a=1", newDirectory: "/b=2" }]],
  ] as const)("reads %s=%j", (name, text, value) => {
    expect(readSetting(name, text)).toEqual({ ok: true, value });
  });

  it.each([
    ["node_id", "0", '"node_id": must be 1 or greater (provided: "0")'],
    ["node_id", "", '"node_id": invalid value (provided: "")'],
    ["priority", "10s", '"priority": invalid value (provided: "10s")'],
    ["priority", "0x10", '"priority": invalid value (provided: "0x10")'],
    ["priority", "1.5", '"priority": invalid value (provided: "1.5")'],
    [
      "priority",
      "2147483648",
      '"priority": must be a positive signed 32 bit integer, i.e. 2147483647 or less (provided: "2147483648")',
    ],
    ["role_port", "65536", '"role_port": must be 65535 or less (provided: "65536")'],
    ["monitor_interval_secs", "0", '"monitor_interval_secs": must be 1 or greater (provided: "0")'],
    ["monitor_interval_secs", "99ms", '"monitor_interval_secs": must be 100ms or greater (provided: "99ms")'],
    ["reconnect_interval", "-1", '"reconnect_interval": must be 0 or greater (provided: "-1")'],
    ["reconnect_interval", "", `"reconnect_interval": invalid value (provided: ""); ${unitsHint}`],
    ["reconnect_interval", "10x", `"reconnect_interval": invalid value (provided: "10x"); ${unitsHint}`],
    [
      "reconnect_interval",
      "999999d",
      '"reconnect_interval": must be 2147483647s or less (provided: "999999d")',
    ],
    ["always_promote", "t", '"always_promote": unable to interpret "t" as a boolean value'],
    ["always_promote", "", '"always_promote": unable to interpret "" as a boolean value'],
    ["failover", "Automatic", 'value for "failover" must be "automatic" or "manual" (provided: "Automatic")'],
    ["replication_type", "bdr", 'value for "replication_type" must be "physical" (provided: "bdr")'],
    [
      "connection_check_type",
      "x",
      'value for "connection_check_type" must be "ping", "connection" or "query" (provided: "x")',
    ],
    [
      "node_name",
      "é".repeat(32),
      'value for "node_name" must contain fewer than 64 characters (current length: 64)',
    ],
    ["location", "\ufffd", 'value for "location" is not valid UTF-8'],
    ["recovery_min_apply_delay", "-5", 'invalid value "-5" provided for "recovery_min_apply_delay"'],
    [
      "recovery_min_apply_delay",
      "5x",
      'value for "recovery_min_apply_delay" must be one of ms/s/min/h/d (provided: "5x")',
    ],
    ["tablespace_mapping", "abc", 'invalid tablespace mapping format "abc", must be "OLDDIR=NEWDIR"'],
    ["tablespace_mapping", "/a=", 'invalid tablespace mapping format "/a=", must be "OLDDIR=NEWDIR"'],
    ["tablespace_mapping", "/a=/b=/c", 'multiple "=" signs in tablespace mapping "/a=/b=/c"'],
    [
      "conninfo",
      "host=a b",
      '"conninfo": missing "=" after "b" in connection info string (provided: "host=a b")',
    ],
  ] as const)("refuses %s=%j", (name, text, message) => {
    expect(readSetting(name, text)).toEqual({ ok: false, message });
  });

  it("shows no password of a conninfo that does not parse", () => {
    const read = readSetting("conninfo", "host=n1 password=S3cr#t;x y dbname=repmgr");
    expect(read.ok ? "" : read.message).toContain("password=");
    expect(JSON.stringify(read)).not.toMatch(/S3cr|x y/);
  });
});
