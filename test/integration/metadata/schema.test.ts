import { beforeAll, describe, expect, it } from "vitest";
import { installSchema, SCHEMA_VERSION } from "../../../src/metadata/install-schema.js";
import { readSchemaState } from "../../../src/metadata/schema-state.js";
import { parseConninfo } from "../../../src/model/conninfo.js";
import type { Database } from "../../../src/postgres/database.js";
import { createPrimary, type TestServer } from "../../harness/postgres-server.js";
import { testDatabases } from "../../harness/test-databases.js";

describe("installSchema", () => {
  let server: TestServer;
  let database: Database;

  beforeAll(async () => {
    server = await createPrimary();
    database = await testDatabases().connect(parseConninfo(server.conninfo));
    return () => database.close();
  });

  it("makes the reference's tables, column by column", async () => {
    expect(await readSchemaState(database)).toMatchObject({ exists: false, ourVersion: null });
    await installSchema(database, 0);
    expect(await readSchemaState(database)).toEqual({
      exists: true,
      extensionVersion: null,
      ourVersion: SCHEMA_VERSION,
      missingColumns: [],
    });
    const columns = await server.sql<{ line: string }>(
      `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
         FROM information_schema.columns
        WHERE table_schema = 'repmgr' AND table_name IN ('nodes', 'events', 'monitoring_history', 'voting_term')
        ORDER BY table_name, ordinal_position`,
    );
    expect(columns.map(({ line }) => line)).toEqual([
      "events.node_id integer NO",
      "events.event text NO",
      "events.successful boolean NO",
      "events.event_timestamp timestamp with time zone NO",
      "events.details text YES",
      "monitoring_history.primary_node_id integer NO",
      "monitoring_history.standby_node_id integer NO",
      "monitoring_history.last_monitor_time timestamp with time zone NO",
      "monitoring_history.last_apply_time timestamp with time zone YES",
      "monitoring_history.last_wal_primary_location pg_lsn NO",
      "monitoring_history.last_wal_standby_location pg_lsn YES",
      "monitoring_history.replication_lag bigint NO",
      "monitoring_history.apply_lag bigint NO",
      "nodes.node_id integer NO",
      "nodes.upstream_node_id integer YES",
      "nodes.active boolean NO",
      "nodes.node_name text NO",
      "nodes.type text NO",
      "nodes.location text NO",
      "nodes.priority integer NO",
      "nodes.conninfo text NO",
      "nodes.repluser character varying NO",
      "nodes.slot_name text YES",
      "nodes.config_file text NO",
      "voting_term.term integer NO",
    ]);
  });

  it("keeps at most one voting term and never deletes it", async () => {
    await database.query("INSERT INTO repmgr.voting_term VALUES (4)");
    await expect(database.query("INSERT INTO repmgr.voting_term VALUES (5)")).rejects.toThrow(
      "voting_term_restrict",
    );
    await database.query("DELETE FROM repmgr.voting_term");
    expect(await server.sql("SELECT term FROM repmgr.voting_term")).toEqual([{ term: 4 }]);
  });

  it("answers the reading functions from the beacon, and with the reference's values when there is none", async () => {
    const read = `SELECT repmgr.get_local_node_id() AS id, repmgr.repmgrd_is_running() AS running,
                         repmgr.repmgrd_is_paused() AS paused, repmgr.get_repmgrd_pid() AS pid,
                         repmgr.get_upstream_node_id() AS upstream, repmgr.get_upstream_last_seen() AS seen`;
    expect(await database.query(read)).toEqual([
      { id: -1, running: false, paused: false, pid: -1, upstream: -1, seen: -1 },
    ]);
    const daemon = await testDatabases().connect(parseConninfo(server.conninfo));
    await daemon.query("SET application_name = 'tsr1 n=2 u=1 s=5100 t=3 p=1 r=S f=0 c=4711'");
    expect(await database.query(read)).toEqual([
      { id: 2, running: true, paused: true, pid: 4711, upstream: 1, seen: 5 },
    ]);
    await daemon.close();
  });

  it("does not believe a beacon of a role that may not write the metadata", async () => {
    await server.sql("CREATE ROLE stranger LOGIN PASSWORD 'S3cr#t;x y'");
    const stranger = await testDatabases().connect(
      new Map([...parseConninfo(server.conninfo), ["user", "stranger"], ["password", "S3cr#t;x y"]]),
    );
    await stranger.query("SET application_name = 'tsr1 n=2 u=1 s=0 t=3 p=1 r=S f=0 c=4711'");
    expect(await database.query("SELECT repmgr.repmgrd_is_running() AS running")).toEqual([
      { running: false },
    ]);
    await stranger.close();
  });

  it("shows the newest monitoring row of each standby", async () => {
    await server.sql(
      `INSERT INTO repmgr.nodes (node_id, node_name, type, conninfo, repluser, config_file)
       VALUES (1, 'node1', 'primary', '', 'repmgr', ''), (2, 'node2', 'standby', '', 'repmgr', '')`,
    );
    await server.sql(
      `INSERT INTO repmgr.monitoring_history
       SELECT 1, 2, now() - make_interval(mins => age), now() - make_interval(mins => age), '0/5000000', '0/4000000', 1024 * age, 0
         FROM generate_series(1, 3) age`,
    );
    expect(
      await server.sql("SELECT standby_name, replication_lag, apply_lag FROM repmgr.replication_status"),
    ).toEqual([{ standby_name: "node2", replication_lag: "1024 bytes", apply_lag: "0 bytes" }]);
  });

  it("leaves nothing behind when an upgrade fails", async () => {
    const other = await createPrimary();
    const session = await testDatabases().connect(parseConninfo(other.conninfo));
    await other.sql(
      `CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE 'no views today'; END $$`,
    );
    await other.sql(
      "CREATE EVENT TRIGGER refuse_views ON ddl_command_start WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION public.refuse()",
    );
    await expect(installSchema(session, 0)).rejects.toThrow("no views today");
    expect(await readSchemaState(session)).toMatchObject({ exists: false });
    await session.close();
  });
});
