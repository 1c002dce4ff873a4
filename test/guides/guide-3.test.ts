import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, inject, it } from "vitest";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";
import { readGuideWith, type GuideReader } from "./adaptation.js";
import { waitUntilCaughtUp } from "./caught-up.js";
import { adaptationsOfGuide3 } from "./guide-3-adaptations.js";
import { findMissing } from "./shown-log.js";
import { openTerminal, type Terminal } from "./terminal.js";

const initScript = resolve(import.meta.dirname, "../../packaging/init.d/repmgrd");
const inPostgres = (line: string): string => `docker exec -it mypostgresql su postgres -c "${line}"`;
const repmgr = (words: string): string => inPostgres(`repmgr -f /etc/repmgr/repmgr.conf ${words}`);
const conf = "/etc/repmgr/repmgr.conf";

const masterConf = [
  "node_id=1",
  "node_name=node1",
  "conninfo='host=master.postgresql.domain port=5433 user=repmgr dbname=repmgr connect_timeout=2'",
  "data_directory='/var/lib/postgresql/data'",
  "monitoring_history=yes",
  "monitor_interval_secs=2",
  "log_level=INFO",
  "log_file='/var/log/repmgrd.log'",
];
const slaveConf = [
  "node_id=2",
  "node_name=node2",
  "conninfo='host=slave.postgresql.domain port=5433 user=repmgr dbname=repmgr connect_timeout=2'",
  ...masterConf.slice(3),
  "failover=automatic",
  "reconnect_attempts=3 # the default is 6",
  "reconnect_interval=10",
  "promote_command='/usr/bin/repmgr standby promote -f /etc/repmgr/repmgr.conf --log-to-file'",
  "follow_command='/usr/bin/repmgr standby follow -f /etc/repmgr/repmgr.conf --log-to-file --upstream-node-id=%n'",
];
const serviceSettings = [
  "REPMGRD_ENABLED=yes",
  'REPMGRD_CONF="/etc/repmgr/repmgr.conf"',
  "REPMGRD_USER=postgres",
  "REPMGRD_BIN=/usr/bin/repmgrd",
  "REPMGRD_PIDFILE=/var/run/repmgrd.pid",
];
const shownCluster = [
  " ID | Name  | Role    | Status    | Upstream | Location | Priority | Timeline | Connection string",
  "----+-------+---------+-----------+----------+----------+----------+----------+------------------",
  " 1  | node1 | primary | * running |          | default  | 100      | 10       | host=master.postgresql.domain port=5433 user=repmgr dbname=repmgr connect_timeout=2",
  " 2  | node2 | standby |   running | node1    | default  | 100      | 10       | host=slave.postgresql.domain port=5433 user=repmgr dbname=repmgr connect_timeout=2",
];
/** The guide's log, each line without its time. */
const shownLog = [
  '[INFO] connecting to database "host=slave.postgresql.domain port=5433 user=repmgr dbname=repmgr connect_timeout=2"',
  '[NOTICE] starting monitoring of node "node2" (ID: 2)',
  '[INFO] monitoring connection to upstream node "node1" (node ID: 1)',
  '[INFO] node "node2" (node ID: 2) monitoring upstream node "node1" (node ID: 1) in normal state',
  '[WARNING] unable to connect to upstream node "node1" (node ID: 1)',
  "[INFO] checking state of node 1, 1 of 3 attempts",
  "[INFO] sleeping 10 seconds until next reconnection attempt",
  "[INFO] checking state of node 1, 2 of 3 attempts",
  "[INFO] sleeping 10 seconds until next reconnection attempt",
  "[INFO] checking state of node 1, 3 of 3 attempts",
  "[WARNING] unable to reconnect to node 1 after 3 attempts",
  "[NOTICE] this node is the only available candidate and will now promote itself",
  "[NOTICE] promoting standby to primary",
  `[DETAIL] promoting server "node2" (ID: 2) using "pg_ctl  -w -D '/var/lib/postgresql/data' promote"`,
  "[NOTICE] STANDBY PROMOTE successful",
  '[DETAIL] server "node2" (ID: 2) was successfully promoted to primary',
  "[INFO] switching to primary monitoring mode",
  '[NOTICE] monitoring cluster primary "node2" (node ID: 2)',
  '[INFO] monitoring primary node "node2" (node ID: 2) in normal state',
];
const NODE_STATUS = 25;
const NOT_RUNNING = 3;
const FAILOVER_MS = 120_000;

/** Widths and rules do not count, cells do. */
const cellsOf = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.trim().replace(/\s+/g, " ").replace(/-+/g, "-"));

