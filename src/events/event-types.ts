/** The events that commands raise; names are those of repmgr 5.5, scripts filter on them. */
export const eventTypes = [
  "cluster_created",
  "primary_register",
  "standby_clone",
  "standby_register",
  "standby_register_sync",
] as const;

export type EventType = (typeof eventTypes)[number];
