import { describe, expect, it } from "vitest";
import { renderCommandsHelp, renderGeneralHelp } from "../../../src/cli/help.js";
import { loadCatalogue } from "../../../src/commands/index.js";
import { renderCommandsDocument, renderExitCodesDocument } from "./render-commands-document.js";

const catalogue = await loadCatalogue();
const longestLine = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

describe("the reference in docs/", () => {
  it("has the commands as they are declared; add -u to write it again", async () => {
    await expect(renderCommandsDocument(catalogue)).toMatchFileSnapshot("../../../docs/commands.md");
  });

  it("has the exit codes as they are declared; add -u to write it again", async () => {
    await expect(renderExitCodesDocument(catalogue)).toMatchFileSnapshot("../../../docs/exit-codes.md");
  });
});

describe("help", () => {
  const general = renderGeneralHelp("tsrepmgr", { osUser: "postgres", isRoot: false });

  it("without a command is test/fixtures/help/general.txt; add -u to write it again", async () => {
    await expect(general).toMatchFileSnapshot("../../fixtures/help/general.txt");
  });

  it.each(catalogue.map(({ command }) => [command.name, command] as const))(
    "of %s is its file in test/fixtures/help; add -u to write it again",
    async (name, command) => {
      const file = `../../fixtures/help/${name.replace(" ", "-")}.txt`;
      await expect(renderCommandsHelp("tsrepmgr", [command])).toMatchFileSnapshot(file);
    },
  );

  it("fits a terminal of 80 columns", () => {
    const commands = catalogue.map(({ command }) => command);
    expect(longestLine(renderCommandsHelp("tsrepmgr", commands))).toBeLessThanOrEqual(80);
    expect(longestLine(general)).toBeLessThanOrEqual(80);
  });

  it("tells root that nothing else will run", () => {
    const forRoot = renderGeneralHelp("tsrepmgr", { osUser: "root", isRoot: true });
    expect(forRoot).toContain("tsrepmgr does not run as root");
    expect(general).not.toContain("root");
  });
});
