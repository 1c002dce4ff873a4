/** `cluster show` in its forms. */
export const clusterShow: readonly string[] = [
  "repmgr -f {conf} cluster show",
  "repmgr -f {conf} cluster show --csv",
  "repmgr -f {conf} cluster show --compact",
];

/** Forms of `cluster event`. */
export const eventLines: readonly string[] = [
  "repmgr -f {conf} cluster event --all",
  "repmgr -f {conf} cluster event",
  "repmgr -f {conf} cluster event --limit=2",
  "repmgr -f {conf} cluster event --all --compact",
  "repmgr -f {conf} cluster event --all --csv",
  "repmgr -f {conf} cluster event --csv --limit=3 --compact",
  "repmgr -f {conf} cluster event --all --event=standby_register",
  "repmgr -f {conf} cluster event --node-id=2",
  "repmgr -f {conf} cluster event --node-name=n3 --compact",
  "repmgr -f {conf} cluster event --event=nosuch",
  "repmgr -f {conf} cluster event --node-id=77",
  "repmgr -f {conf} cluster event --node-name=nosuch",
  "repmgr -f {conf} cluster event --all --limit=1",
];

/** What is asked of every state of a cluster. */
export const clusterLines: readonly string[] = [
  ...clusterShow,
  "repmgr -f {conf} cluster show --compact --csv -v",
  "repmgr -f {conf} cluster show -t",
  "repmgr -f {conf} cluster event --limit=1",
];

/** `node status` of the node itself. */
export const nodeStatus: readonly string[] = [
  "repmgr -f {conf} node status",
  "repmgr -f {conf} node status --csv",
  "repmgr -f {conf} node status -v",
  "repmgr -f {conf} node status -t",
  "repmgr -f {conf} node status --is-shutdown-cleanly",
];
