import { describe, expect, it } from "vitest";
import { loadConfiguration, type LoadedConfiguration } from "../../../src/config/load-configuration.js";
import { renderConfigurationProblems } from "../../../src/config/render-problems.js";
import { UserError } from "../../../src/errors/user-error.js";
import { filesInMemory } from "./files-in-memory.js";

type Contents = Parameters<typeof filesInMemory>[0];

const required = `node_id=1
node_name=n1
conninfo='host=n1'
data_directory='/pgdata'
`;

const environment = { variables: { PWD: "/home" }, workingDirectory: "/home" };

function loadFile(text: Contents[string], others: Contents = {}): LoadedConfiguration {
  return loadConfiguration({
    explicitFile: "x.conf",
    environment,
    files: filesInMemory({ "/home/x.conf": text, ...others }),
  });
}

/** What is printed, with the required settings before the text: its first line is line 5. */
const printed = (text: string): readonly string[] => renderConfigurationProblems(loadFile(required + text));

const errorsFor = (text: string): readonly string[] => {
  const [heading, ...lines] = printed(text);
  expect(heading).toBe("ERROR: following errors were found in the configuration file:");
  return lines.map((line) => line.replace(/^ {2}\/home\/x\.conf/, ""));
};

describe("loadConfiguration", () => {
  it("gives settings with durations in milliseconds and the defaults of all others", () => {
    const { file, settings, errors, warnings } = loadFile(
      `${required}reconnect_interval=200ms\npriority=50\npriority=60`,
    );
    expect({ file, errors, warnings }).toEqual({ file: "/home/x.conf", errors: [], warnings: [] });
    expect(settings).toMatchObject({
      node_id: 1,
      priority: 60,
      reconnect_interval: 200,
      monitor_interval_secs: 2000,
      ssh_options: "-q -o ConnectTimeout=10",
      degraded_monitoring_timeout: null,
    });
  });

  it("accumulates mappings and event lists over lines and included files", () => {
    const text = `${required}tablespace_mapping='/a=/b'\nevent_notifications='x,y'\ninclude 'more'`;
    const { settings } = loadFile(text, {
      "/home/more": "tablespace_mapping='/c=/d'\nevent_notifications=z",
    });
    expect(settings.tablespace_mapping.map(({ newDirectory }) => newDirectory)).toEqual(["/b", "/d"]);
    expect(settings.event_notifications).toEqual(["x", "y", "z"]);
  });

  it("takes defaults from other settings where they depend on them", () => {
    expect(loadFile(`${required}standby_reconnect_timeout=90`).settings.repmgrd_standby_startup_timeout).toBe(
      90_000,
    );
    expect(loadFile(required).settings.primary_starts_as_standby).toBe(false);
    expect(loadFile(`${required}sync_mode=quorum`).settings.primary_starts_as_standby).toBe(true);
    const armed = `${required}primary_isolation_timeout=5s\n`;
    expect(loadFile(armed).settings.primary_starts_as_standby).toBe(true);
    expect(loadFile(`${armed}primary_starts_as_standby=off`).settings.primary_starts_as_standby).toBe(false);
  });

  it("gives defaults and no error when the search finds no file", () => {
    const loaded = loadConfiguration({ explicitFile: null, environment, files: filesInMemory({}) });
    expect(loaded).toMatchObject({ file: null, errors: [], settings: { node_id: -1, conninfo: "" } });
  });

  it("shows all problems at once, each with file and line", () => {
    const text = "node_id=0\nnode_name=n1\npriority=\nprority=3\nlocation=/x\n";
    expect(renderConfigurationProblems(loadFile(text))).toEqual([
      "ERROR: following errors were found in the configuration file:",
      '  /home/x.conf:1: "node_id": must be 1 or greater (provided: "0")',
      "  /home/x.conf:3: syntax error near end of line",
      "  /home/x.conf:5: syntax error near token \"/\"; write: location='/x'",
      '  /home/x.conf: "conninfo": required parameter was not found',
      '  /home/x.conf: "data_directory": required parameter was not found',
      "WARNING: the following problems were also found in the configuration file:",
      "  /home/x.conf:4: prority='3': unknown name/value pair provided; ignoring; did you mean \"priority\"?",
    ]);
  });

  it.each([
    ["nmae='x'", ""],
    ["prority=3", '; did you mean "priority"?'],
    ["NODE_ID=3", '; did you mean "node_id"?'],
    ["use_replication_slot=3", '; did you mean "use_replication_slots"?'],
    ["completely_different=3", ""],
  ])("warns about the unknown setting %s", (line, question) => {
    const [heading, warning] = printed(line);
    expect(heading).toBe("WARNING: the following problems were found in the configuration file:");
    expect(warning).toMatch(/^ {2}\/home\/x\.conf:5: \w+='\w+': unknown name\/value pair provided; ignoring/);
    expect(warning?.split("; ignoring")[1]).toBe(question);
  });

  it.each([
    ["node=3", 'parameter "node" has been renamed to "node_id"; write: node_id=3'],
    ["loglevel=INFO", 'parameter "loglevel" has been renamed to "log_level"; write: log_level=INFO'],
    [
      "logfile=/var/log/x",
      'parameter "logfile" has been renamed to "log_file"; write: log_file=\'/var/log/x\'',
    ],
    [
      "master_response_timeout=60",
      'parameter "master_response_timeout" has been removed; use "async_query_timeout" instead; write: async_query_timeout=60',
    ],
    [
      "retry_promote_interval_secs=9",
      'parameter "retry_promote_interval_secs" has been removed; use "primary_notification_timeout" instead; write: primary_notification_timeout=9',
    ],
    ["cluster=test", 'parameter "cluster" has been removed; remove this line'],
    [
      "upstream_node=1",
      'parameter "upstream_node" has been removed; remove this line and use "--upstream-node-id" when cloning a standby',
    ],
  ])("refuses the 3.x setting %s and shows what to write", (line, message) => {
    expect(errorsFor(line)).toEqual([`:5: ${message}`]);
  });

  it("does not call a required setting missing that is there under its old name or wrongly quoted", () => {
    const loaded = loadFile("node=1\nnode_name=a.b\nconninfo=host=n1\ndata_directory=/x\n");
    expect(loaded.errors.map(({ correction }) => correction)).toEqual([
      "node_id=1",
      "node_name='a.b'",
      "conninfo='host=n1'",
      "data_directory='/x'",
    ]);
  });

  it.each([
    ['ssh_options="-q -o x=y" # why', "ssh_options='-q -o x=y'"],
    ["location='it's'", "location='it''s'"],
    ["location='open", "location=open"],
    ["log_file=/var/log/a b.log  # comment", "log_file='/var/log/a b.log'"],
    [String.raw`promote_command=/x -c "a\b"`, String.raw`promote_command='/x -c "a\\b"'`],
    ['priority="5"', "priority=5"],
    ["reconnect_interval=10 s", "reconnect_interval='10 s'"],
    ["conninfo=host=n1 password=hidden dbname=x", "conninfo='host=n1 password=***** dbname=x'"],
    ["priority=5 6", undefined],
    ["conninfo=host=n1 dbname", undefined],
    ["location='a' 'b'", undefined],
    ["unheard_of=/x", undefined],
    [`location=/x${" ".repeat(500_000)}y`, undefined],
  ])("shows how %j should be written", (line, correction) => {
    expect(loadFile(required + line).errors[0]?.correction).toBe(correction);
  });

  it.each([
    "conninfo=host=n1 password=S3cr#t;x y dbname=repmgr",
    "conninfo 'host=n1' password S3cr#t;x",
    'conninfo="postgresql://repmgr:S3cr#t;x y@n1/repmgr"',
    "conninfo='host=n1 password=S3cr#t;x y dbname=repmgr'",
    "pasword='S3cr#t;x y'",
    "conninof='host=n1 password=S3cr#t;x y'",
    "promote_password=1 S3cr",
  ])("never shows the password in %s", (line) => {
    expect(printed(line).join("\n")).toMatch(/x\.conf:5: /);
    expect(printed(line).join("\n")).not.toMatch(/S3cr|x y/);
  });

  it.each([
    [
      "archive_ready_warning=128",
      ':5: "archive_ready_critical" must be greater than "archive_ready_warning"',
    ],
    [
      "replication_lag_critical=2min\nreplication_lag_warning=120",
      ':6: "replication_lag_critical" must be greater than "replication_lag_warning"',
    ],
    [
      "node_rejoin_timeout=70",
      ':5: "standby_reconnect_timeout" must be equal to or greater than "node_rejoin_timeout"',
    ],
    [
      "data_directory=pg/data",
      ':5: "data_directory" must be an absolute path, not "pg/data": write it from the root on, "/…/pg/data"',
    ],
    [
      "primary_isolation_timeout=1999ms",
      ':5: "primary_isolation_timeout" must be 2s or greater, or 0: a shorter one would stop a healthy primary',
    ],
    ["vote_timeout=11s", ':5: "vote_hold" must be 13100ms or greater with this "vote_timeout"'],
  ])("checks settings against each other: %j", (text, error) => {
    expect(errorsFor(text)).toEqual([error]);
  });

  it("wants both settings of Barman or neither", () => {
    expect(errorsFor("barman_host=b")).toHaveLength(2);
    expect(printed("barman_host=b\nbarman_server=s")).toEqual([]);
  });

  it("does not judge a setting together with others when it is wrong by itself", () => {
    expect(errorsFor("node_rejoin_timeout=70\nstandby_reconnect_timeout=x")).toHaveLength(1);
  });

  it.each(["log_level=foo", "log_facility=local0"])("only warns about %s", (line) => {
    expect(printed(line)[1]).toMatch(/^ {2}\/home\/x\.conf:5: invalid log /);
  });

  it.each<[string, Contents[string] | null, string, string | undefined]>([
    ["missing", null, 'provided configuration file "x.conf" not found', "No such file or directory"],
    [
      "unreadable",
      { ok: false, code: "EACCES", reason: "Permission denied" },
      'unable to open provided configuration file "x.conf"',
      "Permission denied",
    ],
    [
      "binary",
      Uint8Array.from({ length: 999 }, (_, index) => (index * 7) % 256),
      'unable to open provided configuration file "x.conf"',
      "Not a text file",
    ],
    [
      "holding a NUL",
      `${required}location='a\0b'`,
      'unable to open provided configuration file "x.conf"',
      "Not a text file (NUL byte in line 5)",
    ],
    ["empty", " \n", 'configuration file "/home/x.conf" is empty', undefined],
  ])("throws one clear error when the file is %s", (_name, content, message, detail) => {
    const contents = content === null ? {} : { "/home/x.conf": content };
    const load = () =>
      loadConfiguration({ explicitFile: "x.conf", environment, files: filesInMemory(contents) });
    expect(load).toThrow(UserError);
    expect(load).toThrow(
      expect.objectContaining({ message, exitCode: 1, ...(detail === undefined ? {} : { detail }) }),
    );
  });
});

