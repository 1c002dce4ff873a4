import { describe, expect, it } from "vitest";
import { renderSettingsDocument } from "./render-settings-document.js";

describe("docs/settings.md", () => {
  it("is what the settings table says; add -u to write it again", async () => {
    await expect(renderSettingsDocument()).toMatchFileSnapshot("../../../docs/settings.md");
  });
});
