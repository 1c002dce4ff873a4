import { expect, inject, it } from "vitest";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";
import { readGuideWith, type GuideReader } from "./adaptation.js";
import { waitUntilCaughtUp } from "./caught-up.js";
import { adaptationsOfGuide1 } from "./guide-1-adaptations.js";
import { losePrimary } from "./sure-winner.js";
import { openTerminal, type Terminal } from "./terminal.js";

const dataDirectory = "/var/lib/postgresql/data";
const serverConf = "/etc/postgresql/13/main/postgresql.conf";
const accessConf = "/etc/postgresql/13/main/pg_hba.conf";
const programConf = "/etc/postgresql/13/main/repmgr.conf";
const replicationLine = "host    replication     repmgr          172.7.7.0/24            trust";
const accessLine = "host    repmgr          repmgr          172.7.7.0/24            trust";

const programConfOf = (id: number): readonly string[] => [
  `node_id=${String(id)}`,
  `node_name=pg${String(id)}`,
  `conninfo='host=172.7.7.1${String(id)} user=repmgr dbname=repmgr connect_timeout=2'`,
  `data_directory='${dataDirectory}'`,
  "failover=automatic",
  `promote_command='repmgr -f ${programConf} standby promote'`,
  `follow_command='repmgr -f ${programConf} standby follow'`,
];

const shownHeader = [
  " ID | Name | Role    | Status    | Upstream | Location | Priority | Timeline | Connection string",
  "----+------+---------+-----------+----------+----------+----------+----------+-----------------------------",
  " 1  | pg1  | primary | * running |          | default  | 100      | 1        | host=172.7.7.11 user=repmgr dbname=repmgr connect_timeout=2",
];
const shownStandby = (id: number, timeline: number): string =>
  ` ${String(id)}  | pg${String(id)}  | standby |   running | pg1      | default  | 100      | ${String(timeline)}        | host=172.7.7.1${String(id)} user=repmgr dbname=repmgr connect_timeout=2`;

const shownAfterFailover = [
  " 1  | pg1  | primary | - failed  | ?        | default  | 100      |          | host=172.7.7.11 user=repmgr dbname=repmgr connect_timeout=2",
  " 2  | pg2  | primary | * running |          | default  | 100      | 2        | host=172.7.7.12 user=repmgr dbname=repmgr connect_timeout=2",
  " 3  | pg3  | standby |   running | pg2      | default  | 100      | 2        | host=172.7.7.13 user=repmgr dbname=repmgr connect_timeout=2",
];
/** What `cluster show` ends with while a node is down. */
const NODE_STATUS = 25;
/** The guide keeps the defaults: six attempts, ten seconds apart. */
const FAILOVER_MS = 150_000;

/** A standby tells the timeline of its last restart point, which may be either. */
const withoutTimeline = (row: string): string => row.replace(/\| \d+ \| host/, "| N | host");

