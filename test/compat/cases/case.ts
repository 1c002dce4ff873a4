import { confOf, type Database, type NodeName } from "../node.js";

/** A command line that both programs run on a node. */
export interface CommandCase {
  readonly node: NodeName;
  /** `{conf}` stands for the path of repmgr.conf, `{database}` for the database; without them it runs once. */
  readonly line: string;
}

export const nameOf = ({ node, line }: CommandCase): string => `${node}$ ${line}`;

/** The line as it is typed for one of the databases. */
export const lineFor = (line: string, database: Database): string =>
  line.replaceAll("{conf}", confOf(database)).replaceAll("{database}", database);

/** The databases in which our program has to do what the reference does with its extension. */
export const databasesOf = (line: string): readonly Database[] =>
  /\{conf\}|\{database\}/.test(line) ? ["repmgr", "nolibs"] : ["repmgr"];

/** The same lines on several nodes. */
export const onNodes = (nodes: readonly NodeName[], lines: readonly string[]): readonly CommandCase[] =>
  nodes.flatMap((node) => lines.map((line) => ({ node, line })));
