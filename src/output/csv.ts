/** One line of CSV with its newline; a field is quoted only when it would otherwise be misread. */
export function renderCsvRow(fields: readonly (string | number)[]): string {
  return `${fields.map((field) => quoteCsvField(String(field))).join(",")}\n`;
}

function quoteCsvField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
