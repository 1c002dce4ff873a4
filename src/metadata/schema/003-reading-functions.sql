-- The daemon of this server publishes its state as the application name of a session that it holds here. Only the
-- sessions of roles that may write the metadata are believed.
CREATE VIEW repmgr.local_beacon AS
SELECT substring(a.application_name FROM ' n=([0-9]+)')::integer AS node_id,
       substring(a.application_name FROM ' u=([0-9]+)')::integer AS upstream_node_id,
       substring(a.application_name FROM ' s=([0-9]+)')::bigint AS upstream_seen_ms,
       substring(a.application_name FROM ' p=([01])') = '1' AS paused,
       substring(a.application_name FROM ' c=([0-9]+)')::integer AS pid,
       a.state_change
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = pg_catalog.current_database()
   AND a.application_name LIKE 'tsr1 %'
   AND pg_catalog.has_table_privilege(a.usesysid, 'repmgr.nodes', 'INSERT')
 ORDER BY a.backend_start DESC
 LIMIT 1;

CREATE FUNCTION repmgr.get_local_node_id() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT node_id FROM repmgr.local_beacon), -1) $$;

CREATE FUNCTION repmgr.get_upstream_node_id() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT upstream_node_id FROM repmgr.local_beacon), -1) $$;

CREATE FUNCTION repmgr.get_upstream_last_seen() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT (upstream_seen_ms / 1000 +
     extract(epoch FROM pg_catalog.clock_timestamp() - state_change))::integer FROM repmgr.local_beacon), -1) $$;

CREATE FUNCTION repmgr.get_repmgrd_pid() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT pid FROM repmgr.local_beacon), -1) $$;

CREATE FUNCTION repmgr.repmgrd_is_running() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT EXISTS (SELECT FROM repmgr.local_beacon) $$;

CREATE FUNCTION repmgr.repmgrd_is_paused() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT paused FROM repmgr.local_beacon), false) $$;

CREATE FUNCTION repmgr.get_wal_receiver_pid() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT pid FROM pg_catalog.pg_stat_wal_receiver), 0) $$;
