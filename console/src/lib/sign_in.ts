// The ways to begin a session. A view asks one of them and need not know which.
import { auth, dataOf, Refusal } from "./client";
import { begin } from "./session.svelte";

/** The next step of a sign-in: done, or a code of the second factor is wanted. */
export type Step = { done: true } | { done: false; challenge: string };

export interface SignIn {
  /** Begin with an address and a password. Throws `Refusal`. */
  password(email: string, password: string): Promise<Step>;
  /** Answer a challenge with the code of the second factor. Throws `Refusal`. */
  code(challenge: string, code: string): Promise<Step>;
}

export const passwordSignIn: SignIn = {
  async password(email, password) {
    try {
      begin((await dataOf(auth.POST("/v1/auth/login", { body: { email, password } }))).tokens);
      return { done: true };
    } catch (error) {
      const challenge = error instanceof Refusal && error.code === "mfa_required" ? error.details.mfa_token : undefined;
      if (typeof challenge !== "string") throw error;
      return { done: false, challenge };
    }
  },
  async code(challenge, code) {
    const body = { mfa_token: challenge, code };
    begin((await dataOf(auth.POST("/v1/auth/login/mfa", { body }))).tokens);
    return { done: true };
  },
};
