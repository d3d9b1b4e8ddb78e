// Files that the reader takes along, and gives.
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

/** The text of a file: UTF-16 by its mark, UTF-8, else Windows-1252, which Excel writes in Spanish. */
export function decoded(bytes: Uint8Array): string {
  const mark = `${bytes[0]} ${bytes[1]}`;
  if (mark === "255 254") return new TextDecoder("utf-16le").decode(bytes);
  if (mark === "254 255") return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Give a file to the reader. */
export function download(name: string, type: string, content: string | Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
