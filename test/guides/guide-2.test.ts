import { expect, inject, it } from "vitest";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { readGuideWith, type GuideReader } from "./adaptation.js";
import { waitUntilCaughtUp } from "./caught-up.js";
import { adaptationsOfGuide2 } from "./guide-2-adaptations.js";
import { findMissing, waitForLine } from "./shown-log.js";
import { openTerminal, type Terminal } from "./terminal.js";

const serverConf = "/etc/postgresql/16/main/postgresql.conf";
const accessConf = "/etc/postgresql/16/main/pg_hba.conf";
const programConf = "/etc/repmgr.conf";
const show = "repmgr -f /etc/repmgr.conf cluster show";
const clone =
  "repmgr -h PRIMARY_IP -U repmgr -d repmgr -f /etc/repmgr.conf standby clone --copy-external-config-files";

const accessLines = ["replication", "repmgr"].flatMap((database) => [
  `local   ${database}   repmgr                                    trust`,
  `host    ${database}   repmgr            127.0.0.1/32            trust`,
  `host    ${database}   repmgr            PRIMARY_IP/32           trust`,
  `host    ${database}   repmgr            STANDBY_IP/32           trust`,
]);

const programConfOf = (id: number, host: string): readonly string[] => [
  `node_id=${String(id)}`,
  `node_name=pg${String(id)}`,
  `conninfo='host=${host} user=repmgr dbname=repmgr connect_timeout=2'`,
  "data_directory='/var/lib/postgresql/16/data'",
  "failover=automatic",
  "promote_command='repmgr -f /etc/repmgr.conf standby promote --log-to-file'",
  "follow_command='repmgr -f /etc/repmgr.conf standby follow --log-to-file'",
  "log_file='/var/log/postgresql/repmgr.log'",
];

const shown = [
  "1  | pg1  | primary | * running |          | default  | 100      | 1        | host=192.0.0.81 user=repmgr dbname=repmgr connect_timeout=2",
  "2  | pg2  | standby |   running | pg1      | default  | 100      | 1        | host=192.0.0.82 user=repmgr dbname=repmgr connect_timeout=2",
];

const shownAfterFailover = [
  "1  | pg1  | primary | - failed  | ?        | default  | 100      |          | host=192.0.0.81 user=repmgr dbname=repmgr connect_timeout=2",
  "2  | pg2  | primary | * running |          | default  | 100      | 2        | host=92.0.0.82 user=repmgr dbname=repmgr connect_timeout=2",
];
/** The guide's log of the standby in a failover, each line without its time. */
const shownLogOfDaemon = [
  '[NOTICE] starting monitoring of node "pg2" (ID: 2)',
  '[INFO] monitoring connection to upstream node "pg1" (ID: 1)',
  '[WARNING] unable to ping "host=192.0.0.81 user=repmgr dbname=repmgr connect_timeout=2"',
  '[DETAIL] PQping() returned "PQPING_NO_RESPONSE"',
  '[WARNING] unable to connect to upstream node "pg1" (ID: 1)',
  '[INFO] checking state of node "pg1" (ID: 1), 1 of 6 attempts',
  '[WARNING] unable to reconnect to node "pg1" (ID: 1) after 6 attempts',
  "[INFO] 0 active sibling nodes registered",
  "[INFO] 2 total nodes registered",
  '[INFO] primary node "pg1" (ID: 1) and this node have the same location ("default")',
  "[INFO] no other sibling nodes - we win by default",
  "[NOTICE] this node is the only available candidate and will now promote itself",
  "[INFO] original connection is still available",
  "[INFO] 0 followers to notify",
  "[INFO] switching to primary monitoring mode",
  '[NOTICE] monitoring cluster primary "pg2" (ID: 2)',
];
const shownLogOfCommand = [
  "[NOTICE] promoting standby to primary",
  '[DETAIL] promoting server "pg2" (ID: 2) using pg_promote()',
  '[NOTICE] waiting up to 60 seconds (parameter "promote_check_timeout") for promotion to complete',
  "[NOTICE] STANDBY PROMOTE successful",
  '[DETAIL] server "pg2" (ID: 2) was successfully promoted to primary',
];
const daemonLog = "/var/log/postgresql/repmgr.log";
/** What `cluster show` ends with while a node is down. */
const NODE_STATUS = 25;
const START_SECONDS = 20;
/** The guide keeps the defaults: six attempts, ten seconds apart. */
const FAILOVER_SECONDS = 120;

