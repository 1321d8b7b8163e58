// The words of the fault policy: where in a conversation, for whom, and what goes wrong. Types, and one rule ready made.
import type { AddressPattern } from "./address-pattern.ts";
import { badArgument } from "./errors.ts";
import { SmtpReply } from "./reply.ts";
import type { SaslMechanism } from "./sasl/index.ts";

/**
 * Where a fault may happen: when the client has connected, at EHLO (or HELO), AUTH, MAIL, RCPT, DATA (not BDAT, which has its
 * content with it), and at the end of a message's content.
 */
export type FaultStage = "connect" | "ehlo" | "auth" | "mail" | "rcpt" | "data" | "end";

/** What may go wrong at every stage. */
export type Fault =
  /** Refuse, by any reply that refuses; at `connect` it becomes 421 or 554, as for `onConnect`. Hooks are not asked; at `end`, the body that `onMessage` reads fails. */
  | { readonly type: "reply"; readonly reply: SmtpReply }
  /** Cut the connection instead of replying. At `end`: the message is not taken. */
  | { readonly type: "drop" }
  /** Wait so many milliseconds, then go on as if nothing were. */
  | { readonly type: "delay"; readonly milliseconds: number }
  /** Reply one byte at a time, one every so many milliseconds; in LMTP, every reply at `end`. */
  | { readonly type: "drip"; readonly milliseconds: number };

/** What may go wrong at the final dot besides. */
export type EndFault =
  | Fault
  /** Take the message, and cut the connection instead of saying so: the client will send it again (RFC 1047). */
  | { readonly type: "lose-reply" };

/** What every rule has. The first rule that applies does; the others are not looked at. */
interface RuleAt<Stage extends FaultStage, Wrong> {
  readonly at: Stage;
  readonly fault: Wrong;
  /** The client's IP address. Default: any. */
  readonly remoteAddress?: string | undefined;
  /**
   * Only the nth attempt, or these: 1 is the first. Attempts are counted for each rule, and apart for each client address and
   * what the stage is about: the EHLO name, the mechanism, the sender, sender and recipient, sender and recipients. One that a
   * rule before has taken is not counted. Default: all.
   */
  readonly attempt?: number | readonly number[] | undefined;
  /** How likely it is, from 0 to 1. What happens depends on the policy's seed and the attempt alone. Default: 1. */
  readonly probability?: number | undefined;
}

export type ConnectRule = RuleAt<"connect", Fault>;

export interface EhloRule extends RuleAt<"ehlo", Fault> {
  /** What the client calls itself. */
  readonly name?: string | RegExp | undefined;
}

export interface AuthRule extends RuleAt<"auth", Fault> {
  readonly mechanism?: SaslMechanism | undefined;
}

export interface MailRule extends RuleAt<"mail", Fault> {
  /** The sender; `null` for `<>`. */
  readonly from?: AddressPattern | null | undefined;
}

export interface RcptRule extends RuleAt<"rcpt", Fault> {
  readonly from?: AddressPattern | null | undefined;
  readonly to?: AddressPattern | undefined;
}

export interface DataRule extends RuleAt<"data", Fault> {
  readonly from?: AddressPattern | null | undefined;
  /** One of the recipients that were accepted. */
  readonly to?: AddressPattern | undefined;
}

export interface EndRule extends RuleAt<"end", EndFault> {
  readonly from?: AddressPattern | null | undefined;
  readonly to?: AddressPattern | undefined;
}

/** When what goes wrong. A stage's rule has what is known at that stage, and no more. */
export type FaultRule = ConnectRule | EhloRule | AuthRule | MailRule | RcptRule | DataRule | EndRule;

/**
 * Greylisting: the first `attempts` of each client, sender and recipient are refused for now (450 4.7.1), the next is accepted;
 * with `Infinity`, none is. Default: 1.
 * @throws SmtpError `bad-argument` where `attempts` is no whole number, nor `Infinity`.
 */
export function greylist({ attempts = 1 }: { readonly attempts?: number | undefined } = {}): RcptRule {
  if (attempts !== Infinity && !(Number.isSafeInteger(attempts) && attempts >= 0))
    throw badArgument(`\`attempts\` is a whole number, or Infinity, not ${String(attempts)}`);
  const refused =
    attempts === Infinity ? undefined : Array.from({ length: attempts }, (_, index) => index + 1);
  return {
    at: "rcpt",
    attempt: refused,
    fault: { type: "reply", reply: new SmtpReply(450, "4.7.1", "Greylisted, try again later") },
  };
}
