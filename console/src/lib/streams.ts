// Server-sent events over `fetch`, because EventSource sends no token.
import { EventSourceParserStream, type EventSourceMessage } from "eventsource-parser/stream";
import { Refusal, refusalOf, silence } from "./client";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Refusals that pass: of a token that could not be renewed while auth-service is away, of a slow line, of too many. */
const PASSING = [401, 408, 429];

interface Streamed {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The events of an answer that was asked for with `parseAs: "stream"`. Throws `Refusal`. */
export async function* eventsOf(asked: Promise<Streamed>): AsyncGenerator<EventSourceMessage> {
  const { error, response } = await asked.catch((reason: unknown) => {
    throw silence(reason);
  });
  if (!response.ok || !response.body) throw refusalOf(response, error);
  const text = response.body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>);
  const reader = text.pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

interface Follower {
  /** Ask for the stream after an event; null: from now on. */
  open: (lastId: string | null, signal: AbortSignal) => Promise<Streamed>;
  told: (event: EventSourceMessage) => void;
  /** Whether the stream is open, each time that this changes. */
  connected: (open: boolean) => void;
}

/** Follow a stream until the returned function is called; where it ends or is lost, go on after the last event. */
export function follow({ open, told, connected }: Follower): () => void {
  const stop = new AbortController();
  void (async () => {
    let last: string | null = null;
    let wait = FIRST_WAIT_MS;
    while (!stop.signal.aborted) {
      try {
        const asked: Promise<Streamed> = open(last, stop.signal).then((answer): Streamed => {
          connected(answer.response.ok);
          if (answer.response.ok) wait = FIRST_WAIT_MS;
          return answer;
        });
        for await (const event of eventsOf(asked)) {
          if (event.id) last = event.id;
          told(event);
        }
      } catch (error) {
        connected(false);
        if (error instanceof Refusal && error.status >= 400 && error.status < 500 && !PASSING.includes(error.status)) return;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(LONGEST_WAIT_MS, 2 * wait);
    }
  })();
  return () => stop.abort();
}