/** The guide's tables were edited by hand: widths do not count, cells do. */
const rowsOf = (table: string): readonly string[] =>
  table
    .trim()
    .split("\n")
    .slice(2)
    .map((line) => line.trim().replace(/\s+/g, " "));

describeStory({
  title: "guide 2: two nodes whose configuration is copied over SSH",
  networkPrefixes: ["192.0.0", "172.27.20", "10.77.20", "192.168.120"],
  tell: (network) => {
    let guide: GuideReader;
    let primary: Terminal;
    let standby: Terminal;
    let nodes: readonly ContainerNode[] = [];

    async function openNode(id: number, host: string): Promise<Terminal> {
      const node = await network().startNode(`pg${String(id)}`, 80 + id);
      nodes = [...nodes, node];
      const terminal = openTerminal(node, guide);
      await terminal.type("sudo apt -y install postgresql");
      await node.expectSuccess(`install -o postgres /dev/null ${programConf}`, { user: "root" });
      await terminal.edit(programConf, programConfOf(id, host));
      await terminal.type("su - postgres");
      await terminal.type("psql -c \"ALTER USER postgres WITH PASSWORD 'EXAMPLE_PASSWORD'\"");
      await terminal.type("ssh-keygen -t rsa -b 4096");
      return terminal;
    }

    async function expectClusterShow(
      terminal: Terminal,
      rows: readonly string[],
      exitCode = 0,
    ): Promise<void> {
      const { stdout } = await terminal.type(show, exitCode);
      expect(rowsOf(stdout)).toEqual(rows.map((row) => guide.adapt(row).replace(/\s+/g, " ")));
    }

    it("lets the nodes log in on each other", async () => {
      guide = readGuideWith(adaptationsOfGuide2(inject("nodeImage").postgresMajor, network().prefix));
      primary = await openNode(1, "PRIMARY_IP");
      standby = await openNode(2, "STANDBY_IP");
      const [first, second] = nodes;
      if (first === undefined || second === undefined) throw new Error("two nodes are needed");
      for (const [from, to] of [
        [first, second],
        [second, first],
      ] as const) {
        const { stdout } = await from.expectSuccess("cat ~/.ssh/id_rsa.pub");
        await to.expectSuccess("install -d -m 700 ~/.ssh");
        await to.appendLines("~/.ssh/authorized_keys", [stdout.trim()]);
      }
      await primary.type("ssh-copy-id postgres@STANDBY_IP");
      await primary.type("ssh -n STANDBY_IP");
      await standby.type("ssh-copy-id postgres@PRIMARY_IP");
    });

    it("registers the primary", async () => {
      await primary.type("createuser -s repmgr");
      await primary.type("createdb repmgr -O repmgr");
      await primary.edit(serverConf, [
        "shared_preload_libraries = 'repmgr'",
        "wal_level = replica",
        "archive_mode = on",
        "archive_command = '/bin/true'",
        "max_wal_senders = 10",
        "max_replication_slots = 10",
        "hot_standby = on",
        "listen_addresses = '*'",
      ]);
      await primary.edit(accessConf, accessLines);
      await primary.type("sudo systemctl restart postgresql");
      await standby.type("psql 'host=PRIMARY_IP user=repmgr dbname=repmgr connect_timeout=2'");
      const { output } = await primary.type("repmgr -f /etc/repmgr.conf primary register");
      const lines = [
        "INFO: connecting to primary database...",
        'NOTICE: attempting to install extension "repmgr"',
        'NOTICE: "repmgr" extension successfully installed',
        "NOTICE: primary node record (ID: 1) registered",
      ];
      expect(output.trim().split("\n")).toEqual(lines.map((line) => guide.adapt(line)));
      await expectClusterShow(primary, shown.slice(0, 1));
    });

    it("clones the standby with the configuration of the primary", async () => {
      const [first, second] = nodes;
      const plan = await standby.type(`${clone} --dry-run`);
      expect(plan.output).toContain("NOTICE: standby will attach to upstream node 1\n");
      expect(plan.output).toContain('INFO: all prerequisites for "standby clone" are met\n');
      await primary.typeMissing("psql -c CHECKPOINT");
      const { output } = await standby.type(clone);
      expect(output).toContain("NOTICE: standby clone (using pg_basebackup) complete\n");
      expect(output).toContain("NOTICE: you can now start your PostgreSQL server\n");
      const look = guide.adapt(
        `cd /etc/postgresql/16/main && stat -c '%n %A %U %G %s' *.conf && sha256sum *.conf`,
      );
      expect((await second?.expectSuccess(look))?.stdout).toBe((await first?.expectSuccess(look))?.stdout);
    });

    it("registers the standby", async () => {
      await standby.typeMissing("/etc/init.d/postgresql stop");
      await standby.edit(serverConf, ["data_directory = '/var/lib/postgresql/16/data'"]);
      await standby.type("sudo systemctl restart postgresql");
      const { output } = await standby.type("repmgr -f /etc/repmgr.conf standby register");
      expect(output).toContain("INFO: standby registration complete\n");
      expect(output).toContain('NOTICE: standby node "pg2" (ID: 2) successfully registered\n');
      await waitUntilCaughtUp(nodes[0], 1);
      await expectClusterShow(standby, shown);
      const { stdout } = await primary.type("psql -c 'SELECT * FROM pg_stat_replication'");
      expect(stdout).toContain(" pg2 ");
      expect(stdout).toContain(" streaming ");
    });

    it("starts the daemons", async () => {
      const [first, second] = nodes;
      if (first === undefined || second === undefined) throw new Error("two nodes are needed");
      for (const terminal of [primary, standby]) await terminal.type("repmgrd -f /etc/repmgr.conf -d");
      const log = await waitForLine(first, {
        path: daemonLog,
        line: '[INFO] child node "pg2" (ID: 2) is attached',
        timeoutSeconds: START_SECONDS,
      });
      const lines = [
        '[NOTICE] starting monitoring of node "pg1" (ID: 1)',
        '[NOTICE] monitoring cluster primary "pg1" (ID: 1)',
        '[INFO] child node "pg2" (ID: 2) is attached',
      ];
      expect(findMissing(log, lines), log).toBeNull();
      await waitForLine(second, {
        path: daemonLog,
        line: '[INFO] monitoring connection to upstream node "pg1" (ID: 1)',
        timeoutSeconds: START_SECONDS,
      });
    });

    it("promotes the standby when the primary is stopped, and logs it as the guide shows", async () => {
      const [, second] = nodes;
      if (second === undefined) throw new Error("two nodes are needed");
      await primary.type(
        'psql postgres -c "CREATE TABLE customers (customer_id int, first_name varchar(80), last_name varchar(80))"',
      );
      expect((await primary.type("psql postgres -c '\\dt'")).stdout).toContain(" customers ");
      await second.expectSuccess(
        "timeout 20 sh -c 'until psql postgres -c \"TABLE customers\"; do sleep 0.2; done'",
      );
      expect((await standby.type("psql postgres -c '\\dt'")).stdout).toContain(" customers ");
      await primary.type("sudo systemctl stop postgresql");
      const [daemonLines, commandLines] = [shownLogOfDaemon, shownLogOfCommand].map((lines) =>
        lines.map((line) => guide.adapt(line)),
      );
      // promote_command writes the same file while the daemon sees that its server is out of recovery.
      for (const lines of [daemonLines, commandLines]) {
        const log = await waitForLine(second, {
          path: daemonLog,
          line: lines?.at(-1) ?? "",
          timeoutSeconds: FAILOVER_SECONDS,
        });
        expect(findMissing(log, lines ?? []), log).toBeNull();
      }
      await expectClusterShow(standby, shownAfterFailover, NODE_STATUS);
      await standby.type(
        'psql postgres -c "CREATE TABLE customers2 (customer_id int, first_name varchar(80), last_name varchar(80))"',
      );
      expect((await standby.type("psql postgres -c '\\dt'")).stdout).toMatch(
        / customers +\|.*\n.* customers2 /,
      );
    });

    it("differs from the guide by nothing but the table of adaptations", () => {
      expect(guide.listUnused()).toEqual([]);
    });
  },
});
