import { lineFor, type CommandCase } from "./cases/case.js";
import type { ChangingCase, ChangingState } from "./cases/changing-cases.js";
import type { Cluster } from "./cluster.js";
import type { Database, Program } from "./node.js";
import {
  observeClone,
  observeMetadata,
  observeOutcome,
  observeRun,
  observeWords,
  withoutOrder,
  type Observed,
} from "./observe.js";
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
  state: StateOfCase,
): Promise<Observed> {
  const { cluster, database, program } = turn;
  await makeState(turn, command, state);
  const node = cluster.node(command.node);
  const result = await node.run(lineFor(command.line, database), program);
  if (command.settings !== undefined) await cluster.configure(command.node, database, state.settings);
  const observation = {
    ...(command.handsOver ? observeOutcome(result, database) : observeWords(result, database)),
    ...(command.observes === "servers" || command.moves
      ? await observeServers(cluster, command, database)
      : {}),
    ...(command.handsOver
      ? withoutOrder(await observeMetadata(cluster, database, command.node))
      : await observeMetadata(cluster, database, state.primary)),
    ...(command.observes === "clone" ? await observeClone(cluster) : {}),
    ...(command.inspect === undefined ? {} : { inspected: (await node.run(command.inspect)).stdout }),
  };
  return { observation, stderr: result.stderr };
}

type StateOfCase = Pick<ChangingState, "primary" | "records" | "settings">;

async function makeState(
  { cluster, database }: Turn,
  { node: name, records, recordsOnWitness, settings, prepare, observes }: ChangingCase,
  { primary, records: recordsOfState, settings: settingsOfState = [] }: StateOfCase,
): Promise<void> {
  const { node, resetMetadata, clearCloneTarget, configure, awaitReplay } = cluster;
  await resetMetadata(database, primary);
  if (observes === "clone") await clearCloneTarget();
  if (recordsOfState !== undefined) await node(primary).execute(database, recordsOfState);
  if (records !== undefined) await node(primary).execute(database, records);
  if (recordsOnWitness !== undefined) await node("w4").execute(database, recordsOnWitness);
  if (settings !== undefined) await configure(name, database, [...settingsOfState, ...settings]);
  if (primary === "n1" && ["n2", "n3"].includes(name)) await awaitReplay();
  if (prepare === undefined) return;
  await node(name).expectSuccess(lineFor(prepare, database), database === "repmgr" ? "reference" : "ours");
}
