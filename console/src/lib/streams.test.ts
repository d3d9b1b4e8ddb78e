import { expect, it, vi } from "vitest";
import { browse } from "./browser.test-kit";

browse();
const { follow } = await import("./streams");

/** How often a stream is asked for whose first answer has this status, in a minute. */
async function asked(status: number): Promise<number> {
  vi.useFakeTimers();
  const open = vi.fn(async () => ({ response: new Response(null, { status }) }));
  const stop = follow({ open, told: () => undefined, connected: () => undefined });
  await vi.advanceTimersByTimeAsync(60_000);
  stop();
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  return open.mock.calls.length;
}

it.each([401, 408, 429, 500, 503])("asks again for a stream that was refused with %i", async (status) => {
  expect(await asked(status)).toBeGreaterThan(3);
});

it.each([403, 404, 422])("gives up a stream that is refused with %i", async (status) => {
  expect(await asked(status)).toBe(1);
});
