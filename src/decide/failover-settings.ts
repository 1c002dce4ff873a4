/** The settings by which the daemon decides, under their names in `repmgr.conf`; durations in milliseconds. */
export interface FailoverSettings {
  readonly failover: "automatic" | "manual";
  readonly monitor_interval_secs: number;
  readonly reconnect_attempts: number;
  readonly reconnect_interval: number;
  readonly primary_notification_timeout: number;
  readonly primary_visibility_consensus: boolean;
  readonly always_promote: boolean;
  readonly failover_validation_command: string;
  readonly election_rerun_interval: number;
  readonly failover_quorum: "auto" | "strict" | "visible";
  readonly failover_location_rule: "auto" | "reference";
  readonly vote_timeout: number;
  readonly vote_hold: number;
  readonly primary_isolation_timeout: number | null;
  readonly fence_on: "superseded" | "never";
  readonly auto_rejoin: boolean;
  readonly local_restart_attempts: number;
  readonly sync_mode: "off" | "quorum" | "preferred";
}

/** By how much the rates of two clocks may differ; leases and holds allow for it. */
export const CLOCK_RATE_ERROR = 0.01;
