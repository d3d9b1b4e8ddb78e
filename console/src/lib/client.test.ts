import { expect, it, vi } from "vitest";
import { browse, serve } from "./browser.test-kit";

browse();
const { bodyOf, dataOf, forecast, Refusal, trending } = await import("./client");
const { isAbsence, sentence } = await import("./errors");

it("tells a service that hangs like one that is away, and waits for streams", async () => {
  serve(() => ({ ok: true, data: {} }));
  const late = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort(new DOMException("late", "TimeoutError")));
  const error = await dataOf(trending.GET("/v1/trending/status")).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Refusal);
  expect(sentence(error)).toBe("Esa parte del sistema no contestó a tiempo.");
  await trending.GET("/v1/trending/stream", { parseAs: "stream" });
  const posted = forecast.POST("/v1/forecast/scenarios", { body: { entity: "a" } as never });
  expect(await bodyOf(posted)).toEqual({ ok: true, data: {} });
  expect(late).toHaveBeenCalledTimes(1);
});

it("knows an absence of data from a failure", () => {
  const refused = (code: string) => new Refusal(422, code, "", "", {}, 0);
  expect([isAbsence(refused("too_few_tweets")), isAbsence(refused("invalid")), isAbsence(new Error())]).toEqual([true, false, false]);
});
