import { lineFor, type CommandCase } from "./cases/case.js";
import type { ChangingCase, ChangingState } from "./cases/changing-cases.js";
import type { Cluster } from "./cluster.js";
import type { Database, Program } from "./node.js";
import { observeClone, observeMetadata, observeNotices, observeRun, type Observed } from "./observe.js";
import { observeServers } from "./observe-servers.js";

/** Who runs a case, and where. */
export interface Turn {
  readonly cluster: Cluster;
  readonly database: Database;
  readonly program: Program;
}

export async function runReadingCase(
  { cluster, database, program }: Turn,
  { node, line }: CommandCase,
): Promise<Observed> {
  const result = await cluster.node(node).run(lineFor(line, database), program);
  return { observation: observeRun(result, database), stderr: result.stderr };
}

/** Makes the state that the case begins with, runs it and looks at everything that it may have changed. */
export async function runChangingCase(
  turn: Turn,
  command: ChangingCase,
  state: Pick<ChangingState, "primary" | "records">,
): Promise<Observed> {
  const { cluster, database, program } = turn;
  await makeState(turn, command, state);
  const result = await cluster.node(command.node).run(lineFor(command.line, database), program);
  if (command.settings !== undefined) await cluster.configure(command.node, database);
  const observation = {
    ...observeRun(result, database),
    ...observeNotices(result, database),
    ...(command.observes === "servers" || command.moves
      ? await observeServers(cluster, command, database)
      : {}),
    ...(await observeMetadata(cluster, database, state.primary)),
    ...(command.observes === "clone" ? await observeClone(cluster) : {}),
  };
  return { observation, stderr: result.stderr };
}

async function makeState(
  { cluster, database }: Turn,
  { node: name, records, recordsOnWitness, settings, prepare, observes }: ChangingCase,
  { primary, records: recordsOfState }: Pick<ChangingState, "primary" | "records">,
): Promise<void> {
  const { node, resetMetadata, clearCloneTarget, configure, awaitReplay } = cluster;
  await resetMetadata(database, primary);
  if (observes === "clone") await clearCloneTarget();
  if (recordsOfState !== undefined) await node(primary).execute(database, recordsOfState);
  if (records !== undefined) await node(primary).execute(database, records);
  if (recordsOnWitness !== undefined) await node("w4").execute(database, recordsOnWitness);
  if (settings !== undefined) await configure(name, database, settings);
  if (primary === "n1" && ["n2", "n3"].includes(name)) await awaitReplay();
  if (prepare === undefined) return;
  await node(name).expectSuccess(lineFor(prepare, database), database === "repmgr" ? "reference" : "ours");
}
