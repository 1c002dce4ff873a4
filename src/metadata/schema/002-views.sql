CREATE VIEW repmgr.show_nodes AS
SELECT n.node_id, n.node_name, n.active, n.upstream_node_id, u.node_name AS upstream_node_name,
       n.type, n.priority, n.conninfo
  FROM repmgr.nodes n
  LEFT JOIN repmgr.nodes u ON u.node_id = n.upstream_node_id;

CREATE VIEW repmgr.replication_status AS
SELECT newest.primary_node_id, newest.standby_node_id, n.node_name AS standby_name, n.type AS node_type, n.active,
       newest.last_monitor_time,
       CASE WHEN n.type = 'standby' THEN newest.last_wal_primary_location END AS last_wal_primary_location,
       newest.last_wal_standby_location,
       CASE WHEN n.type = 'standby' THEN pg_catalog.pg_size_pretty(newest.replication_lag) END AS replication_lag,
       CASE WHEN n.type <> 'standby' THEN NULL
            WHEN newest.replication_lag > 0 THEN pg_catalog.age(pg_catalog.now(), newest.last_apply_time)
            ELSE interval '0' END AS replication_time_lag,
       CASE WHEN n.type = 'standby' THEN pg_catalog.pg_size_pretty(newest.apply_lag) END AS apply_lag,
       pg_catalog.age(pg_catalog.now(), newest.last_monitor_time) AS communication_time_lag
  FROM (SELECT DISTINCT ON (standby_node_id) *
          FROM repmgr.monitoring_history
         ORDER BY standby_node_id, last_monitor_time DESC) newest
  JOIN repmgr.nodes n ON n.node_id = newest.standby_node_id;