describeStory({
  title: "guide 3: master and slave with the daemon as a service",
  networkPrefixes: ["172.28.3", "10.77.3", "192.168.73"],
  tell: (network) => {
    let guide: GuideReader;
    let master: Terminal;
    let slave: Terminal;
    let masterNode: ContainerNode;
    let slaveNode: ContainerNode;

    async function openNode(name: string, hostNumber: number): Promise<[Terminal, ContainerNode]> {
      const node = await network().startNode(name, hostNumber);
      await node.expectSuccess("install -d -o postgres /etc/repmgr", { user: "root" });
      const terminal = openTerminal(node, guide);
      await terminal.type("docker build -t kahidna/postgres:9.6 .");
      return [terminal, node];
    }

    /** What the guide edits as root; `appendLines` of the harness is the server's user. */
    async function writeAsRoot(node: ContainerNode, path: string, text: string): Promise<void> {
      await node.expectSuccess(`cat > ${path} <<'END OF FILE'\n${text}\nEND OF FILE`, { user: "root" });
    }

    const expectLines = (output: string, shown: readonly string[]): void => {
      for (const line of shown) expect(output).toContain(guide.adapt(line));
    };
    const expectCluster = async (terminal: Terminal, rows: readonly string[]): Promise<void> => {
      const { stdout } = await terminal.type(repmgr("cluster show"));
      expect(cellsOf(stdout.trim().split("\n"))).toEqual(cellsOf(rows.map((row) => guide.adapt(row))));
    };

    it("registers the master", async () => {
      const { postgresMajor } = inject("nodeImage");
      guide = readGuideWith(adaptationsOfGuide3(postgresMajor));
      const bin = `/usr/lib/postgresql/${postgresMajor}/bin`;
      const data = "/var/lib/postgresql/data";
      [master, masterNode] = await openNode("master.postgresql.domain", 11);
      await master.typeMissing(
        `su postgres -c "${bin}/initdb -D ${data} && ${bin}/pg_ctl -D ${data} -l /var/log/postgresql/postgresql.log -w -o '-h 0.0.0.0' start"`,
      );
      await master.type(inPostgres("createuser -s repmgr"));
      await master.type(inPostgres("createdb repmgr -O repmgr"));
      const subnet = `${network().prefix}.0/24`;
      await master.edit(`${data}/pg_hba.conf`, [
        "local   replication   repmgr                              trust",
        "host    replication   repmgr      127.0.0.1/32            trust",
        `host    replication   repmgr      ${subnet}          trust`,
        "local   repmgr        repmgr                              trust",
        "host    repmgr        repmgr      127.0.0.1/32            trust",
        `host    repmgr        repmgr      ${subnet}          trust`,
      ]);
      await master.typeMissing("su postgres -c 'psql -c \"SELECT pg_reload_conf()\"'");
      await master.edit(conf, masterConf);
      const { output } = await master.type(repmgr("primary register"));
      expectLines(output, [
        "INFO: connecting to primary database...",
        'NOTICE: attempting to install extension "repmgr"',
        'NOTICE: "repmgr" extension successfully installed',
        "NOTICE: primary node record (ID: 1) registered",
      ]);
      await expectCluster(master, shownCluster.slice(0, 3));
    });

    it("clones and registers the slave", async () => {
      await master.typeMissing("su postgres -c 'psql -c CHECKPOINT'");
      [slave, slaveNode] = await openNode("slave.postgresql.domain", 12);
      await slave.type(
        `docker run -it --rm kahidna/postgres:9.6 su postgres -c "psql 'host=master.postgresql.domain user=repmgr dbname=repmgr connect_timeout=2 port=5433'"`,
      );
      await slave.edit(conf, slaveConf);
      await slave.editMissing(conf, "log_status_interval=5");
      await slave.editMissing(conf, "role_port=5400");
      await slave.editMissing(
        conf,
        `pg_bindir='/usr/lib/postgresql/${inject("nodeImage").postgresMajor}/bin'`,
      );
      const rehearsal = await slave.type(
        'docker run -it --rm kahidna/postgres:9.6 \\\nsu postgres -c \\\n"repmgr -h master.postgresql.domain -U repmgr \\\n-d repmgr -f /etc/repmgr/repmgr.conf standby clone --dry-run"',
      );
      expectLines(rehearsal.output, [
        'NOTICE: destination directory "/var/lib/postgresql/data" provided',
        "INFO: connecting to source node",
        'INFO: parameter "max_wal_senders" set to 10',
        "NOTICE: checking for available walsenders on the source node (2 required)",
        "INFO: sufficient walsenders available on the source node",
        "NOTICE: checking replication connections can be made to the source server (2 required)",
        "INFO: required number of replication connections could be made to the source server",
        "NOTICE: standby will attach to upstream node 1",
        "HINT: consider using the -c/--fast-checkpoint option",
        'INFO: all prerequisites for "standby clone" are met',
      ]);
      const clone = await slave.type(
        'docker run -it --rm --name postgres_temporary $POSTGRESIMAGENAME su postgres -c "repmgr -p 5433 -h master.postgresql.domain -U repmgr -d repmgr -f /etc/repmgr/repmgr.conf standby clone"',
      );
      expectLines(clone.output, [
        "NOTICE: starting backup (using pg_basebackup)...",
        "NOTICE: standby clone (using pg_basebackup) complete",
        "NOTICE: you can now start your PostgreSQL server",
        'HINT: after starting the server, you need to register this standby with "repmgr standby register"',
      ]);
      await slave.type("docker run -d --hostname $CONTAINERHOSTNAME");
      await slave.type(
        "docker exec -it -u postgres $CONTAINERNAME repmgr -f /etc/repmgr/repmgr.conf standby register",
      );
      await waitUntilCaughtUp(masterNode, 1);
      await expectCluster(master, shownCluster);
      const { stdout } = await master.type(
        'docker run -it --rm --name postgres_temporary $POSTGRESIMAGENAME psql -U postgres -d repmgr -c "SELECT * FROM pg_stat_replication;"',
      );
      expect(stdout).toMatch(/\| node2 .* streaming .* async/);
    });

    it("manages the cluster", async () => {
      expect((await slave.type(repmgr("node status"))).stdout).toContain('Node "node2"');
      expect((await master.type(repmgr("node check --role"))).stdout).toContain("OK");
      await slave.type(repmgr("standby follow"));
      await slave.type(inPostgres("repmgr standby unregister -f /etc/repmgr/repmgr.conf"));
      await slave.type(repmgr("standby register"));
      await master.type(inPostgres("repmgr standby unregister -f /etc/repmgr/repmgr.conf --node-id=2"));
      await slave.type(repmgr("standby register"));
      await waitUntilCaughtUp(masterNode, 1);
      await expectCluster(slave, shownCluster);
    });

    it("runs the daemon by hand and as a service", async () => {
      for (const terminal of [master, slave]) {
        await terminal.type("touch /var/log/repmgrd.log");
        await terminal.type("chown postgres:postgres /var/log/repmgrd.log");
      }
      await master.type(
        'su postgres -c "repmgrd -f /etc/repmgr/repmgr.conf --pid-file /tmp/repmgrd.pid --daemonize"',
      );
      await writeAsRoot(slaveNode, "/etc/default/repmgrd", serviceSettings.join("\n"));
      await writeAsRoot(slaveNode, "/etc/init.d/repmgrd", readFileSync(initScript, "utf8"));
      await slave.typeMissing("chmod 755 /etc/init.d/repmgrd");
      const before = await slave.type("service repmgrd status", NOT_RUNNING);
      expect(before.output).toContain("repmgrd is not running ... failed!");
      const started = await slave.type("service repmgrd start");
      expect(started.output).toContain(
        "Starting PostgreSQL replication management and monitoring daemon: repmgrd.",
      );
      await slave.type("service repmgrd force-reload");
      await slave.type("service repmgrd restart");
      expect((await slave.type("service repmgrd status")).output).toContain("repmgrd is running");
      await waitUntil("the slave says so", async () => {
        const { stdout } = await slave.type("nc slave.postgresql.domain 5400");
        return stdout === "STANDBY\n";
      });
      await waitUntil("all is well", async () => {
        const { output } = await slaveNode.execute("cat /var/log/repmgrd.log");
        return output.includes("in normal state");
      });
    });

    it("promotes the slave when the master goes down, and logs it as the guide shows", async () => {
      const bin = `/usr/lib/postgresql/${inject("nodeImage").postgresMajor}/bin`;
      await master.typeMissing(`su postgres -c "${bin}/pg_ctl -D /var/lib/postgresql/data -m fast -w stop"`);
      let log = "";
      const shown = shownLog.map((line) => guide.adapt(line));
      // promote_command and the daemon, which sees at once that its server is out of recovery, write the same file.
      const isOfCommand = (line: string): boolean =>
        / (promoting s|STANDBY PROMOTE|server "node2")/.test(line);
      const ofDaemon = shown.filter((line) => !isOfCommand(line));
      const ofCommand = shown.filter(isOfCommand);
      await waitUntil(
        "the log has the guide's last lines",
        async () => {
          log = (await slaveNode.execute("cat /var/log/repmgrd.log")).output;
          return [ofDaemon, ofCommand].every((lines) => log.includes(lines.at(-1) ?? ""));
        },
        FAILOVER_MS,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${log}`);
      });
      for (const lines of [ofDaemon, ofCommand]) expect(findMissing(log, lines), log).toBeNull();
      expect((await slave.type("nc slave.postgresql.domain 5400")).stdout).toBe("MASTER\n");
      const { stdout } = await slave.type(repmgr("cluster show"), NODE_STATUS);
      expect(stdout).toMatch(/^ 1 +\| node1 \| primary \| - failed +\|/m);
      expect(stdout).toMatch(/^ 2 +\| node2 \| primary \| \* running +\|/m);
      await slave.type(repmgr("primary unregister --node-id=1"));
      expect((await slave.type(repmgr("cluster show"))).stdout).not.toContain("node1");
      await slave.type("service repmgrd stop");
    });

    it("differs from the guide by nothing but the table of adaptations", () => {
      expect(guide.listUnused()).toEqual([]);
    });
  },
});
