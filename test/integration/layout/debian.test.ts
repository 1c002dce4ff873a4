import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  adoptServer,
  createPrimary,
  freePort,
  newDirectory,
  type TestServer,
} from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { passfile } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  awaitReplay,
  awaitStreaming,
  expectSuccess,
  makeNode,
  recordOf,
  type Node,
} from "../killed/make-nodes.js";

const FILES = ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"] as const;
const PG_CTLCLUSTER = "/usr/bin/pg_ctlcluster";

interface Layout {
  /** What stands for /etc/postgresql. */
  readonly root: string;
  /** That of the cluster: the root, the major version, `main`. */
  readonly directory: string;
  readonly major: string;
}

async function makeLayout(dataDirectory: string, majorVersionFile: string): Promise<Layout> {
  const root = await newDirectory("etc");
  const major = (await readFile(majorVersionFile, "utf8")).trim();
  const directory = join(root, major, "main");
  await mkdir(directory, { recursive: true });
  const lines = [
    `data_directory = '${dataDirectory}'`,
    `hba_file = '${directory}/pg_hba.conf'`,
    `ident_file = '${directory}/pg_ident.conf'`,
  ];
  await writeFile(join(directory, "places"), `${lines.join("\n")}\n`);
  return { root, directory, major };
}

type Means = "config_directory" | "pg_ctlcluster";

/** How repmgr.conf tells where the configuration is. */
function settingsFor(means: Means, { root, directory, major }: Layout, server: TestServer) {
  if (means === "config_directory") {
    return { config_directory: directory, pg_ctl_options: `-l ${server.logFile}` };
  }
  const command = (action: string): string =>
    `PG_CLUSTER_CONF_ROOT=${root} pg_ctlcluster ${major} main ${action}`;
  return {
    config_directory: directory,
    service_start_command: command("start"),
    service_stop_command: command("stop -m fast"),
    service_restart_command: command("restart"),
    service_reload_command: command("reload"),
    service_promote_command: command("promote"),
  };
}

async function makeExternalPrimary(means: Means): Promise<Node & { readonly layout: Layout }> {
  const server = await createPrimary({ name: "node1", settings: { wal_keep_size: "256MB" } });
  await server.stop();
  const layout = await makeLayout(server.dataDirectory, join(server.dataDirectory, "PG_VERSION"));
  for (const name of FILES) await rename(join(server.dataDirectory, name), join(layout.directory, name));
  await usePlaces(layout, server);
  const node = await makeNode(server, 1, settingsFor(means, layout, server));
  await expectSuccess(node.run("node", "service", "--action=start"));
  await expectSuccess(node.run("primary", "register"));
  return { ...node, layout };
}

async function usePlaces({ directory }: Layout, { logFile }: TestServer): Promise<void> {
  await appendFile(join(directory, "postgresql.conf"), await readFile(join(directory, "places"), "utf8"));
  // pg_ctlcluster writes to where this leads, and to /var/log without it.
  await writeFile(logFile, "", { flag: "a" });
  await symlink(logFile, join(directory, "log"));
  // pg_ctlcluster gives the server the environment of this file, and no other.
  await writeFile(join(directory, "environment"), `PGPASSFILE = '${passfile()}'\n`);
}

async function cloneExternal(means: Means, primary: Node & { readonly layout: Layout }): Promise<Node> {
  const { layout: source } = primary;
  const directory = await newDirectory("node2");
  const dataDirectory = join(directory, "data");
  const port = await freePort();
  const layout = await makeLayout(dataDirectory, join(primary.server.dataDirectory, "PG_VERSION"));
  for (const name of FILES) await copyFile(join(source.directory, name), join(layout.directory, name));
  const { host, binDirectory } = primary.server;
  const conninfo = `host=${host} port=${port} user=repmgr dbname=repmgr connect_timeout=2`;
  const conf = await writeRepmgrConf(
    { directory, dataDirectory, binDirectory, conninfo },
    { node_id: 2, node_name: "node2", use_replication_slots: true, config_directory: layout.directory },
  );
  const from = ["-h", host, "-p", String(primary.server.port), "-U", "repmgr", "-d", "repmgr"];
  await expectSuccess(runProgram(["-f", conf, ...from, "standby", "clone", "-c"]));
  const server = await adoptServer({ name: "node2", dataDirectory, port });
  // The harness has written its lines where it knows postgresql.conf to be.
  const own = join(dataDirectory, "postgresql.conf");
  await appendFile(join(layout.directory, "postgresql.conf"), await readFile(own, "utf8"));
  await rm(own);
  await usePlaces(layout, server);
  const node = await makeNode(server, 2, settingsFor(means, layout, server));
  await expectSuccess(node.run("node", "service", "--action=start"));
  await expectSuccess(node.run("standby", "register", "--wait-sync=20"));
  return node;
}

/** The command of repmgr does not wait for the end. */
async function stop(node: Node): Promise<void> {
  await expectSuccess(node.run("node", "service", "--action=stop"));
  await waitUntil(`node ${node.id} is down`, async () => !(await node.server.isRunning()));
}

const available: readonly Means[] = existsSync(PG_CTLCLUSTER)
  ? ["config_directory", "pg_ctlcluster"]
  : ["config_directory"];

describe.each(available)("with the configuration outside the data directory, by %s", (means) => {
  it("nodes are cloned, promoted, rejoined, rewound, followed and controlled", async () => {
    const node1 = await makeExternalPrimary(means);
    const node2 = await cloneExternal(means, node1);
    await awaitStreaming(node1, node2);
    await awaitReplay(node1, node2);

    await stop(node1);
    await expectSuccess(node2.run("standby", "promote"));
    await expectSuccess(node1.run("node", "rejoin", "-d", node2.server.conninfo));
    await awaitStreaming(node2, node1);
    expect(await recordOf(node2, 1)).toEqual({ type: "standby", upstream: 2, active: true });

    await node1.server.sql(
      `ALTER SYSTEM SET primary_conninfo = '${node2.server.conninfo} application_name=astray'`,
    );
    await expectSuccess(node1.run("standby", "follow"));
    await awaitStreaming(node2, node1);
    for (const action of ["reload", "restart"]) {
      await expectSuccess(node1.run("node", "service", `--action=${action}`));
    }
    await awaitStreaming(node2, node1);
    await awaitReplay(node2, node1);

    await stop(node1);
    await node2.server.sql("CREATE TABLE public.lost AS SELECT generate_series(1, 1000) AS i");
    await node2.server.stop("immediate");
    await expectSuccess(node1.run("node", "service", "--action=start"));
    await expectSuccess(node1.run("standby", "promote"));
    const result = await expectSuccess(
      node2.run("node", "rejoin", "-d", node1.server.conninfo, "--force-rewind"),
    );
    expect(result.stderr).toContain("NOTICE: executing pg_rewind");
    await awaitStreaming(node1, node2);
    expect(await node2.server.sql("SELECT to_regclass('public.lost') IS NULL AS gone")).toEqual([
      { gone: true },
    ]);
  }, 180_000);
});
