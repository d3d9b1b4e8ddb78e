import { expect, it } from "vitest";
import { browse, storage } from "./browser.test-kit";

const { assign, tab } = browse(storage({ "castor.refresh": "r", "castor.identity": "i d", "castor.polls": "{}" }));
const { end } = await import("./session.svelte");

it("leaves nothing of its user in the tab at sign-out, and ends the session at the provider", () => {
  end();
  expect(tab.length).toBe(0);
  const left = new URL(assign.mock.calls[0]![0], "https://a.example");
  expect(left.pathname).toBe("/v1/auth/oidc/logout");
  expect(Object.fromEntries(left.searchParams)).toEqual({
    id_token_hint: "i d", post_logout_redirect_uri: "https://a.example/", ui_locales: "es",
  }); // prettier-ignore
});
