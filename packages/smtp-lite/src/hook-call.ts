// How a hook is asked: returning accepts, throwing refuses. It knows promises and replies; it knows no commands.
import type { Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";
import { replies } from "./replies.ts";
import { SmtpReply } from "./reply.ts";

/** Runs a hook. One that is not async costs no promise. An `SmtpReply` refuses by being returned, too. */
export function ask(
  hook: () => unknown,
  accept: () => Reply,
  report: (error: unknown) => void,
): Reply | Promise<Reply> {
  const decide = (answer: unknown): Reply => (answer instanceof SmtpReply ? answer : accept());
  try {
    const answer = hook();
    if (!isThenable(answer)) return decide(answer);
    return Promise.resolve(answer).then(decide, (error: unknown) => refusal(error, report));
  } catch (error) {
    return refusal(error, report);
  }
}

/**
 * The reply for what a hook threw: an `SmtpReply` as it is; or 451, 452 where the disk is full, and a report to the owner. Other
 * errors of ours have replies too, but to somebody else: those of a client that the hook is.
 */
export function refusal(error: unknown, report: (error: unknown) => void): Reply {
  if (error instanceof SmtpReply) return error;
  report(error);
  return error instanceof SmtpError && error.code === "no-space" ? replies.noSpace : replies.localError;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
