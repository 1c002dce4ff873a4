CREATE SCHEMA repmgr;

CREATE TABLE repmgr.nodes (
  node_id integer NOT NULL PRIMARY KEY,
  upstream_node_id integer NULL REFERENCES repmgr.nodes (node_id) DEFERRABLE,
  active boolean NOT NULL DEFAULT true,
  node_name text NOT NULL,
  type text NOT NULL CHECK (type IN ('primary', 'standby', 'witness', 'bdr')),
  location text NOT NULL DEFAULT 'default',
  priority integer NOT NULL DEFAULT 100,
  conninfo text NOT NULL,
  repluser varchar(63) NOT NULL,
  slot_name text NULL,
  config_file text NOT NULL
);

CREATE TABLE repmgr.events (
  node_id integer NOT NULL,
  event text NOT NULL,
  successful boolean NOT NULL DEFAULT true,
  event_timestamp timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  details text NULL
);

CREATE TABLE repmgr.monitoring_history (
  primary_node_id integer NOT NULL,
  standby_node_id integer NOT NULL,
  last_monitor_time timestamptz NOT NULL,
  last_apply_time timestamptz NULL,
  last_wal_primary_location pg_lsn NOT NULL,
  last_wal_standby_location pg_lsn NULL,
  replication_lag bigint NOT NULL,
  apply_lag bigint NOT NULL
);
CREATE INDEX idx_monitoring_history_time ON repmgr.monitoring_history (last_monitor_time, standby_node_id);

CREATE TABLE repmgr.voting_term (term integer NOT NULL);
CREATE UNIQUE INDEX voting_term_restrict ON repmgr.voting_term ((true));
CREATE RULE voting_term_delete AS ON DELETE TO repmgr.voting_term DO INSTEAD NOTHING;

CREATE TABLE repmgr.settings (
  name text NOT NULL PRIMARY KEY,
  value text NOT NULL
);
