// A file on its way: XMLHttpRequest, because fetch does not tell how much has been sent.
import type { components } from "../api/twitter";
import { Refusal, silence } from "./client";
import { addDays, dayOf } from "./format";
import { accessToken } from "./session.svelte";

export type Import = components["schemas"]["Import"];

const TYPES: Record<string, string> = { csv: "text/csv", jsonl: "application/x-ndjson", ndjson: "application/x-ndjson", gz: "application/gzip", zip: "application/zip", tsv: "text/tab-separated-values", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };

/** The media type by the end of a name; undefined for what cannot be imported. */
export function mediaType(name: string): string | undefined {
  return TYPES[name.split(".").at(-1)?.toLowerCase() ?? ""];
}

/** Send a file into a data set, none where it is empty; `progress` hears the share sent, in [0, 1]. Throws `Refusal`. */
export async function upload(file: File, type: string, dataset: string, progress: (share: number) => void): Promise<Import> {
  const token = await accessToken();
  const request = new XMLHttpRequest();
  const query = new URLSearchParams({ filename: file.name, ...(dataset && { dataset }) });
  request.open("POST", `/v1/twitter/imports?${query}`);
  request.setRequestHeader("Authorization", `Bearer ${token}`);
  request.setRequestHeader("Content-Type", type);
  request.responseType = "json";
  request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
  return new Promise((resolve, reject) => {
    request.onload = () => (request.status < 300 ? resolve(request.response.data) : reject(refused(request)));
    request.onerror = () => reject(silence());
    request.send(file);
  });
}

/** The part of the address of a view that shows what was imported: its data set, and its last week where it is longer. */
export function addressOf(found: Import): Record<string, string> {
  const until = dayOf(found.last_tweet_at ?? new Date());
  const first = dayOf(found.first_tweet_at ?? new Date());
  const week = addDays(until, -6);
  return { desde: first > week ? first : week, hasta: until, datos: found.dataset ?? "" };
}

function refused(request: XMLHttpRequest): Refusal {
  const body = request.response ?? {};
  const wait = Number(request.getResponseHeader("Retry-After")) || 0;
  return new Refusal(request.status, body.code ?? "unreadable", body.error ?? "", body.request_id ?? "", body.details ?? {}, wait);
}
