import type { CommandContext } from "../commands/define-command.js";
import type { UserError } from "../errors/user-error.js";
import { renderJsonDocument } from "../output/json.js";

/** The one place where the error that ends a command is shown; with `--format=json` standard output stays one document. */
export function renderFailure(context: CommandContext, commandName: string, error: UserError): void {
  const { message, detail, hint, exitCode } = error;
  const continuation = {
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
  };
  context.reporter.error(message, continuation);
  if (context.format !== "json") return;
  context.reporter.data(
    renderJsonDocument({
      command: commandName,
      exit_code: exitCode,
      error: { message, detail: detail ?? null, hint: hint ?? null },
    }),
  );
}
