import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, inject, it } from "vitest";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";
import { readGuideWith, type GuideReader } from "./adaptation.js";
import { waitUntilCaughtUp } from "./caught-up.js";
import { adaptationsOfGuide4 } from "./guide-4-adaptations.js";
import {
  accessLines,
  afterRejoin,
  daemonSettings,
  hostOf,
  idOf,
  names,
  pgbouncerConf,
  programConfOf,
  promoteScript,
  quoted,
  row,
  shownFollow,
  shownLogOfFollow,
  shownLogOfFollower,
  shownLogOfPromotion,
  shownLogOfWinner,
  shownLossOf,
  shownOfCommand,
  shownRehearsal,
  shownSwitchover,
  type Name,
} from "./guide-4-texts.js";
import { findMissing, waitForLine } from "./shown-log.js";
import { losePrimary } from "./sure-winner.js";
import { openTerminal, type Terminal } from "./terminal.js";

const program = "repmgr -f /etc/repmgr.conf";
const show = `${program} cluster show`;
const serverConf = "/etc/postgresql/10/main/postgresql.conf";
const includedConf = "/etc/postgresql/10/main/postgresql.replication.conf";
const accessConf = "/etc/postgresql/10/main/pg_hba.conf";

const daemonLog = "/var/log/postgresql/repmgrd.log";
const pgbouncerLog = "/var/log/postgresql/pgbouncer.log";
const initScript = resolve(import.meta.dirname, "../../packaging/init.d/repmgrd");
/** The guide keeps the defaults: six attempts, ten seconds apart. */
const FAILOVER_SECONDS = 120;

