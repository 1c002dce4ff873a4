/** The events that commands raise; names are those of repmgr 5.5, scripts filter on them. */
export type EventType =
  | "cluster_created"
  | "primary_register"
  | "standby_clone"
  | "standby_register"
  | "standby_register_sync";