/** Waits until the daemon's log of a node has a line like this. */
async function waitForLog(node: ContainerNode | undefined, line: RegExp): Promise<string> {
  let log = "";
  const search = async (): Promise<string | false> => {
    log = (await node?.execute("cat /tmp/repmgrd.log"))?.output ?? "";
    return line.test(log) && log;
  };
  return waitUntil(`the log of ${node?.name ?? "no node"} has ${String(line)}`, search, FAILOVER_MS).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${log}`);
    },
  );
}

/** The guide's tables were edited by hand: widths do not count, cells do. */
const cellsOf = (table: string): readonly string[] =>
  table
    .trim()
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " ").replace(/-+/g, "-"));

describeStory({
  title: "guide 1: three containers",
  networkPrefixes: ["172.7.7", "172.27.7", "10.77.7", "192.168.77"],
  tell: (network) => {
    let guide: GuideReader;
    let binDirectory: string;
    let primary: Terminal;
    const nodes: ContainerNode[] = [];
    const terminals: Terminal[] = [];

    async function openNode(id: number): Promise<Terminal> {
      const node = await network().startNode(`pg${String(id)}`, 10 + id);
      nodes.push(node);
      const terminal = openTerminal(node, guide);
      terminals.push(terminal);
      await terminal.type("apt update && apt install postgresql-13 postgresql-13-repmgr vim —yes");
      return terminal;
    }

    async function expectClusterShow(
      terminal: Terminal,
      line: string,
      rows: readonly string[],
    ): Promise<void> {
      const { stdout, stderr } = await terminal.type(line);
      const table = [...shownHeader, ...rows].map((row) => guide.adapt(row)).join("\n");
      expect(cellsOf(stdout)).toEqual(cellsOf(table));
      expect(stderr).toBe("");
    }

    async function setUpStandby(id: number, rows: readonly string[]): Promise<void> {
      await primary.typeMissing("psql -c CHECKPOINT");
      const standby = await openNode(id);
      await standby.type("su postgres");
      await standby.type("psql 'host=172.7.7.11 user=repmgr dbname=repmgr connect_timeout=2'");
      await standby.edit(programConf, programConfOf(id));
      await standby.editMissing(programConf, binDirectory);
      await standby.type("cd /etc/postgresql/13/main");
      await standby.type("repmgr -h 172.7.7.11 -U repmgr -d repmgr -f repmgr.conf standby clone --dry-run");
      await nodes[nodes.length - 1]?.expectSuccess(`test ! -e ${dataDirectory}`);
      await standby.type("repmgr -h 172.7.7.11 -U repmgr -d repmgr -f repmgr.conf standby clone");
      await standby.edit(serverConf, [`data_directory = '${dataDirectory}'`, "listen_address = '*'"]);
      await standby.editMissing(accessConf, accessLine);
      await standby.editMissing(accessConf, replicationLine);
      await standby.type("/etc/init.d/postgresql start");
      await standby.type("repmgr -f repmgr.conf standby register");
      await waitUntilCaughtUp(nodes[0], id - 1);
      await expectClusterShow(standby, "repmgr -f repmgr.conf cluster show", rows);
    }

    it("registers the primary", async () => {
      guide = readGuideWith(adaptationsOfGuide1(inject("nodeImage").postgresMajor, network().prefix));
      guide.adapt("docker compose up");
      binDirectory = `pg_bindir='/usr/lib/postgresql/${inject("nodeImage").postgresMajor}/bin'`;
      primary = await openNode(1);
      await primary.type("su postgres");
      await primary.edit(serverConf, [
        "listen_address = '*'",
        "max_wal_senders = 10",
        "max_replication_slots = 10",
        "wal_level = 'hot_standby'",
        "hot_standby = on",
        "archive_mode = on",
        "archive_command = '/bin/true'",
      ]);
      await primary.editMissing(serverConf, "wal_keep_size = '64MB'");
      await primary.type("/etc/init.d/postgres start");
      await primary.type("createuser -s repmgr");
      await primary.type("createdb repmgr -O repmgr");
      await primary.edit(accessConf, [replicationLine, accessLine]);
      await primary.typeMissing("psql -c 'SELECT pg_reload_conf()'");
      await primary.edit(programConf, programConfOf(1));
      const { output } = await primary.type(`repmgr -f ${programConf} primary register`);
      const shown = [
        "INFO: connecting to primary database...",
        'NOTICE: attempting to install extension "repmgr"',
        'NOTICE: "repmgr" extension successfully installed',
        "NOTICE: primary node record (ID: 1) registered",
      ];
      expect(output.trim().split("\n")).toEqual(shown.map((line) => guide.adapt(line)));
      await expectClusterShow(primary, `repmgr -f ${programConf} cluster show`, []);
    });

    it("clones and registers the first standby", async () => {
      await setUpStandby(2, [shownStandby(2, 1)]);
    });

    it("clones and registers the second standby", async () => {
      await setUpStandby(3, [shownStandby(2, 2), shownStandby(3, 1)]);
    });

    it("has two standbys that receive what the primary writes", async () => {
      const [pg1, ...standbys] = nodes;
      await pg1?.expectSuccess("psql -d repmgr -c 'CREATE TABLE sent AS SELECT 1 AS row'");
      for (const standby of standbys) {
        await waitUntil(`the row is on ${standby.name}`, async () => {
          const { stdout } = await standby.execute(
            "psql -d repmgr -Atc 'SELECT pg_is_in_recovery(), row FROM sent'",
          );
          return stdout === "t|1\n";
        });
      }
    });

    it("starts the daemons", async () => {
      for (const terminal of terminals) await terminal.type(`repmgrd -f ${programConf} -d`);
      await waitForLog(nodes[0], /^\[.*\] \[NOTICE\] monitoring cluster primary "pg1" \(ID: 1\)$/m);
      for (const standby of nodes.slice(1))
        await waitForLog(
          standby,
          /^\[.*\] \[INFO\] monitoring connection to upstream node "pg1" \(ID: 1\)$/m,
        );
    });

    it("promotes a standby when the primary's service is stopped, and the other one follows", async () => {
      await losePrimary({
        primary: nodes[0],
        follower: nodes[2],
        stop: () => primary.typeMissing("/etc/init.d/postgresql stop"),
        notice: () => waitForLog(nodes[1], /checking state of node .*, 1 of 6 attempts/),
      });
      await waitForLog(nodes[1], /NOTICE: STANDBY PROMOTE successful/);
      await waitForLog(
        nodes[2],
        /\[NOTICE\] node "pg3" \(ID: 3\) now following new upstream node "pg2" \(ID: 2\)/,
      );
      for (const terminal of terminals.slice(1)) {
        const { stdout, stderr } = await terminal.type(`repmgr -f ${programConf} cluster show`, NODE_STATUS);
        expect(cellsOf(stdout).map(withoutTimeline)).toEqual(
          cellsOf(guide.adapt([...shownHeader.slice(0, 2), ...shownAfterFailover].join("\n"))).map(
            withoutTimeline,
          ),
        );
        expect(stderr).toContain('unable to connect to node "pg1" (ID: 1)');
      }
    });

    it("goes on with two nodes", async () => {
      const [, pg2, pg3] = nodes;
      await pg2?.expectSuccess("psql -d repmgr -c 'INSERT INTO sent VALUES (2)'");
      await waitUntil("the row is on pg3", async () => {
        const answer = await pg3?.execute(
          "psql -d repmgr -Atc 'SELECT pg_is_in_recovery(), max(row) FROM sent'",
        );
        return answer?.stdout === "t|2\n";
      });
    });

    it("differs from the guide by nothing but the table of adaptations", () => {
      expect(guide.listUnused()).toEqual([]);
    });
  },
});
