import { onNodes } from "./case.js";

const good =
  "node_id=2\\nnode_name=n2\\nconninfo='host=n2 user=repmgr dbname={database}'\\ndata_directory='/cluster/data'\\n";

/** Runs `cluster show --csv` with a file of this text; `%b` of printf decodes `\n`. */
const withText = (text: string): string =>
  `printf %b "${text}" > /tmp/case.conf; repmgr -f /tmp/case.conf cluster show --csv`;

/** repmgr.conf: its grammar, its errors, where it is looked for. */
export const configurationCases = onNodes(
  ["n2"],
  [
    "repmgr -f /nonexistent cluster show",
    "repmgr -f /cluster cluster show",
    "repmgr -f '' cluster show",
    withText(""),
    withText(good),
    withText(`${good}prority=3\\n`),
    withText(`${good}cluster=test\\nnode=1\\n`),
    withText(`${good}NODE_ID=1\\n`),
    withText(`${good}node_id=x\\n`),
    withText(`${good}node_id=0\\n`),
    withText(`${good}node_id=99999999999\\n`),
    withText("node_id=2\\nnode_name=n2\\n"),
    withText(`${good}conninfo=host=n2\\n`),
    withText(`${good}data_directory=/cluster/data\\n`),
    withText(`${good}node_name=\\"n2\\"\\n`),
    withText(`${good}node_name='n2\\n`),
    withText(`${good}conninfo='host=n2 nosuch=1'\\n`),
    withText(`${good}priority=-1\\n`),
    withText(`${good}priority=''\\n`),
    withText(`${good}failover=sometimes\\n`),
    withText(`${good}use_replication_slots=maybe\\n`),
    withText(`${good}use_replication_slots=ON # comment\\n`),
    withText(`${good}log_level=nosuch\\n`),
    withText(`${good}reconnect_interval=x\\n`),
    withText(`${good}location=''\\n`),
    withText(`${good}connection_check_type=nosuch\\n`),
    withText(`${good}recovery_min_apply_delay='5 min'\\n`),
    withText(`${good}recovery_min_apply_delay=5min\\n`),
    withText(`${good}include '/nonexistent'\\n`),
    withText(`${good}tablespace_mapping='nosuch'\\n`),
    withText(good.replaceAll("=", " = ")),
    withText(
      good
        .replaceAll("=", " ")
        .replaceAll("user ", "user=")
        .replaceAll("host ", "host=")
        .replaceAll("dbname ", "dbname="),
    ),
    withText(good.replaceAll("\\n", "\\r\\n")),
    "mkdir -p /tmp/inc && printf 'priority=7\\n' > /tmp/inc/a.conf; " +
      withText(`${good}include_dir '/tmp/inc'\\ninclude 'inc/a.conf'\\n`),
    "repmgr cluster show --csv",
    "cd /cluster && repmgr cluster show --csv",
    "repmgr -f {conf} --dump-config | grep -E '^(node|conninfo|data_directory|priority)'",
  ],
);
