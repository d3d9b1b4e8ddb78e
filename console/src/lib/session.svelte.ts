// Who is signed in. The access token lives in memory only; the refresh token, which is good for one use, in this tab's
// sessionStorage, so that reloading a page keeps the session. How tokens are first obtained: sign_in.ts.

import { language } from "./i18n.svelte";

export const CLIENT = "castor-console";
export const TOKEN_PATH = "/v1/auth/oidc/token";
const LOGOUT_PATH = "/v1/auth/oidc/logout";

/** What the token endpoint answers; the newest ID token is the one that ends the session. */
export interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  id_token?: string;
}

interface Session {
  token: string;
  expiresAt: number;
  scopes: string[];
  email: string;
}

const KEY = "castor.refresh";
const ID_KEY = "castor.identity";
const RENEW_AT = 0.8;
const state = $state<{ session: Session | null; known: boolean; expired: boolean }>({
  session: null,
  known: false,
  expired: false,
});
let renewing: Promise<string | null> | null = null;

export function signedIn(): boolean {
  return state.session !== null;
}

/** False until it is known whether a session can be continued. */
export function sessionKnown(): boolean {
  return state.known;
}

/** Whether the session ended while somebody was at work. */
export function sessionExpired(): boolean {
  return state.expired;
}

export function may(scope: string): boolean {
  return state.session?.scopes.includes(scope) ?? false;
}

export function email(): string {
  return state.session?.email ?? "";
}

/** Begin a session with tokens from a sign-in. */
export function begin(tokens: Tokens): void {
  const claims = claimsOf(tokens.access_token);
  sessionStorage.setItem(KEY, tokens.refresh_token);
  if (tokens.id_token) sessionStorage.setItem(ID_KEY, tokens.id_token);
  state.session = {
    token: tokens.access_token,
    expiresAt: Date.now() + tokens.expires_in * 1000 * RENEW_AT,
    scopes: claims.scope.split(" "),
    email: claims.email,
  };
  state.expired = false;
  state.known = true;
}

/** Continue the session of this tab, if there is one. */
export async function resume(): Promise<void> {
  if (!state.session && sessionStorage.getItem(KEY)) await renewed();
  state.known = true;
}

/** An access token that is good for a while, or an empty string where nobody is signed in. */
export async function accessToken(): Promise<string> {
  if (!state.session) return "";
  if (Date.now() < state.session.expiresAt) return state.session.token;
  return (await renewed()) ?? state.session?.token ?? "";
}

/** Exchange the refresh token; requests that need it at the same time share one exchange. */
export function renewed(): Promise<string | null> {
  renewing ??= exchange().finally(() => (renewing = null));
  return renewing;
}

async function exchange(): Promise<string | null> {
  const refresh = sessionStorage.getItem(KEY);
  if (!refresh) return null;
  const form = new URLSearchParams({ grant_type: "refresh_token", client_id: CLIENT, refresh_token: refresh });
  const response = await fetch(TOKEN_PATH, { method: "POST", body: form }).catch(() => null);
  if (response?.ok) {
    const tokens = (await response.json()) as Tokens;
    begin(tokens);
    return tokens.access_token;
  }
  // Only a refusal ends the session; a service that is away does not.
  if (response && (response.status === 400 || response.status === 401)) forget();
  return null;
}

function forget(): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(ID_KEY);
}

/** The service refused our token and no other could be had. */
export function sessionLost(): void {
  if (!state.session || sessionStorage.getItem(KEY)) return;
  state.session = null;
  state.expired = true;
}

/** End the session here and in auth-service, which also forgets this browser, and come back to the first page. */
export function end(): void {
  const query = new URLSearchParams({
    id_token_hint: sessionStorage.getItem(ID_KEY) ?? "",
    post_logout_redirect_uri: `${location.origin}/`,
    ui_locales: language(),
  });
  // Also what this tab keeps for its user, such as a file of polls.
  sessionStorage.clear();
  location.assign(`${LOGOUT_PATH}?${query}`);
}

/** What a token says of its owner, for what to show; services check the token itself. */
function claimsOf(token: string): { scope: string; email: string } {
  const [, payload = ""] = token.split(".");
  const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as { scope?: string; scopes?: string[]; email?: string };
  return { scope: claims.scope ?? claims.scopes?.join(" ") ?? "", email: claims.email ?? "" };
}
