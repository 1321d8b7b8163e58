// Sending mail as a program should that must not lose one: again after a refusal for now (4xx) and after a connection that was
// lost, not again after a refusal for good (5xx). A message whose 250 was lost comes twice, so it carries a Message-ID by which
// its receiver can tell (RFC 5321 section 6.1 and RFC 1047 say why nobody can do better).
import { setTimeout as sleep } from "node:timers/promises";
import { sendMail, SmtpError } from "@tcpkit/smtp-lite";
import type { SendMailOptions } from "@tcpkit/smtp-lite";

export interface SendAgainOptions extends SendMailOptions {
  /** How often to try. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; before each one more it is twice as long. */
  readonly pause: number;
}

/** Resolves with the number of attempts it took. @throws what the last attempt threw. */
export async function sendAgain({ attempts, pause, ...mail }: SendAgainOptions): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sendMail(mail);
      return attempt;
    } catch (error) {
      if (attempt >= attempts || !isForNow(error)) throw error;
      await sleep(pause * 2 ** (attempt - 1));
    }
  }
}

function isForNow(error: unknown): boolean {
  if (!(error instanceof SmtpError)) return false;
  if (error.code === "refused") return (error.reply?.code ?? 500) < 500;
  return error.code === "connection-closed" || error.code === "timeout";
}
