import type { CommandContext } from "../commands/define-command.js";
import { continuationOf, describeFailedCommand } from "../commands/describe-failed-command.js";
import type { UserError } from "../errors/user-error.js";
import { renderJsonDocument } from "../output/json.js";

/** Shows the error that ends a command; with `--format=json` standard output stays one document. */
export function renderFailure(context: CommandContext, commandName: string, error: UserError): void {
  context.reporter.error(error.message, continuationOf(error));
  if (context.format === "json") {
    context.reporter.data(renderJsonDocument(describeFailedCommand(commandName, error)));
  }
}
