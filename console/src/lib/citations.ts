// A citation names its place in the text by code points, not by JavaScript's units: an emoji counts as one.
export interface Cut {
  before: string;
  quote: string;
  after: string;
}

/** The text cut at a quotation. */
export function cut(text: string, start: number, end: number): Cut {
  const points = Array.from(text);
  const part = (from: number, to?: number) => points.slice(from, to).join("");
  return { before: part(0, start), quote: part(start, end), after: part(end) };
}
