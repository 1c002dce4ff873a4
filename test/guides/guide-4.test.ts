import { expect, inject, it } from "vitest";
import { describeStory } from "../harness/containers-story.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";
import { readGuideWith, type GuideReader } from "./adaptation.js";
import { adaptationsOfGuide4 } from "./guide-4-adaptations.js";
import { openTerminal, type Terminal } from "./terminal.js";

const names = ["node0", "node1", "node2"] as const;
type Name = (typeof names)[number];
const idOf = (name: Name): number => names.indexOf(name) + 1;
const hostOf = (name: Name): string => `${name}.raveland.priv`;

const program = "repmgr -f /etc/repmgr.conf";
const show = `${program} cluster show`;
const serverConf = "/etc/postgresql/10/main/postgresql.conf";
const includedConf = "/etc/postgresql/10/main/postgresql.replication.conf";
const accessConf = "/etc/postgresql/10/main/pg_hba.conf";

const accessLines = [
  "local   replication   repmgr                              trust",
  "host    replication   repmgr      127.0.0.1/32            trust",
  "host    replication   repmgr      192.168.1.0/24          trust",
  "local   repmgr        repmgr                              trust",
  "host    repmgr        repmgr      127.0.0.1/32            trust",
  "host    repmgr        repmgr      192.168.1.0/24          trust",
];

const programConfOf = (name: Name): readonly string[] => [
  `node_id=${String(idOf(name))}`,
  `node_name="${hostOf(name)}"`,
  `conninfo='host=${hostOf(name)} user=repmgr dbname=repmgr connect_timeout=2'`,
  "data_directory='/var/lib/postgresql/10/main'",
  "use_replication_slots=yes",
  "monitoring_history=yes",
  ...["start", "stop", "restart", "reload", "promote"].map(
    (action) => `service_${action}_command = 'sudo /usr/bin/pg_ctlcluster 10 main ${action}'`,
  ),
  "promote_check_timeout = 15",
  "failover=automatic",
  "promote_command='/usr/bin/repmgr standby promote -f /etc/repmgr.conf --log-to-file'",
  "follow_command='/usr/bin/repmgr standby follow -f /etc/repmgr.conf --log-to-file --upstream-node-id=%n'",
  "log_file='/var/log/postgresql/repmgrd.log'",
];

/** ID, name, role, status and upstream of a row that `cluster show` prints; the rest is the same everywhere. */
const row = (name: Name, role: string, status: string, upstream: Name | "" = "", mark = ""): string => {
  const shownUpstream = [mark, upstream === "" ? "" : `"${hostOf(upstream)}"`].join(" ").trim();
  return [String(idOf(name)), `"${hostOf(name)}"`, role, status, shownUpstream].join(" | ");
};

describeStory({
  title: "guide 4: three machines with replication slots and sudo",
  networkPrefixes: ["192.168.1", "172.27.50", "10.77.50", "192.168.150"],
  tell: (network) => {
    let guide: GuideReader;
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
      await on(name).root.edit("/etc/repmgr.conf", programConfOf(name));
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

    it("registers the primary", async () => {
      const { root, postgres } = on("node0");
      await root.type("systemctl start postgresql");
      await postgres.type("createuser -s repmgr");
      await postgres.type("createdb repmgr -O repmgr");
      await root.edit("/etc/repmgr.conf", programConfOf("node0"));
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

    it("differs from the guide by nothing but the table of adaptations", () => {
      expect(guide.listUnused()).toEqual([]);
    });
  },
});
