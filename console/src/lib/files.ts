// Files that the reader takes along.
export type Cell = string | number | null;

/** Comma-separated values with a byte-order mark, which Excel needs for UTF-8. No cell can become a formula. */
export function toCsv(rows: Cell[][]): string {
  return "\ufeff" + rows.map((row) => row.map(escaped).join(",")).join("\r\n") + "\r\n";
}

function escaped(cell: Cell): string {
  if (typeof cell === "number") return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell ?? "") ? `'${cell}` : (cell ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Give a file to the reader. */
export function download(name: string, type: string, content: string | Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
