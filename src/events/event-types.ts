/** The events that commands raise; names are those of repmgr 5.5, scripts filter on them. */
export type EventType =
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
  | "standby_unregister"
  | "witness_register"
  | "witness_unregister";
