import { defaultValue } from "../../../src/config/default-settings.js";
import { formatSetting } from "../../../src/config/dump-settings.js";
import {
  settingNames,
  settingsTable,
  type SettingName,
  type Settings,
} from "../../../src/config/settings-table.js";
import type { SettingShape } from "../../../src/config/settings-table/setting-shape.js";

const introduction = `# Settings

<!-- Written by "npx vitest run test/unit/config/settings-document.test.ts -u" from src/config/settings-table/. -->

Every setting of \`repmgr.conf\`. [repmgr.conf.sample](../repmgr.conf.sample) has the same settings by topic, with more words.

- **Type**: a *duration* is a number of seconds or a number with a unit (\`200ms\`, \`5s\`, \`2min\`, \`1h\`, \`1d\`); with a unit a
  minimum of one second goes down to 100 ms. A *boolean* is \`on\`, \`true\`, \`yes\`, \`1\` or its opposite. Strings have at most 1023 bytes
  unless a length is given.
- **Reload**: *yes* = a running daemon takes a changed value on SIGHUP; *re-register* = the value is part of the node record,
  register the node again with \`--force\`; *no* = when the daemon starts. Commands read the file each time.
- Names are case-sensitive. An unknown name is a warning; a wrong value, an old 3.x name and a syntax error are errors.
`;

/** The text of docs/settings.md. */
export function renderSettingsDocument(): string {
  const rows = settingNames.map((name) => renderRow(name, settingsTable[name]));
  const heading = ["| Setting | Type | Default | Reload | Meaning |", "| --- | --- | --- | --- | --- |"];
  return `${introduction}\n${[...heading, ...rows].join("\n")}\n`;
}

function renderRow(name: SettingName, shape: SettingShape): string {
  const cells = [
    `\`${name}\``,
    describeType(shape),
    describeDefault(name, shape),
    shape.reloadable,
    shape.help,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\\=", "`\\=`")).join(" | ")} |`;
}

function describeType(shape: SettingShape): string {
  switch (shape.type) {
    case "integer": {
      const range =
        shape.maximum === undefined ? `≥ ${shape.minimum}` : `${shape.minimum} to ${shape.maximum}`;
      return `integer ${range}${shape.unit === undefined ? "" : `, ${shape.unit}`}`;
    }
    case "duration":
      return `duration ≥ ${shape.minimum}${shape.minimum > 0 ? ` ${shape.unit}` : ""}`;
    case "enum":
      return shape.values.map((value) => `\`${value}\``).join(", ");
    case "delay":
      return "duration, bare number in ms";
    case "list":
      return "list, adds up";
    case "mapping":
      return "mapping, adds up";
    case "string":
    case "path":
      return shape.limit === undefined ? shape.type : `${shape.type}, ${shape.limit} bytes`;
    case "boolean":
      return shape.type;
  }
}

function describeDefault(name: SettingName, shape: SettingShape): string {
  if (shape.required === true) return "**required**";
  if (shape.defaultNote !== undefined) return shape.defaultNote;
  const value = formatSetting({ [name]: defaultValue(shape) } as unknown as Settings, name);
  if (value === "") return "none";
  return `\`${value}\`${shape.type === "duration" && Number(value) > 0 ? ` ${shape.unit}` : ""}`;
}
