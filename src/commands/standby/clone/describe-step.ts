import { renderCommandLine } from "../../../decide/base-backup-command.js";
import type { CloneStep } from "../../../decide/clone.js";
import type { ConfigurationFileCopy } from "../../../decide/configuration-files.js";
import type { RecoveryParameters } from "../../../decide/recovery-parameters.js";
import { describeNode } from "../../../model/node-record.js";
import { formatConninfo, parseConninfo } from "../../../model/conninfo.js";
import { isSecretKeyword } from "../../../model/conninfo-keywords.js";
import { quoteSetting } from "../../../postgres/recovery-settings.js";

/** What `--dry-run` says of a step. */
export function describeStep(step: CloneStep): string {
  switch (step.kind) {
    case "prepare-directory":
      return {
        create: `would create data directory "${step.path}"`,
        "use-empty": `would use the empty directory "${step.path}"`,
        "delete-contents": `would delete everything in directory "${step.path}"`,
      }[step.action];
    case "create-slot":
      return `would create replication slot "${step.slot.name}" on the source node`;
    case "base-backup":
      return `would execute:\n  ${renderCommandLine(step.command)}`;
    case "move-slot":
      return `would create replication slot "${step.slot.name}" on upstream node ${describeNode(step.upstream)} and drop it on the source node`;
    case "verify-backup":
      return `would execute:\n  ${renderCommandLine({ program: step.program, args: [step.path] })}`;
    case "copy-configuration-files":
      return `would copy from host "${step.host}":\n${step.copies.map(describeCopy).join("\n")}`;
    case "write-configuration":
      return `would write "standby.signal" and these settings into "${step.path}/postgresql.auto.conf":\n${renderParameters(step.parameters)}`;
  }
}

function describeCopy({ source, destination }: ConfigurationFileCopy): string {
  const to = source.path === destination.path ? "" : ` to ${destination.path}`;
  return `  ${source.path}${to}${destination.state === "different" ? " (another file lies there)" : ""}`;
}

/** The settings as they will stand in the file, but without the password. */
export function renderParameters(parameters: RecoveryParameters): string {
  return [...parameters]
    .map(
      ([name, value]) =>
        `  ${name} = ${quoteSetting(name === "primary_conninfo" ? hideSecrets(value) : value)}`,
    )
    .join("\n");
}

function hideSecrets(conninfo: string): string {
  const shown = [...parseConninfo(conninfo)].map(
    ([keyword, value]) => [keyword, isSecretKeyword(keyword) ? "*****" : value] as const,
  );
  return formatConninfo(new Map(shown));
}
