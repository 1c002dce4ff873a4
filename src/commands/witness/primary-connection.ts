import { mergeConninfo, parseConninfo, type Conninfo } from "../../model/conninfo.js";
import type { CommandContext } from "../define-command.js";

/** The options of the command line for the primary; user and database are those of the witness unless given. */
export function primaryConninfo({
  settings,
  connection,
}: Pick<CommandContext, "settings" | "connection">): Conninfo {
  const own = parseConninfo(settings.conninfo);
  const defaults = [...own].filter(([keyword]) => keyword === "user" || keyword === "dbname");
  return mergeConninfo(new Map(defaults), connection);
}
