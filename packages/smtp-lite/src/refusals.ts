// What `onMessage` says of single recipients in LMTP (RFC 2033 section 4.2). It knows answers of hooks; it knows no wire.
import type { Recipient } from "./parameter-types.ts";
import { SmtpReply } from "./reply.ts";

/** Recipients that do not get the message, and why. */
export type Refusals = ReadonlyMap<Recipient, SmtpReply>;

/**
 * The refusals in an answer; `undefined` where there are none. Hooks return anything, a `Map` of theirs too: only one with an
 * `SmtpReply` in it is a verdict.
 * @throws TypeError for a verdict that nobody would hear: its recipient would lose the message.
 */
export function readRefusals(answer: unknown, to: readonly Recipient[], lmtp: boolean): Refusals | undefined {
  if (!(answer instanceof Map)) return undefined;
  if (!lmtp) {
    // One look: a Map that is none of ours may be as large as all that a program keeps.
    const [first] = answer.values();
    if (first instanceof SmtpReply)
      throw new TypeError("onMessage refused single recipients, which only LMTP can");
    return undefined;
  }
  const refusals = new Map<Recipient, SmtpReply>();
  for (const [key, reply] of answer) {
    if (!(reply instanceof SmtpReply)) continue;
    const recipient = to.find((one) => one === key);
    if (recipient === undefined)
      throw new TypeError("onMessage refused a recipient that is not in `envelope.to`");
    refusals.set(recipient, apart(reply));
  }
  return refusals;
}

/** 421 closes the connection (RFC 5321 section 3.8), and other recipients are still to hear of theirs: 451 tells the same. */
function apart(reply: SmtpReply): SmtpReply {
  if (reply.code !== 421) return reply;
  return new SmtpReply(451, reply.enhanced as `4.${number}.${number}`, ...reply.lines);
}
