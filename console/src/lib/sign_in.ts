// Signing in: an OpenID Connect authorization code with PKCE (RFC 7636). The password, passkey and second factor are
// given at auth-service's own page; the console receives a code that is worth nothing without its verifier.
import { Refusal, silence } from "./client";
import { language } from "./i18n.svelte";
import { begin, CLIENT, TOKEN_PATH, type Tokens } from "./session.svelte";

const KEY = "castor.signing-in";
const DISCOVERY = "/.well-known/openid-configuration";
const RANDOM_BYTES = 32;

interface Pending {
  state: string;
  verifier: string;
  /** Where the reader was, `#/tendencias?…`. */
  address: string;
}

/** What the address of the page says of a sign-in that was begun: nothing, tokens received, or an error's code. */
export type Arrival = { kind: "none" } | { kind: "done"; address: string } | { kind: "refused"; code: string };

/** Leave for the login page. `silent`: come back at once where this browser is not logged in. Throws `Refusal`. */
export async function leaveToSignIn(silent = false): Promise<void> {
  const found = await answerOf(await request(DISCOVERY));
  const pending: Pending = { state: random(), verifier: random(), address: location.hash };
  sessionStorage.setItem(KEY, JSON.stringify(pending));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: here(),
    // Whatever the account may; its roles decide.
    scope: (found.scopes_supported as string[]).join(" "),
    state: pending.state,
    code_challenge: await challengeOf(pending.verifier),
    code_challenge_method: "S256",
    ui_locales: language(),
  });
  if (silent) query.set("prompt", "none");
  location.assign(`${new URL(String(found.authorization_endpoint)).pathname}?${query}`);
}

/** Receive the answer of the login page that stands in the address, and take it out of there. Throws `Refusal`. */
export async function arrive(): Promise<Arrival> {
  const given = new URLSearchParams(location.search);
  const pending = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Pending | null;
  if (!pending || given.get("state") !== pending.state) return { kind: "none" };
  sessionStorage.removeItem(KEY);
  history.replaceState(null, "", location.pathname + pending.address);
  const code = given.get("code");
  if (!code) return { kind: "refused", code: given.get("error") ?? "unreadable" };
  const form = { grant_type: "authorization_code", client_id: CLIENT, redirect_uri: here(), code, code_verifier: pending.verifier };
  begin((await answerOf(await request(TOKEN_PATH, new URLSearchParams(form)))) as unknown as Tokens);
  return { kind: "done", address: pending.address };
}

/** The page of the console: where the login page sends the browser back to. */
function here(): string {
  return `${location.origin}/`;
}

async function request(path: string, form?: URLSearchParams): Promise<Response> {
  return fetch(path, form && { method: "POST", body: form }).catch((reason: unknown) => {
    throw silence(reason);
  });
}

async function answerOf(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body;
  const wait = Number(response.headers.get("Retry-After")) || 0;
  throw new Refusal(response.status, String(body.code ?? body.error ?? "unreadable"), "", String(body.request_id ?? ""), {}, wait);
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));
}

async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
