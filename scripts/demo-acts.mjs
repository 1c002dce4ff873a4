// The acts of the demo; demo.mjs runs this as an ordinary user: demo-acts.mjs FOLDER POSTGRES_BIN_DIRECTORY [--keep | --keep-for-root]
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atEnd, Failure, heading, run, runScript } from "./run.mjs";
import { stopServersBelow } from "./servers-below.mjs";

const SEEN_WITHIN_MS = 30_000;

const SSHD = "/usr/sbin/sshd";

const [folder, binDirectory, keepFlag] = process.argv.slice(2);

async function makeNode(id) {
  const name = `node${id}`;
  return { id, name, port: await findFreePort(), conf: `${name}/repmgr.conf`, directory: join(folder, name) };
}

/** Below the range that the kernel takes ports of outgoing connections from, so that none of those gets it meanwhile. */
async function findFreePort() {
  for (;;) {
    const port = 16_000 + Math.floor(Math.random() * 16_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

const start = ({ name, port }) =>
  `pg_ctl --pgdata=${name}/data --log=${name}/server.log --options="-p ${port}" --silent --wait start`;

const sql = ({ port }, statement) =>
  `psql --host=127.0.0.1 --port=${port} --username=repmgr --dbname=repmgr --command="${statement}"`;

const conninfo = ({ port }) => `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr connect_timeout=2`;

const writeConf = (node) => `cat > ${node.conf} <<'END'
node_id=${node.id}
node_name='${node.name}'
conninfo='${conninfo(node)}'
data_directory='${node.directory}/data'
pg_bindir='${binDirectory}'
pg_ctl_options='-o "-p ${node.port}" -l ${node.directory}/server.log'
use_replication_slots=yes
repmgr_bindir='${join(folder, "bin")}'
ssh_options='-F ${join(folder, "ssh/config")}'
failover=automatic
promote_command='${join(folder, "bin/tsrepmgr")} -f ${join(folder, node.conf)} standby promote'
follow_command='${join(folder, "bin/tsrepmgr")} -f ${join(folder, node.conf)} standby follow --upstream-node-id=%n'
reconnect_attempts=3
reconnect_interval=1
monitor_interval_secs=1
repmgrd_pid_file='${node.directory}/repmgrd.pid'
log_file='${node.directory}/repmgrd.log'
state_directory='${node.directory}/state'
vote_hold='6500ms'
auto_rejoin=true
END`;

/** An sshd of this user for this run, and the client's side of it: nothing of ~/.ssh is read or written. */
const listSshLines = (port) => [
  `mkdir ssh
ssh-keygen -q -t ed25519 -N '' -f ssh/host_key
ssh-keygen -q -t ed25519 -N '' -f ssh/id
cp ssh/id.pub ssh/authorized_keys
echo "[127.0.0.1]:${port} $(cat ssh/host_key.pub)" > ssh/known_hosts`,
  `cat > ssh/sshd_config <<'END'
ListenAddress 127.0.0.1:${port}
HostKey ${folder}/ssh/host_key
AuthorizedKeysFile ${folder}/ssh/authorized_keys
PidFile ${folder}/ssh/sshd.pid
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
SetEnv PGPASSFILE=${folder}/passfile
END`,
  `cat > ssh/config <<'END'
Port ${port}
IdentityFile ${folder}/ssh/id
UserKnownHostsFile ${folder}/ssh/known_hosts
END`,
  `${SSHD} -f ${folder}/ssh/sshd_config -E ${folder}/ssh/sshd.log`,
];

const startDaemon = ({ conf }) => `tsrepmgrd -f ${conf} --daemonize`;

/**
 * What is shown, in order: each act is a heading and the shell lines that it runs. A line may be { line, until }: it
 * is run again until its output matches, whatever its exit code: that of `cluster show` tells of the node that is down.
 */
async function performAll(nodes, sshPort, env) {
  const [node1, node2] = nodes;
  for (const act of listBirthActs(nodes)) await perform(act, env);
  for (const act of listRepairActs(nodes)) await perform(act, env);
  if (sshPort !== null) for (const act of listSwitchoverActs(nodes, sshPort)) await perform(act, env);
  const primary = sshPort === null ? node2 : node1;
  const others = nodes.filter((node) => node !== primary);
  for (const act of listFailoverActs(primary, others)) await perform(act, env);
  const elected = await findPrimary(others, env);
  for (const act of listReturnActs(primary, elected)) await perform(act, env);
}

/** Whichever standby the daemons elected. */
async function findPrimary(candidates, env) {
  for (const node of candidates) {
    const question = sql(node, "SELECT 'in recovery: ' || pg_is_in_recovery()");
    const { output } = await runLine(question, env, { capture: true });
    if (output.includes("in recovery: false")) return node;
  }
  throw new Failure("the demo stops: no standby has become the primary");
}

function listBirthActs([node1, node2, node3]) {
  const standbys = [node2, node3];
  return [
    {
      title: "A primary server, made by initdb",
      lines: [
        `initdb --pgdata=node1/data --username=repmgr --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C >/dev/null`,
        `cat >> node1/data/postgresql.conf <<'END'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_log_hints = on
wal_keep_size = '128MB'
END`,
        start(node1),
        `createdb --host=127.0.0.1 --port=${node1.port} --username=repmgr repmgr`,
      ],
    },
    { title: "A repmgr.conf for each node", lines: [node1, node2, node3].map(writeConf) },
    { title: "The primary is registered", lines: [`tsrepmgr -f ${node1.conf} primary register`] },
    ...standbys.map((node) => ({
      title: `A standby is cloned from the primary, started and registered: ${node.name}`,
      lines: [
        `tsrepmgr -h 127.0.0.1 -p ${node1.port} -U repmgr -d repmgr -f ${node.conf} standby clone --fast-checkpoint`,
        start(node),
        `tsrepmgr -f ${node.conf} standby register`,
      ],
    })),
    { title: "The cluster", lines: [`tsrepmgr -f ${node1.conf} cluster show`] },
    { title: "What has happened in it", lines: [`tsrepmgr -f ${node2.conf} cluster event`] },
    {
      title: "A row written on the primary is read on both standbys",
      lines: [
        sql(node1, "CREATE TABLE greeting AS SELECT 'hello from node1' AS text"),
        ...standbys.map((node) => ({
          line: sql(node, "SELECT pg_is_in_recovery(), text FROM greeting"),
          until: /hello from node1/,
        })),
      ],
    },
  ];
}

function listRepairActs([node1, node2, node3]) {
  return [
    {
      title: "The primary dies; an operator promotes a standby, and the other one follows it",
      lines: [
        "pg_ctl --pgdata=node1/data --mode=immediate --silent stop",
        `tsrepmgr -f ${node2.conf} standby promote`,
        `tsrepmgr -f ${node3.conf} standby follow`,
      ],
    },
    {
      title: "Somebody starts the old primary again: it takes a row that nobody else will ever see",
      lines: [
        start(node1),
        sql(node1, "INSERT INTO greeting VALUES ('lost on node1')"),
        "pg_ctl --pgdata=node1/data --silent stop",
      ],
    },
    {
      title: "The old primary returns as a standby; what only it had is named and discarded",
      lines: [
        `tsrepmgr -f ${node1.conf} node rejoin -d '${conninfo(node2)}' --force-rewind`,
        `tsrepmgr -f ${node1.conf} cluster show`,
        { line: sql(node1, "SELECT pg_is_in_recovery(), text FROM greeting"), until: /hello from node1/ },
      ],
    },
  ];
}

function listSwitchoverActs([node1], sshPort) {
  return [
    {
      title: "An sshd for this run: switchover acts on the other nodes through it",
      lines: listSshLines(sshPort),
    },
    {
      title: "Switchover: node1 becomes the primary again, node2 its standby, and node3 follows",
      lines: [
        `tsrepmgr -f ${node1.conf} standby switchover --siblings-follow`,
        `tsrepmgr -f ${node1.conf} cluster show`,
      ],
    },
  ];
}

function listFailoverActs(primary, others) {
  const [anyOther] = others;
  return [
    {
      title: "A daemon beside each server; after a start it gives no vote until vote_hold is over",
      lines: [
        ...[primary, ...others].map(startDaemon),
        "sleep 7",
        { line: `tsrepmgr -f ${primary.conf} service status`, until: /failover is armed/ },
      ],
    },
    {
      title: `The server of ${primary.name} is killed; the daemons of the others elect a new primary`,
      lines: [
        `kill -9 $(head -n 1 ${primary.name}/data/postmaster.pid)`,
        {
          line: `tsrepmgr -f ${anyOther.conf} cluster show`,
          until:
            /primary \| \* running[^]*standby \| {3}running \| node|standby \| {3}running \| node[^]*primary \| \* running/,
        },
        `grep -h NOTICE ${others.map(({ name }) => `${name}/repmgrd.log`).join(" ")} | sort | tail -n 12`,
      ],
    },
  ];
}

/** Its daemon may stop the server while pg_ctl still waits for it. */
function listReturnActs(former, primary) {
  return [
    {
      title: `Somebody starts ${former.name} again, writable: its daemon stops it, and it returns by itself as a standby`,
      lines: [
        { line: start(former), until: /^/ },
        {
          line: `tsrepmgr -f ${primary.conf} cluster show`,
          until: /^(?=[^]*primary \| \* running)(?:[^]*standby \| {3}running \| node){2}/,
        },
        {
          line: `tail -n 60 ${former.name}/repmgrd.log | grep -E 'ALERT|NOTICE|WAL that'`,
          until: /now following/,
        },
        { line: `tsrepmgr -f ${primary.conf} cluster event --limit=5`, until: /node_rejoin/ },
      ],
    },
  ];
}

/** As a shell understands it, in the form in which a person would type it. */
const show = (line) => console.log(line.replace(/^/, "$ ").replaceAll("\n", "\n> "));

async function perform({ title, lines }, env) {
  heading(title);
  for (const entry of lines) {
    const { line, until } = typeof entry === "string" ? { line: entry } : entry;
    show(line);
    const exitCode = await (until === undefined ? runLine(line, env) : runLineUntil(line, until, env));
    if (exitCode !== 0)
      throw new Failure(`the demo stops in "${title}": the last command ended with exit code ${exitCode}`);
  }
}

const runLine = (line, env, options) =>
  run("/bin/sh", ["-c", line], { cwd: folder, env, detached: true, ...options });

async function runLineUntil(line, wanted, env) {
  for (const deadline = Date.now() + SEEN_WITHIN_MS; ; await sleep(50)) {
    const { exitCode, output } = await runLine(line, env, { capture: true });
    const isSeen = wanted.test(output);
    if (!isSeen && Date.now() < deadline) continue;
    process.stdout.write(output);
    return isSeen ? 0 : exitCode || 1;
  }
}

/** The daemons and the sshd of the demo, by the files with their process IDs. */
function stopDaemons(nodes) {
  for (const file of [
    ...nodes.map(({ directory }) => join(directory, "repmgrd.pid")),
    join(folder, "ssh/sshd.pid"),
  ]) {
    if (!existsSync(file)) continue;
    try {
      process.kill(Number(readFileSync(file, "utf8")), "SIGTERM");
    } catch {
      // it has ended
    }
  }
}

const removeScript = `#!/bin/sh
# Stops the daemons and servers of the demo and removes its folder.
for file in '${folder}'/node*/repmgrd.pid '${folder}'/ssh/sshd.pid; do
  [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null
done
for data in '${folder}'/node*/data; do
  pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || continue
  [ "$(readlink "/proc/$pid/cwd")" = "$data" ] || continue
  kill -QUIT "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
done
rm -rf '${folder}'
`;

function explainKeptCluster(nodes, variables) {
  heading("The cluster is left running with its daemons, as --keep asks");
  console.log("To use it, type:");
  if (keepFlag === "--keep-for-root") console.log(`  runuser -u ${process.env.USER} -- bash`);
  console.log(`  . ${folder}/environment`);
  console.log("which is:");
  console.log(variables.replace(/^/gm, "  ").trimEnd());
  console.log("The configuration files:");
  for (const node of nodes) console.log(`  ${join(folder, node.conf)}    (server on port ${node.port})`);
  console.log("To stop the servers and remove everything:");
  console.log(`  sh ${folder}/remove`);
}

await runScript(
  async () => {
    const startedAt = Date.now();
    const nodes = [await makeNode(1), await makeNode(2), await makeNode(3)];
    const password = randomBytes(12).toString("base64url");
    for (const { directory } of nodes) mkdirSync(directory);
    writeFileSync(join(folder, "password"), `${password}\n`, { mode: 0o600 });
    writeFileSync(join(folder, "passfile"), `127.0.0.1:*:*:repmgr:${password}\n`, { mode: 0o600 });
    const path = [join(folder, "bin"), binDirectory, dirname(process.execPath)].join(":");
    const variables = [
      `cd ${folder}`,
      `export HOME=${join(folder, "home")} PATH=${path}:$PATH`,
      `export PGPASSFILE=${join(folder, "passfile")}`,
      `export PGHOST=127.0.0.1 PGPORT=${nodes[0].port} PGUSER=repmgr PGDATABASE=repmgr`,
      "",
    ].join("\n");
    const env = {
      ...process.env,
      PATH: `${path}:${process.env.PATH}`,
      PGPASSFILE: join(folder, "passfile"),
      PSQL_PAGER: "",
    };
    let isKept = false;
    atEnd(() => isKept || stopServersBelow(folder));
    atEnd(() => isKept || stopDaemons(nodes));
    const sshPort = existsSync(SSHD) ? await findFreePort() : null;
    if (sshPort === null)
      console.log(`the switchover is left out: it needs ${SSHD} (Debian: openssh-server)`);

    heading(`A folder for everything: ${folder}`);
    show(`export PATH=${path}:$PATH PGPASSFILE=${join(folder, "passfile")}\ncd ${folder}`);
    await performAll(nodes, sshPort, env);

    isKept = keepFlag !== undefined;
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    if (isKept) {
      writeFileSync(join(folder, "environment"), variables);
      writeFileSync(join(folder, "remove"), removeScript);
      explainKeptCluster(nodes, variables);
    } else {
      heading("Done: the daemons and servers are stopped, the folder is removed");
    }
    console.log(`(${seconds} seconds)`);
    return 0;
  },
  { isQuietWhenInterrupted: true },
);