describeStory({
  title: "guide 4: three machines with replication slots and sudo",
  networkPrefixes: ["192.168.1", "172.27.50", "10.77.50", "192.168.150"],
  tell: (network) => {
    let guide: GuideReader;
    let pgbouncer: ContainerNode;
    const openPostgres = (node: ContainerNode): Pick<Terminal, "type"> => ({
      type: async (line) => node.expectSuccess(guide.adapt(line), { directory: "/tmp/repmgr" }),
    });
    const machines = new Map<
      Name,
      { readonly node: ContainerNode; readonly postgres: Terminal; readonly root: Terminal }
    >();
    const on = (name: Name) => {
      const machine = machines.get(name);
      if (machine === undefined) throw new Error(`${name} is not set up`);
      return machine;
    };

    async function setUpMachine(name: Name): Promise<void> {
      const node = await network().startNode(hostOf(name), 50 + idOf(name) - 1);
      const [root, postgres] = [openTerminal(node, guide), openTerminal(node, guide)];
      machines.set(name, { node, root, postgres });
      await root.type("apt-get install postgresql-10 postgresql-10-repmgr");
      await postgres.type("su postgres");
      await root.type('echo "postgres ALL = NOPASSWD: /usr/bin/pg_ctlcluster" > /etc/sudoers.d/postgres');
      await node.expectSuccess("install -o postgres /dev/null /etc/repmgr.conf", { user: "root" });
      await root.edit(serverConf, [
        "listen_addresses = '*'",
        "shared_preload_libraries = 'repmgr'",
        "include 'postgresql.replication.conf'",
      ]);
      await root.edit(includedConf, [
        "max_wal_senders       = 15",
        "max_replication_slots = 15",
        "wal_level             = 'replica'",
        "hot_standby           = on",
        "archive_mode          = on",
        "archive_command       = '/bin/true'",
        "wal_keep_segments     = 500",
      ]);
      await root.editMissing(includedConf, "wal_log_hints         = on");
      await root.edit(accessConf, accessLines);
    }

    async function editProgramConf(name: Name): Promise<void> {
      const { root } = on(name);
      await root.edit("/etc/repmgr.conf", programConfOf(name));
      await root.editMissing("/etc/repmgr.conf", "vote_timeout=30s");
      await root.editMissing("/etc/repmgr.conf", "vote_hold=35s");
    }

    const expectLines = (output: string, shown: readonly string[]): void => {
      const lines = shown.map((line) => guide.adapt(line));
      expect(findMissing(output, lines), output).toBeNull();
    };

    /** What the guide writes as root in an editor. */
    async function writeAsRoot(node: ContainerNode, path: string, text: string): Promise<void> {
      await node.expectSuccess(`cat > ${path} <<'END OF FILE'\n${text}\nEND OF FILE`, { user: "root" });
    }

    /** The log from `place` on, once it has this line. */
    async function waitForLog(name: Name, line: string, place = 0): Promise<string> {
      const { node } = on(name);
      const log = await waitForLine(node, {
        path: daemonLog,
        line: guide.adapt(line),
        timeoutSeconds: FAILOVER_SECONDS,
      });
      return log.slice(place);
    }

    const stopPrimary = (primary: Name, follower: Name, notice: () => Promise<unknown>): Promise<void> =>
      losePrimary({
        primary: on(primary).node,
        follower: on(follower).node,
        stop: () => on(primary).root.type("systemctl stop postgresql"),
        notice,
      });

    async function expectShown(
      name: Name,
      { rows, issues = [] }: { readonly rows: readonly string[]; readonly issues?: readonly string[] },
    ): Promise<void> {
      const result = await on(name).postgres.tryType(show);
      const shown = result.stdout.split("\n").flatMap((line) => {
        const cells = line.split("|").map((cell) => cell.trim());
        return cells.length > 1 && cells[0] !== "ID" ? [cells.slice(0, 5).join(" | ")] : [];
      });
      expect(shown).toEqual(rows.map((text) => guide.adapt(text)));
      const text = `${result.stdout}${result.stderr}`;
      for (const issue of issues) expect(text).toContain(guide.adapt(issue));
      expect(result.exitCode).toBe(issues.length > 0 ? 25 : 0);
    }

    async function setUpStandby(name: Name): Promise<void> {
      const { node, postgres } = on(name);
      await on("node0").postgres.typeMissing("psql -c CHECKPOINT");
      await postgres.type("rm -fR /var/lib/postgresql/10/main/*");
      await postgres.type("psql -h node0.raveland.priv -U repmgr");
      await editProgramConf(name);
      const clone = "repmgr -h node0.raveland.priv -U repmgr -d repmgr -f /etc/repmgr.conf standby clone";
      const dryRun = await postgres.type(`${clone} --dry-run`);
      expect(dryRun.output).toContain('all prerequisites for "standby clone" are met');
      await node.expectSuccess(guide.adapt("test ! -e /var/lib/postgresql/10/main/PG_VERSION"));
      const cloned = await postgres.type(clone);
      expect(cloned.output).toContain("NOTICE: standby clone (using pg_basebackup) complete");
      await postgres.type("sudo /usr/bin/pg_ctlcluster 10 main start");
      const { output } = await postgres.type(`${program} standby register`);
      expect(output).toContain("INFO: standby registration complete");
    }

    it("sets up three machines", async () => {
      guide = readGuideWith(adaptationsOfGuide4(inject("nodeImage").postgresMajor, network().prefix));
      for (const name of names) await setUpMachine(name);
    });

    it("lets postgres log in on every machine without a password", async () => {
      pgbouncer = await network().startNode("pgbouncer.raveland.priv", 53);
      const root = openTerminal(pgbouncer, guide);
      await root.type("apt-get install pgbouncer postgresql-client-10");
      const first = on("node0").node;
      const files = "/tmp/repmgr";
      await first.expectSuccess(`mkdir ${files}`);
      await openPostgres(first).type("ssh-keygen");
      await openPostgres(first).type(
        "ssh-keyscan node0.raveland.priv node1.raveland.priv node2.raveland.priv pgbouncer.raveland.priv > known_hosts",
      );
      guide.adapt("scp id_rsa* root@${i}:/var/lib/postgresql/.ssh/");
      const { stdout } = await first.expectSuccess(`tar -C ${files} -cz . | base64 -w 0`);
      for (const machine of [...names.map((name) => on(name).node), pgbouncer]) {
        await openTerminal(machine, guide).type(
          "mkdir /var/lib/postgresql/.ssh && chown postgres:postgres /var/lib/postgresql/.ssh",
        );
        await machine.expectSuccess(`echo ${stdout} | base64 -d | tar -C /var/lib/postgresql/.ssh -xz`);
        await machine.expectSuccess("cd /var/lib/postgresql/.ssh && cp id_rsa.pub authorized_keys");
      }
      await first.expectSuccess("ssh -o BatchMode=yes pgbouncer.raveland.priv true");
    });

    it("registers the primary", async () => {
      const { root, postgres } = on("node0");
      await root.type("systemctl start postgresql");
      await postgres.type("createuser -s repmgr");
      await postgres.type("createdb repmgr -O repmgr");
      await editProgramConf("node0");
      const { output } = await postgres.type(`${program} primary register`);
      const shown = [
        "INFO: connecting to primary database...",
        'NOTICE: attempting to install extension "repmgr"',
        'NOTICE: "repmgr" extension successfully installed',
        "NOTICE: primary node record (id: 1) registered",
      ];
      expect(output.trim().split("\n")).toEqual(shown.map((line) => guide.adapt(line)));
    });

    it("clones and registers both standbys", async () => {
      for (const name of ["node1", "node2"] as const) await setUpStandby(name);
      await waitUntilCaughtUp(on("node0").node, 2);
      await expectShown("node0", {
        rows: [
          row("node0", "primary", "* running"),
          row("node1", "standby", "running", "node0"),
          row("node2", "standby", "running", "node0"),
        ],
      });
    });

    it("loses the primary and promotes a standby by hand", async () => {
      await on("node0").root.type("systemctl stop postgresql");
      const mark = guide.addStep("?");
      await expectShown("node1", {
        rows: [
          row("node0", "primary", "? unreachable", "", mark),
          row("node1", "standby", "running", "node0", mark),
          row("node2", "standby", "running", "node0", mark),
        ],
        issues: [
          'unable to connect to node ""node0.raveland.priv"" (ID: 1)',
          'node ""node0.raveland.priv"" (ID: 1) is registered as an active primary but is unreachable',
        ],
      });
      const { output } = await on("node1").postgres.type(`${program} standby promote`);
      expect(output).toContain("NOTICE: promoting standby to primary");
      expect(output).toContain("NOTICE: STANDBY PROMOTE successful");
    });

    it("lets the other standby follow the new primary", async () => {
      const mark = guide.addStep("?");
      await expectShown("node2", {
        rows: [
          row("node0", "primary", "? unreachable", "", mark),
          row("node1", "standby", "! running as primary", "", guide.addStep("!")),
          row("node2", "standby", "running", "node0", mark),
        ],
        issues: ['node ""node1.raveland.priv"" (ID: 2) is registered as standby but running as primary'],
      });
      const { output } = await on("node2").postgres.type(`${program} standby follow`);
      expect(output).toContain("NOTICE: STANDBY FOLLOW successful");
      await expectShown("node2", {
        rows: [
          row("node0", "primary", "- failed", "", mark),
          row("node1", "primary", "* running"),
          row("node2", "standby", "running", "node1"),
        ],
        issues: ['unable to connect to node ""node0.raveland.priv"" (ID: 1)'],
      });
    });

    it("sees the old primary come back as a primary", async () => {
      await on("node0").root.type("systemctl start postgresql");
      await expectShown("node0", {
        rows: [
          row("node0", "primary", "* running"),
          row("node1", "standby", "! running as primary", "", guide.addStep("!")),
          row("node2", "standby", "running", "node1", guide.addStep("!")),
        ],
        issues: ['node ""node1.raveland.priv"" (ID: 2) is registered as standby but running as primary'],
      });
      await expectShown("node1", {
        rows: [
          row("node0", "primary", "! running"),
          row("node1", "primary", "* running"),
          row("node2", "standby", "running", "node1"),
        ],
        issues: ['node ""node0.raveland.priv"" (ID: 1) is running but the repmgr node record is inactive'],
      });
    });

    it("makes the old primary a standby of the new one", async () => {
      const { postgres } = on("node0");
      await postgres.type(`${program} node service --action=stop --checkpoint`);
      const { output } = await postgres.type(
        `${program} -d 'host=node1.raveland.priv user=repmgr dbname=repmgr' node rejoin`,
      );
      expect(output).toContain("NOTICE: NODE REJOIN successful");
      expect(output).toContain("DETAIL: node 1 is now attached to node 2");
      await expectShown("node2", { rows: afterRejoin });
      await on("node1").node.expectSuccess("psql -d repmgr -c 'CREATE TABLE sent AS SELECT 1 AS row'");
      for (const name of ["node0", "node2"] as const) {
        await waitUntil(`the row is on ${name}`, async () => {
          const { stdout } = await on(name).node.execute(
            "psql -d repmgr -Atc 'SELECT pg_is_in_recovery(), row FROM sent'",
          );
          return stdout === "t|1\n";
        });
      }
    });

    it("exchanges the roles for maintenance", async () => {
      const { postgres } = on("node2");
      const switchover = "repmgr standby switchover -f /etc/repmgr.conf --siblings-follow";
      const rehearsal = await postgres.type(`${switchover} --dry-run`);
      expect(rehearsal.output).toContain('INFO: SSH connection to host "node1.raveland.priv" succeeded');
      expectLines(rehearsal.output, shownRehearsal);
      await expectShown("node2", { rows: afterRejoin });
      const { output } = await postgres.type(switchover);
      expectLines(output, shownSwitchover);
      expectLines(output, shownFollow);
      await expectShown("node2", {
        rows: [
          row("node0", "standby", "running", "node2"),
          row("node1", "standby", "running", "node2"),
          row("node2", "primary", "* running"),
        ],
      });
    });

    it("starts the daemons as services", async () => {
      for (const name of names) {
        const { node, root } = on(name);
        await writeAsRoot(node, "/etc/default/repmgrd", daemonSettings.join("\n"));
        await writeAsRoot(node, "/etc/init.d/repmgrd", readFileSync(initScript, "utf8"));
        await root.typeMissing("chmod 755 /etc/init.d/repmgrd");
        await root.type("systemctl restart repmgrd");
      }
      for (const name of ["node0", "node1"] as const)
        expectLines(
          await waitForLog(
            name,
            '[INFO] monitoring connection to upstream node ""node2.raveland.priv"" (node ID: 3)',
          ),
          [
            `[NOTICE] starting monitoring of node "${quoted(name)}" (ID: ${String(idOf(name))})`,
            '[INFO] monitoring connection to upstream node ""node2.raveland.priv"" (node ID: 3)',
          ],
        );
      await waitForLog("node2", "[INFO] child node ");
    });

    it("promotes a standby by itself when the primary fails", async () => {
      await stopPrimary("node2", "node1", () => waitForLog("node0", shownLossOf.node2));
      await waitForLog("node0", '[NOTICE] monitoring cluster primary ""node0.raveland.priv""');
      const winner = await waitForLog("node0", shownOfCommand);
      expectLines(winner, shownLogOfWinner);
      expectLines(winner, shownLogOfPromotion);
      expectLines(winner, [shownOfCommand]);
      const follower = await waitForLog("node1", "[INFO] resuming standby monitoring mode");
      expectLines(follower, shownLogOfFollower);
      expectLines(follower, shownLogOfFollow);
      expectLines(follower, [shownOfCommand]);
      await expectShown("node0", {
        rows: [
          row("node0", "primary", "* running"),
          row("node1", "standby", "running", "node0"),
          row("node2", "primary", "- failed", "", guide.addStep("?")),
        ],
        issues: ['unable to connect to node ""node2.raveland.priv"" (ID: 3)'],
      });
    });

    it("makes the old primary a standby, whose daemon keeps it from writing meanwhile", async () => {
      const { root, postgres, node } = on("node2");
      await root.tryType("systemctl start postgresql");
      await waitForLog("node2", '[ALERT] stopping the local server: node ""node0.raveland.priv"" (ID: 1)');
      await node.expectSuccess(
        guide.adapt("timeout 20 sh -c 'while pg_lsclusters -h | grep -q online; do sleep 0.2; done'"),
      );
      await root.type("systemctl stop repmgrd");
      const { output } = await postgres.type(
        `${program} -d 'host=node0.raveland.priv user=repmgr dbname=repmgr' node rejoin`,
      );
      expect(output).toContain("NOTICE: NODE REJOIN successful");
      await root.type("systemctl start repmgrd");
      await waitUntilCaughtUp(on("node0").node, 2);
    });

    it("lets clients reach the primary through pgbouncer", async () => {
      const root = openTerminal(pgbouncer, guide);
      await writeAsRoot(pgbouncer, "/etc/pgbouncer/pgbouncer.ini", pgbouncerConf.join("\n"));
      const users = ['"postgres" "MySuperPasswordAdmin"', '"pea" "MySuperPassword"'];
      await writeAsRoot(pgbouncer, "/etc/pgbouncer/userlist.txt", users.join("\n"));
      const entry = guide.adapt("pea= host=node1.raveland.priv");
      await writeAsRoot(pgbouncer, "/etc/pgbouncer/pgbouncer.database.ini", `[databases]\n${entry}`);
      await root.type("chown postgres:postgres /etc/pgbouncer /etc/pgbouncer/pgbouncer.database.ini");
      const { postgres } = on("node0");
      await postgres.type("psql -c 'create role pea login'");
      await postgres.type("\\password pea");
      await postgres.type("psql -c 'create database pea owner pea'");
      await root.type("systemctl restart pgbouncer");
      await pgbouncer.expectSuccess(
        "timeout 20 sh -c 'until psql -U pea -c \"SELECT 1\"; do sleep 0.2; done'",
      );
      await pgbouncer.expectSuccess("psql -U pea -c 'CREATE TABLE written (at text)'");
    });

    it("leads them to the new primary with the guide's script", async () => {
      const promotion = "sudo /usr/bin/pg_ctlcluster 10 main promote";
      const script = promoteScript.replace(promotion, guide.adapt(promotion));
      for (const name of names) {
        const { node, root } = on(name);
        await root.typeMissing("apt-get update && apt-get install -y rsync");
        await writeAsRoot(node, "/usr/local/bin/promote.sh", script);
        await root.type("chmod 755 /usr/local/bin/promote.sh");
        const line = "service_promote_command = '/usr/local/bin/promote.sh'";
        await node.expectSuccess(`sed -i "s|^service_promote_command.*|${line}|" /etc/repmgr.conf`, {
          user: "root",
        });
      }
      await stopPrimary("node0", "node2", () => waitForLog("node1", shownLossOf.node0));
      const log = await waitForLine(pgbouncer, {
        path: pgbouncerLog,
        line: "RESUME 'pea' command issued",
        timeoutSeconds: FAILOVER_SECONDS,
      });
      const shown = ["PAUSE 'pea' command issued", "RELOAD command issued", "RESUME 'pea' command issued"];
      expectLines(log, shown);
      await pgbouncer.expectSuccess(
        `timeout 20 sh -c 'until psql -U pea -c "INSERT INTO written VALUES (1)"; do sleep 0.2; done'`,
      );
      await waitForLog("node1", '[NOTICE] monitoring cluster primary ""node1.raveland.priv""');
      await waitForLog("node1", "[NOTICE] STANDBY PROMOTE successful");
      await waitUntilCaughtUp(on("node1").node, 1);
    });

    it("differs from the guide by nothing but the table of adaptations", () => {
      expect(guide.listUnused()).toEqual([]);
    });
  },
});
