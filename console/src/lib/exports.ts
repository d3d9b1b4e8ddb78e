// Exports of posts: links send no token, so the file is fetched here and given to the reader.
import { refusalOf, silence } from "./client";
import type { Filters } from "./posts";
import { accessToken } from "./session.svelte";
import { download } from "./files";

export type Format = "excel" | "csv" | "jsonl" | "parquet";

/** Fetch the posts that meet the filters as a file. Throws `Refusal`. */
export async function exportPosts(filters: Filters, format: Format): Promise<void> {
  const kind = format === "excel" ? "csv" : format;
  const query = new URLSearchParams({ format: kind });
  if (format === "excel") query.set("excel", "true");
  for (const [name, value] of Object.entries(filters)) if (value !== undefined && value !== null) query.set(name, String(value));
  const headers = { Authorization: `Bearer ${await accessToken()}` };
  const response = await fetch(`/v1/twitter/exports?${query}`, { headers }).catch((reason: unknown) => {
    throw silence(reason);
  });
  if (!response.ok) throw refusalOf(response, await response.json().catch(() => null));
  download(`castor.${kind}`, response.headers.get("Content-Type") ?? "", await response.blob());
}
