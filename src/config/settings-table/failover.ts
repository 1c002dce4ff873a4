import type { SettingGroup } from "./setting-shape.js";

/** The daemon on a witness server. */
export const witnessSettings = {
  witness_sync_interval: {
    type: "duration",
    unit: "s",
    default: 15,
    minimum: 1,
    reloadable: "no",
    help: "pause between two copies of the node records to the witness",
  },
} as const satisfies SettingGroup;

/** How the daemon notices that a server is gone, and what it does then. */
export const failoverSettings = {
  failover: {
    type: "enum",
    values: ["automatic", "manual"],
    default: "manual",
    reloadable: "yes",
    help: "automatic: the daemon promotes or follows by itself; manual: it only watches, and votes",
  },
  location: {
    type: "string",
    default: "default",
    emptyMeansDefault: true,
    reloadable: "re-register",
    help: "place of this node, such as a data centre; a standby that sees nobody of the primary's place is not promoted",
  },
  priority: {
    type: "integer",
    default: 100,
    minimum: 0,
    reloadable: "re-register",
    help: "decides between standbys that are equally far; 0 = never promoted automatically",
  },
  promote_command: {
    type: "string",
    reloadable: "yes",
    help: "command by which the daemon promotes this standby; needed for failover=automatic",
  },
  follow_command: {
    type: "string",
    reloadable: "yes",
    help: "command by which the daemon attaches this standby to a new upstream (%n its node id); needed for failover=automatic",
  },
  monitor_interval_secs: {
    type: "duration",
    unit: "s",
    default: 2,
    minimum: 1,
    reloadable: "yes",
    help: "pause between two looks at the upstream",
  },
  reconnect_attempts: {
    type: "integer",
    default: 6,
    minimum: 0,
    unit: "attempts",
    reloadable: "yes",
    help: "attempts to reach a lost upstream before the failover begins",
  },
  reconnect_interval: {
    type: "duration",
    unit: "s",
    default: 10,
    minimum: 0,
    reloadable: "yes",
    help: "pause between two of these attempts",
  },
  monitoring_history: {
    type: "boolean",
    reloadable: "yes",
    help: "keep a history of the replication lag in the table monitoring_history",
  },
  degraded_monitoring_timeout: {
    type: "duration",
    unit: "s",
    default: -1,
    minimum: -1,
    off: [-1, 0],
    reloadable: "yes",
    help: "the daemon ends after this time without a server to watch; -1 = never",
  },
  async_query_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 0,
    reloadable: "yes",
    help: "how long the test query of connection_check_type=query may take",
  },
  primary_notification_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 0,
    reloadable: "yes",
    help: "how long a standby waits for the winner of an election to become primary",
  },
  repmgrd_standby_startup_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 0,
    defaultNote: "standby_reconnect_timeout",
    reloadable: "yes",
    help: "how long the local server may take to come up after follow_command",
  },
  repmgrd_pid_file: {
    type: "path",
    defaultNote: "repmgrd.pid in TMPDIR or /tmp",
    reloadable: "no",
    help: "the daemon's pid file",
  },
  repmgrd_exit_on_inactive_node: {
    type: "boolean",
    reloadable: "no",
    help: "the daemon ends when its node is marked as inactive, instead of marking it active",
  },
  standby_disconnect_on_failover: {
    type: "boolean",
    reloadable: "yes",
    help: "stop the WAL receiver before an election, so that no position moves; equal on all nodes",
  },
  sibling_nodes_disconnect_timeout: {
    type: "duration",
    unit: "s",
    default: 30,
    minimum: 0,
    reloadable: "yes",
    help: "how long to wait for the other standbys' WAL receivers to stop",
  },
  connection_check_type: {
    type: "enum",
    values: ["ping", "connection", "query"],
    anyCase: true,
    default: "ping",
    reloadable: "yes",
    help: "how the upstream is looked at: ping, a new connection, or a query on the standing one",
  },
  primary_visibility_consensus: {
    type: "boolean",
    reloadable: "yes",
    help: "no failover while another standby still sees the primary; equal on all nodes",
  },
  always_promote: {
    type: "boolean",
    reloadable: "yes",
    help: "a standby whose upstream is not recorded may be promoted",
  },
  failover_validation_command: {
    type: "string",
    reloadable: "yes",
    help: "command that may forbid a promotion: %n node id, %a name, %v visible nodes, %u nodes of the same upstream, %t all nodes",
  },
  election_rerun_interval: {
    type: "duration",
    unit: "s",
    default: 15,
    minimum: 1,
    reloadable: "no",
    help: "pause before an election is run again after failover_validation_command said no",
  },
} as const satisfies SettingGroup;

/** What the daemon on a primary does about standbys that go away. */
export const childNodeSettings = {
  child_nodes_check_interval: {
    type: "duration",
    unit: "s",
    default: 5,
    minimum: 0,
    reloadable: "yes",
    help: "pause between two looks at the attached standbys; 0: none is looked for",
  },
  child_nodes_disconnect_min_count: {
    type: "integer",
    default: -1,
    minimum: -1,
    off: [-1],
    unit: "nodes",
    reloadable: "yes",
    help: "run the command when at least so many are gone; -1 = not counted",
  },
  child_nodes_connected_min_count: {
    type: "integer",
    default: -1,
    minimum: -1,
    off: [-1],
    unit: "nodes",
    reloadable: "yes",
    help: "run the command when fewer than so many are attached; goes before the setting above; -1 = not counted",
  },
  child_nodes_connected_include_witness: {
    type: "boolean",
    reloadable: "yes",
    help: "count a witness as an attached node",
  },
  child_nodes_disconnect_timeout: {
    type: "duration",
    unit: "s",
    default: 30,
    minimum: 0,
    reloadable: "yes",
    help: "how long too many must be gone before the command is run",
  },
  child_nodes_disconnect_command: {
    type: "string",
    reloadable: "yes",
    help: "command run when too few standbys are attached; %p = id of this primary",
  },
} as const satisfies SettingGroup;

/** Aids for tests and rare cases, undocumented in repmgr. */
export const rareSettings = {
  reconnect_loop_sync: {
    type: "boolean",
    reloadable: "no",
    help: "accepted, without effect: nodes that notice a failure at different moments wait for each other by votes",
  },
  promote_delay: {
    type: "duration",
    unit: "s",
    default: 0,
    minimum: 0,
    reloadable: "yes",
    help: "accepted, without effect: votes would run out during a delay before the promotion",
  },
  failover_delay: {
    type: "duration",
    unit: "s",
    default: 0,
    minimum: 0,
    reloadable: "no",
    help: "accepted, without effect: to try a slow election raise reconnect_attempts",
  },
  connection_check_query: {
    type: "string",
    default: "SELECT 1",
    reloadable: "no",
    help: "query for connection_check_type=query",
  },
} as const satisfies SettingGroup;
