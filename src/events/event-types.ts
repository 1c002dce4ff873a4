/** The events of commands and daemon; names are those of repmgr 5.5, scripts filter on them. */
export type EventType = CommandEvent | DaemonEvent;

/** The last five are ours. */
export type DaemonEvent =
  | "child_node_disconnect"
  | "child_node_new_connect"
  | "child_node_reconnect"
  | "child_nodes_disconnect_command"
  | "repmgrd_failover_aborted"
  | "repmgrd_failover_follow"
  | "repmgrd_failover_promote"
  | "repmgrd_local_disconnect"
  | "repmgrd_local_reconnect"
  | "repmgrd_promote_error"
  | "repmgrd_reload"
  | "repmgrd_shutdown"
  | "repmgrd_standby_reconnect"
  | "repmgrd_start"
  | "repmgrd_upstream_disconnect"
  | "repmgrd_upstream_reconnect"
  | "standby_disconnect_manual"
  | "standby_failure"
  | "standby_recovery"
  | "repmgrd_config_reload"
  | "primary_fenced"
  | "split_brain_detected"
  | "split_brain_suspected"
  | "sync_standby_excluded"
  | "sync_standby_readmitted";

/** `wal_discarded` is ours. */
type CommandEvent =
  | "cluster_cleanup"
  | "cluster_created"
  | "node_rejoin"
  | "primary_register"
  | "primary_unregister"
  | "standby_clone"
  | "standby_follow"
  | "standby_promote"
  | "standby_register"
  | "standby_register_sync"
  | "standby_switchover"
  | "standby_unregister"
  | "wal_discarded"
  | "witness_register"
  | "witness_unregister";
