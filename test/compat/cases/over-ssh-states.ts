import type { ChangingState } from "./changing-cases.js";
import { externalDirectory, externalFileCases } from "./external-file-cases.js";
import { belowN2, cascade, state, stopServer, type Nodes } from "./role-states.js";
import { allowLogins } from "./ssh-states.js";
import {
  cascadeSwitchoverCases,
  missedWalCases,
  siblingsCases,
  switchoverCases,
  unstoppableCases,
} from "./switchover-cases.js";

// Without -l the server would keep the output of the remote command open. The reference lies in pg_bindir on every host.
const detached = ["pg_ctl_options='-l /tmp/log'", "repmgr_bindir='/usr/local/bin'"];

const stopLate = "/usr/local/bin/stop-late";
/** A new session knows when the configuration was loaded that it was let in by. */
const stopLateScript = `#!/bin/sh
PATH=$(dirname /usr/lib/postgresql/*/bin/pg_ctl):$PATH
query() { psql -XqAtc "$1"; }
before=$(query 'SELECT pg_conf_load_time()')
sed -i.kept '1i host replication all all reject' /cluster/data/pg_hba.conf
pg_ctl -D /cluster/data reload
until [ "$(query 'SELECT pg_conf_load_time()')" != "$before" ]; do sleep 0.05; done
query 'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_replication'
query 'CREATE TABLE written_too_late AS SELECT 1 AS row'
pg_ctl -D /cluster/data -m fast -W stop
mv /cluster/data/pg_hba.conf.kept /cluster/data/pg_hba.conf`;

/** As distributions have it; one of the files does not belong to the server's user. */
const moveConfiguration = async (node: Nodes): Promise<void> => {
  for (const name of ["n1", "n5"] as const)
    await node(name).administer(`install -d -o postgres ${externalDirectory}`);
  await node("n1").expectSuccess(
    `cd /cluster/data && install -m 640 pg_hba.conf pg_ident.conf ${externalDirectory} &&
    mkdir ${externalDirectory}/conf.d && echo "work_mem = '7MB'" > ${externalDirectory}/conf.d/more.conf &&
    echo "hba_file = '${externalDirectory}/pg_hba.conf'
    ident_file = '${externalDirectory}/pg_ident.conf'
    include_dir = '${externalDirectory}/conf.d'" >> postgresql.conf &&
    pg_ctl -D . -m fast -w -l /tmp/log restart >/dev/null`,
  );
  await node("n1").administer(`chown root:postgres ${externalDirectory}/conf.d/more.conf`);
};

/** The logins stay. */
const overSsh = (
  arrange: ChangingState["enter"] = async () => {},
): Pick<ChangingState, "primary" | "settings" | "enter"> => ({
  primary: "n1",
  settings: detached,
  enter: async (node) => {
    await allowLogins({ node });
    await arrange(node);
  },
});

/** States in which hosts work for each other; they come last. */
export const overSshStates: readonly ChangingState[] = [
  state("a cluster to switch over", { ...overSsh(), cases: switchoverCases }),
  state("a cascade to switch over", {
    ...overSsh(cascade),
    records: belowN2,
    cases: cascadeSwitchoverCases,
  }),
  state("a primary that shakes off the candidate", {
    ...overSsh(async (node) => {
      await node("n1").administer(
        `cat > ${stopLate} <<'END OF FILE'\n${stopLateScript}\nEND OF FILE\nchmod 755 ${stopLate}`,
      );
    }),
    settings: [...detached, `service_stop_command='${stopLate}'`, "wal_receive_check_timeout=1"],
    cases: missedWalCases,
  }),
  state("a primary that cannot be stopped", {
    ...overSsh(),
    settings: [...detached, "service_stop_command='false'", "shutdown_check_timeout=1"],
    cases: unstoppableCases,
  }),
  state("a cluster with configuration elsewhere", {
    ...overSsh(moveConfiguration),
    settings: [],
    cases: externalFileCases,
  }),
  state("a failed primary, over SSH", {
    ...overSsh(async (node) => {
      await node("n1").expectSuccess(stopServer);
    }),
    primary: "n2",
    cases: siblingsCases,
  }),
];