describe("renderConfigurationProblems", () => {
  it("names the file that was found by search, and is terse when asked", () => {
    const files = filesInMemory({ "/home/repmgr.conf": `${required}node_id=0\nprority=3` });
    const loaded = loadConfiguration({ explicitFile: null, environment, files });
    const lines = renderConfigurationProblems(loaded);
    expect(lines.at(-1)).toBe('DETAIL: configuration file is: "/home/repmgr.conf"');
    expect(lines).toHaveLength(5);
    expect(renderConfigurationProblems(loaded, { isTerse: true })).toHaveLength(2);
  });

  it("wants pgbouncer's three settings together", () => {
    const [heading, ...lines] = printed("pgbouncer_hosts='pool1, pool2:6433'");
    expect(heading).toBe("ERROR: following errors were found in the configuration file:");
    expect(lines).toEqual([
      expect.stringContaining('"pgbouncer_databases" is needed as well'),
      expect.stringContaining('"pgbouncer_database_file" is needed as well'),
    ]);
    expect(printed("pgbouncer_hosts='pool1:x'")[1]).toContain(
      '"pool1:x" in "pgbouncer_hosts" is neither HOST nor',
    );
    const complete = `${required}pgbouncer_hosts='pool1, pool2:6433'\npgbouncer_databases=pea\npgbouncer_database_file='/f'\n`;
    expect(loadFile(complete)).toMatchObject({
      errors: [],
      settings: {
        pgbouncer_hosts: ["pool1", "pool2:6433"],
        pgbouncer_databases: ["pea"],
        pgbouncer_port: 6432,
        pgbouncer_pause_timeout: 5000,
      },
    });
  });

  it.each(["knötchen", "n\u{1F418}", "tab\there"])("warns of the node name %s", (name) => {
    const lines = renderConfigurationProblems(loadFile(`${required}node_name='${name}'`));
    expect(lines.join("\n")).toContain('"node_name" should consist of printable ASCII characters');
  });

  it("says nothing about a good file", () => {
    expect(renderConfigurationProblems(loadFile(required))).toEqual([]);
  });
});
