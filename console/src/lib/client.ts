// The seven services, typed by their contracts. Every answer is an envelope: {ok, data, meta} or {ok: false, error, code}.
import createClient, { type Middleware } from "openapi-fetch";
import type { paths as Auth } from "../api/auth";
import type { paths as Forecast } from "../api/forecast";
import type { paths as Openai } from "../api/openai";
import type { paths as Rag } from "../api/rag";
import type { paths as Sentiment } from "../api/sentiment";
import type { paths as Trending } from "../api/trending";
import type { paths as Twitter } from "../api/twitter";
import { accessToken, renewed, sessionLost } from "./session.svelte";

/** What a service answered instead of data. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
    readonly details: Record<string, unknown>,
    readonly retrySeconds: number,
  ) {
    super(message);
  }
}

const bodies = new WeakMap<Request, Request>();
const PATIENCE_MS = 15_000;

/** Gives up on an answer that is read at once and does not come; a service that hangs is told like one that is away. */
const patient: Middleware = {
  onRequest({ request, options }) {
    if (request.method !== "GET" || options.parseAs === "stream") return undefined;
    return new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]) });
  },
};

/** Sends the access token; after a 401 renews it once and repeats the request. */
const authorised: Middleware = {
  async onRequest({ request }) {
    const token = await accessToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    bodies.set(request, request.clone());
    return request;
  },
  async onResponse({ request, response }) {
    if (response.status !== 401) return undefined;
    const again = bodies.get(request);
    const token = again && (await renewed());
    if (!token) {
      sessionLost();
      return undefined;
    }
    again.headers.set("Authorization", `Bearer ${token}`);
    return fetch(again);
  },
};

function client<Paths extends object>() {
  const made = createClient<Paths>({ baseUrl: location.origin });
  made.use(patient, authorised);
  return made;
}

export const auth = client<Auth>();
export const forecast = client<Forecast>();
export const openai = client<Openai>();
export const rag = client<Rag>();
export const sentiment = client<Sentiment>();
export const trending = client<Trending>();
export const twitter = client<Twitter>();

interface Answer<Body> {
  data?: Body;
  error?: unknown;
  response: Response;
}

/** What a request that was not answered at all is told as. */
export function silence(reason: unknown = ""): Refusal {
  const late = reason instanceof DOMException && reason.name === "TimeoutError";
  return new Refusal(0, late ? "no_answer" : navigator.onLine ? "unreachable" : "offline", String(reason), "", {}, 0);
}

/** The body of an answer; throws `Refusal`. */
export async function bodyOf<Body>(asked: Promise<Answer<Body>>): Promise<Body> {
  const { data, error, response } = await asked.catch((reason: unknown) => {
    throw silence(reason);
  });
  if (data === undefined || !response.ok) throw refusalOf(response, error);
  return data;
}

/** The data of an answer; throws `Refusal`. */
export async function dataOf<Data>(asked: Promise<Answer<{ data: Data }>>): Promise<Data> {
  return (await bodyOf(asked)).data;
}

interface Paged<Item> {
  data: { items: Item[] };
  meta?: { next_cursor?: string | null } | null;
}

/** The items of all pages of a list, in its order; `ask` takes the cursor of a page, null for the first. Throws `Refusal`. */
export async function itemsOf<Item>(ask: (cursor: string | null) => Promise<Answer<Paged<Item>>>): Promise<Item[]> {
  const found: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: Paged<Item> = await bodyOf(ask(cursor));
    for (const item of page.data.items) found.push(item);
    cursor = page.meta?.next_cursor ?? null;
  } while (cursor);
  return found;
}

export function refusalOf(response: Response, error: unknown): Refusal {
  const body = (error ?? {}) as { code?: string; error?: string; request_id?: string; details?: Record<string, unknown> };
  return new Refusal(
    response.status,
    body.code ?? "unreadable",
    body.error ?? `HTTP ${response.status}`,
    body.request_id ?? "",
    body.details ?? {},
    Number(response.headers.get("Retry-After")) || 0,
  );
}
