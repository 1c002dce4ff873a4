import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { defineCommand, type Command, type CommandContext } from "../define-command.js";
import { renderBashCompletion } from "./bash.js";
import { renderFishCompletion } from "./fish.js";
import { describeCompletion, type CompletionModel } from "./model.js";
import { renderZshCompletion } from "./zsh.js";

/** Root is let in: packages write completion scripts when they are installed, and no server is touched. */
function defineCompletion(
  shell: string,
  render: (model: CompletionModel) => string,
  example: string,
): Command {
  return defineCommand({
    name: `completion ${shell}`,
    summary: `print the completion script for ${shell}`,
    options: {},
    effect: "reads",
    configuration: "unused",
    isForRoot: true,
    exitCodes: ["success", "badConfiguration"],
    examples: [example],
    run: async ({ reporter, environment, loadCatalogue }: CommandContext): Promise<ExitCode> => {
      reporter.data(render(describeCompletion(await loadCatalogue(), environment.programName)));
      return exitCodes.success;
    },
  });
}

export const completionBash = defineCompletion(
  "bash",
  renderBashCompletion,
  "completion bash > /etc/bash_completion.d/tsrepmgr",
);

export const completionZsh = defineCompletion(
  "zsh",
  renderZshCompletion,
  "completion zsh > /usr/local/share/zsh/site-functions/_tsrepmgr",
);

export const completionFish = defineCompletion(
  "fish",
  renderFishCompletion,
  "completion fish > /etc/fish/completions/tsrepmgr.fish",
);
