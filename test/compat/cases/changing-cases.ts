import type { CompatNode, NodeName } from "../node.js";
import type { CommandCase } from "./case.js";
import { overSshStates } from "./over-ssh-states.js";
import { cleanupCases } from "./cleanup-cases.js";
import { cloneCases } from "./clone-cases.js";
import { afterFailureCases, registerCases } from "./register-cases.js";
import { roleStates } from "./role-states.js";
import { unregisterCases } from "./unregister-cases.js";
import { witnessCases } from "./witness-cases.js";

export interface ChangingCase extends CommandCase {
  /** Further lines of the node's repmgr.conf. */
  readonly settings?: readonly string[];
  /** Statements on the primary that make the rows which the command finds. */
  readonly records?: string;
  /** Statements on the witness. */
  readonly recordsOnWitness?: string;
  /** Shell on the node before the command. */
  readonly prepare?: string;
  /** What is looked at besides the command's own words and the rows of the schema. */
  readonly observes?: "clone" | "servers";
  /** Shell on the node after the command; what it prints is looked at, too. */
  readonly inspect?: string;
  /**
   * The node becomes the primary, and other hosts work for that at the same time: what is compared is the last word, the
   * servers and their upstreams, the rows, and of the events what happened to whom.
   */
  readonly handsOver?: true;
  /** The servers are not what they were: they are arranged anew before anything else is run. */
  readonly moves?: true;
}

export interface ChangingState {
  readonly name: string;
  readonly enter: (node: (name: NodeName) => CompatNode) => Promise<void>;
  /** Further lines of repmgr.conf on every server whose role may change, before those of the case. */
  readonly settings?: readonly string[];
  /** Statements on the primary before those of the case. */
  readonly records?: string;
  /** Where the rows of the schema are reset and read. */
  readonly primary: NodeName;
  /** Nodes whose data directories are copied back after a case that moves them, and at the end. */
  readonly restores: readonly NodeName[];
  readonly cases: readonly ChangingCase[];
}

const nothing = async (): Promise<void> => {};

export const changingStates: readonly ChangingState[] = [
  { name: "a cluster to register in", enter: nothing, primary: "n1", restores: [], cases: registerCases },
  {
    name: "a cluster to unregister from",
    enter: nothing,
    primary: "n1",
    restores: [],
    cases: unregisterCases,
  },
  { name: "a cluster with a witness", enter: nothing, primary: "n1", restores: [], cases: witnessCases },
  { name: "a cluster with history", enter: nothing, primary: "n1", restores: [], cases: cleanupCases },
  { name: "a cluster to clone from", enter: nothing, primary: "n1", restores: [], cases: cloneCases },
  {
    name: "a primary that has failed",
    enter: async (node) => {
      await node("n1").expectSuccess("pg_ctl -D /cluster/data -m fast -w stop >/dev/null");
      await node("n2").expectSuccess("pg_ctl -D /cluster/data -w promote >/dev/null");
    },
    primary: "n2",
    restores: ["n1", "n2", "n3"],
    cases: afterFailureCases,
  },
  ...roleStates,
  ...overSshStates,
];
