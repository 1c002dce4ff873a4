import { quoteForShell } from "../postgres/service-control.js";

/** Fills `%x` in a configured command; `%%` is a percent sign, another `%x` stays. Values are quoted for the shell. */
export function expandCommand(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/%(.)/g, (whole, letter: string) => {
    if (letter === "%") return "%";
    const value = values[letter];
    if (value === undefined) return whole;
    return typeof value === "number" ? String(value) : quoteForShell(value);
  });
}
