import { beforeAll, describe, expect, it } from "vitest";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { createRegisteredPrimary, insertNode, type TestNode } from "./make-cluster.js";

let n1: TestNode;

beforeAll(async () => {
  n1 = await createRegisteredPrimary();
  await insertNode(n1, { node_id: 2 });
  await n1.server.sql("DELETE FROM repmgr.events");
  for (let minute = 0; minute < 25; minute += 1) {
    await addEvent(minute % 2 === 0 ? 1 : 2, "standby_register", minute, `event ${minute}`);
  }
  await addEvent(9, "standby_clone", 59, "two\nlines");
});

async function addEvent(node: number, event: string, minute: number, details: string): Promise<void> {
  await n1.server.sql(
    `INSERT INTO repmgr.events (node_id, event, successful, event_timestamp, details)
     VALUES ($1, $2, $2 <> 'standby_clone', '2026-01-31 12:00:00+00'::timestamptz + make_interval(mins => $3), $4)`,
    [node, event, minute, details],
  );
}

const show = (...options: readonly string[]): Promise<ProgramResult> =>
  runProgram(["-f", n1.configFile, "cluster", "event", ...options], { env: { PGTZ: "UTC" } });

const linesOf = async (...options: readonly string[]): Promise<readonly string[]> => {
  const { stdout, exitCode, stderr } = await show("--csv", ...options);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.trimEnd().split("\n");
};

describe("cluster event", () => {
  it("lists the newest events first, twenty of them", async () => {
    const lines = await linesOf();
    expect(lines).toHaveLength(20);
    expect(lines.slice(0, 2)).toEqual([
      "9,,standby_clone,f,2026-01-31 12:59:00",
      "1,n1,standby_register,t,2026-01-31 12:24:00",
    ]);
  });

  it.each([
    [["--limit=3"], 3],
    [["--all"], 26],
    [["--event=standby_register", "--all"], 25],
    [["--node-id=2", "--all"], 12],
    [["--node-name=n2", "--all"], 12],
    [["--node-id=9"], 1],
    [["--node-id=2", "--event=standby_register", "--limit=2"], 2],
  ])("with %j lists %i", async (options, count) => {
    expect(await linesOf(...options)).toHaveLength(count);
  });

  it("says when nothing matches", async () => {
    for (const options of [["--event=nosuch"], ["--node-id=77"], ["--node-name=n2", "--event=nosuch"]]) {
      expect(await show(...options)).toMatchObject({
        exitCode: 0,
        stdout: "no matching events found\n",
        stderr: "",
      });
    }
  });

  it("takes no part of a filter for SQL", async () => {
    expect((await show("--event=x' OR true --")).stdout).toBe("no matching events found\n");
  });

  it("refuses a name that no node has", async () => {
    const result = await show("--node-name=n9");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      'ERROR: no record found for node name "n9"\nDETAIL: registered nodes: "n1", "n2"\n',
    );
  });

  it("prints a table with details", async () => {
    const result = await show("--limit=2");
    expect(result.stdout).toBe(
      [
        " Node ID | Name | Event            | OK | Timestamp           | Details  ",
        "---------+------+------------------+----+---------------------+-----------",
        " 9       |      | standby_clone    | f  | 2026-01-31 12:59:00 | two\nlines",
        " 1       | n1   | standby_register | t  | 2026-01-31 12:24:00 | event 24 ",
        "",
        "",
      ].join("\n"),
    );
    expect((await show("--limit=2", "--compact")).stdout).not.toContain("Details");
  });

  it("prints JSON", async () => {
    const document: unknown = JSON.parse((await show("--limit=1", "--format=json")).stdout);
    expect(document).toEqual({
      schema_version: 1,
      command: "cluster event",
      events: [
        {
          node_id: 9,
          node_name: null,
          event: "standby_clone",
          successful: false,
          timestamp: "2026-01-31T12:59:00.000000Z",
          details: "two\nlines",
        },
      ],
      exit_code: 0,
    });
  });

  it("ends with exit code 7 where no schema is", async () => {
    const conninfo = n1.server.conninfo.replace("dbname=repmgr", "dbname=postgres");
    const configFile = await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1", conninfo });
    try {
      expect((await runProgram(["-f", configFile, "cluster", "event"])).exitCode).toBe(7);
    } finally {
      await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1" });
    }
  });
});
