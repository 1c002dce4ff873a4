import { primaryWatch } from "../../../src/decide/primary-watch.js";
import { standbyWatch } from "../../../src/decide/standby-watch.js";
import { witnessWatch } from "../../../src/decide/witness-watch.js";
import type { Situation, Step } from "../../../src/decide/watch-types.js";
import { introduction } from "./failover-introduction.js";
import { observationsOf, situations, statesOf, type Role } from "./grid-samples.js";

type Cell = (state: unknown, seen: unknown, situation: Situation) => Step;
type Rows = Readonly<Record<string, Readonly<Record<string, Cell>>>>;

const grids: Readonly<Record<Role, Rows>> = {
  standby: standbyWatch as unknown as Rows,
  primary: primaryWatch as unknown as Rows,
  witness: witnessWatch as unknown as Rows,
};

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly on: string;
  readonly actions: readonly string[];
}

const quiet = new Set(["announce", "start-guard", "kick-guard"]);

/** Runs every cell of a grid over sample states, observations and situations: what the code does is what is drawn. */
export function findEdges(role: Role): readonly Edge[] {
  const edges = new Map<string, { from: string; to: string; on: string; actions: Set<string> }>();
  for (const state of statesOf(role)) {
    for (const seen of observationsOf(role)) {
      for (const situation of situations(role, state)) {
        const step = grids[role][state.kind]?.[seen.kind]?.(state, seen, situation) ?? {};
        const { watch } = step;
        const actions = (step.actions ?? []).map(({ kind }) => kind).filter((kind) => !quiet.has(kind));
        const to = watch === undefined ? state.kind : nameOf(role, watch.role, watch.state.kind);
        if (to === state.kind && actions.every((kind) => kind === "ask-members")) continue;
        const key = `${state.kind}/${to}/${seen.kind}`;
        const edge = edges.get(key) ?? { from: state.kind, to, on: seen.kind, actions: new Set<string>() };
        for (const action of actions) edge.actions.add(action);
        edges.set(key, edge);
      }
    }
  }
  return [...edges.values()].map(({ actions, ...edge }) => ({ ...edge, actions: [...actions] }));
}

const nameOf = (own: Role, role: string, kind: string): string => (role === own ? kind : `${role}: ${kind}`);

/** A grid as a table, in the order of the code. */
function renderGrid(role: Role): string {
  const rows = findEdges(role).map(
    ({ from, on, to, actions }) =>
      `| ${from} | ${on} | ${from === to ? "(stays)" : to} | ${actions.join(", ")} |`,
  );
  return ["| state | sees | becomes | does |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The states and the ways between them; what leads the same way is written on one arrow. */
function renderDiagram(role: Role): string {
  const arrows = new Map<string, string[]>();
  for (const { from, to, on } of findEdges(role)) {
    if (from === to) continue;
    const arrow = `${identifier(from)} --> ${identifier(to)}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), on]);
  }
  const names = new Set(findEdges(role).flatMap(({ from, to }) => [from, to]));
  return [
    "```mermaid",
    "stateDiagram-v2",
    ...[...names].map((name) => `  state "${name}" as ${identifier(name)}`),
    ...[...arrows].map(([arrow, seen]) => `  ${arrow}: ${seen.join(", ")}`),
    "```",
  ].join("\n");
}

const identifier = (name: string): string => name.replaceAll(/[^a-z]+/g, "_");

/** docs/failover.md: the words are here, the grids come from the code. */
export function renderFailoverDocument(): string {
  const grids = (["standby", "primary", "witness"] as const).map((role) =>
    [`### ${role}`, renderDiagram(role), renderGrid(role)].join("\n\n"),
  );
  return `${[introduction, ...grids].join("\n\n")}\n`;
}
