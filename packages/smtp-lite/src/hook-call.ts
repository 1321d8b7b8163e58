// How a hook is asked: returning accepts, throwing refuses. It knows promises and replies; it knows no commands.
import type { Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";
import { replies } from "./replies.ts";
import { SmtpReply } from "./reply.ts";

/** Runs a hook. One that is not async costs no promise. */
export function ask(
  hook: () => unknown,
  accept: () => Reply,
  report: (error: unknown) => void,
): Reply | Promise<Reply> {
  try {
    const answer = hook();
    if (!isThenable(answer)) return accept();
    return Promise.resolve(answer).then(accept, (error: unknown) => refusal(error, report));
  } catch (error) {
    return refusal(error, report);
  }
}

/** The reply for what a hook threw: what it says where it says something, or else 451 and a report to the owner. */
export function refusal(error: unknown, report: (error: unknown) => void): Reply {
  if (error instanceof SmtpReply) return error;
  report(error);
  return error instanceof SmtpError && error.reply !== undefined ? error.reply : replies.localError;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
