/** The values behind the placeholders of `event_notification_command`. */
export interface NotificationValues {
  readonly nodeId: number;
  readonly event: string;
  readonly successful: boolean;
  readonly timestamp: string;
  readonly details: string | null;
  /** The other node that the event is about, when there is one. */
  readonly subject: { readonly nodeId: number; readonly nodeName: string; readonly conninfo: string } | null;
}

type Quoting = "none" | "single" | "double";

/**
 * Fills in `%n %e %s %t %d %p %c %a %%`; another `%x` stays as it is. Values are escaped for the place where they
 * stand, so that a detail with a quote or `$(…)` is text and never shell code: repmgr escapes double quotes only.
 */
export function expandNotificationCommand(template: string, values: NotificationValues): string {
  let expanded = "";
  let quoting: Quoting = "none";
  for (let index = 0; index < template.length; index += 1) {
    const character = template.charAt(index);
    const value = character === "%" ? placeholderValue(template.charAt(index + 1), values) : null;
    if (value !== null) {
      expanded += escapeFor(quoting, value);
      index += 1;
    } else if (character === "\\" && quoting !== "single") {
      expanded += template.slice(index, index + 2);
      index += 1;
    } else {
      quoting = quotingAfter(quoting, character);
      expanded += character;
    }
  }
  return expanded;
}

function placeholderValue(letter: string, values: NotificationValues): string | null {
  const { subject } = values;
  switch (letter) {
    case "n":
      return String(values.nodeId);
    case "e":
      return values.event;
    case "s":
      return values.successful ? "1" : "0";
    case "t":
      return values.timestamp;
    case "d":
      return values.details ?? "";
    case "p":
      return subject === null ? "" : String(subject.nodeId);
    case "c":
      return subject?.conninfo ?? "";
    case "a":
      return subject?.nodeName ?? "";
    case "%":
      return "%";
    default:
      return null;
  }
}

function quotingAfter(quoting: Quoting, character: string): Quoting {
  if (character === '"' && quoting !== "single") return quoting === "double" ? "none" : "double";
  if (character === "'" && quoting !== "double") return quoting === "single" ? "none" : "single";
  return quoting;
}

function escapeFor(quoting: Quoting, value: string): string {
  switch (quoting) {
    case "double":
      return value.replaceAll(/[\\"$`]/g, "\\$&");
    case "single":
      return value.replaceAll("'", `'\\''`);
    case "none":
      // Blanks stay, so that an unquoted %d is several words, as with repmgr.
      return value.replaceAll("\n", " ").replaceAll(/[^\w ./:,@%+=-]/g, "\\$&");
  }
}
