// What the modules under test need of a browser: an address, storage, and a server of answers.
import { vi } from "vitest";

/** A storage of a tab. */
export function storage(given: Record<string, string> = {}) {
  const kept = new Map(Object.entries(given));
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
    clear: () => kept.clear(),
    get length() {
      return kept.size;
    },
  };
}

/** Stand in for a browser at the console's first page, before modules are imported; returns what they ask of it. */
export function browse(tab = storage()) {
  const assign = vi.fn<(address: string) => void>();
  vi.stubGlobal("localStorage", storage());
  vi.stubGlobal("sessionStorage", tab);
  vi.stubGlobal("location", { hash: "", origin: "https://a.example", assign });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("document", { documentElement: { lang: "" } });
  vi.stubGlobal("navigator", { onLine: true });
  vi.stubGlobal("fetch", answered);
  return { assign, tab };
}

type Answering = (address: URL) => unknown;
let answering: Answering = () => ({});
const asked: string[] = [];

/** Answer requests by their address from now on; returns the addresses asked for, in order. */
export function serve(answer: Answering): string[] {
  answering = answer;
  asked.length = 0;
  return asked;
}

/** What stands in for `fetch`; clients take it when they are made. */
async function answered(given: Request | string, init?: RequestInit): Promise<Response> {
  const request = new Request(given, init);
  asked.push(request.url);
  request.signal.throwIfAborted();
  return Response.json(answering(new URL(request.url)));
}
