// Sending mail as a program should that must not lose one: again after a refusal for now (4xx), a connection that was lost and a
// server that is down, to those recipients who do not have it; not again after a refusal for good (5xx). A message whose 250 was
// lost comes twice, so it carries a Message-ID by which its receiver can tell (RFC 5321 section 6.1 and RFC 1047 say why nobody
// can do better).
import { setTimeout as sleep } from "node:timers/promises";
import { TcpError } from "@tcpkit/core";
import { sendMail, SmtpError } from "@tcpkit/smtp-lite";
import type { Reply, SendMailOptions } from "@tcpkit/smtp-lite";

export interface SendAgainOptions extends Omit<SendMailOptions, "to" | "data"> {
  readonly to: readonly string[];
  /** No stream: that could be read once only. */
  readonly data: string | Uint8Array;
  /** How often to try. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; before each one more it is twice as long. */
  readonly pause: number;
}

/** Why a recipient does not have the message: what the server said of that one, or what befell all of them. */
export type Reason = Reply | Error;

/** Some recipients do not have the message. The others do. */
export class NotDelivered extends Error {
  override readonly name = "NotDelivered";
  /** Each of them with the reason of the last attempt. */
  readonly reasons: ReadonlyMap<string, Reason>;

  constructor(reasons: ReadonlyMap<string, Reason>) {
    super(`not delivered to ${[...reasons.keys()].join(", ")}`);
    this.reasons = reasons;
  }
}

/** Resolves once every recipient has it, with the number of attempts that took. @throws NotDelivered */
export async function sendAgain({ attempts, pause, to, ...mail }: SendAgainOptions): Promise<number> {
  const reasons = new Map<string, Reason>();
  let left = to;
  for (let attempt = 1; ; attempt++) {
    const failed = await sendOnce(mail, left);
    for (const address of left) reasons.delete(address);
    for (const [address, reason] of failed) reasons.set(address, reason);
    left = [...failed].filter(([, reason]) => isForNow(reason)).map(([address]) => address);
    if (reasons.size === 0) return attempt;
    if (left.length === 0 || attempt >= attempts) throw new NotDelivered(reasons);
    await sleep(pause * 2 ** (attempt - 1));
  }
}

/** Gives who did not get it. */
async function sendOnce(
  mail: Omit<SendMailOptions, "to">,
  [first = "", ...rest]: readonly string[],
): Promise<Map<string, Reason>> {
  try {
    const { refused } = await sendMail({ ...mail, to: [first, ...rest] });
    return new Map(refused.map(({ address, reply }) => [address, reply]));
  } catch (error) {
    if (!(error instanceof SmtpError || error instanceof TcpError)) throw error;
    const failed = new Map<string, Reason>([first, ...rest].map((address) => [address, error]));
    // Who was refused before it came to that was refused.
    const refused = (error instanceof SmtpError && error.attempt?.refused) || [];
    for (const { address, reply } of refused) failed.set(address, reply);
    return failed;
  }
}

function isForNow(reason: Reason): boolean {
  if (reason instanceof SmtpError && reason.code === "refused") return (reason.reply?.code ?? 500) < 500;
  if (reason instanceof SmtpError) return reason.code === "connection-closed" || reason.code === "timeout";
  if (reason instanceof TcpError) return PASSING.includes(reason.code);
  return !(reason instanceof Error) && reason.code < 500;
}

/** What may be otherwise in a minute. */
const PASSING: readonly TcpError["code"][] = [
  "connection-refused",
  "connect-failed",
  "connect-timeout",
  "timeout",
  "reset",
];
