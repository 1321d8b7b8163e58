// One AUTH exchange, RFC 4954: between the session that moves its lines and the `onAuth` that knows who may in. It knows
// the reply for each outcome; it knows no mechanism and no base64 on the wire but its own challenges'.
import { assertNever } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import type { Client } from "./envelope.ts";
import type { SmtpHooks } from "./hooks.ts";
import { replies } from "./replies.ts";
import { SmtpReply } from "./reply.ts";
import type { SaslIdentity, SaslServer, SaslServerStep } from "./sasl/index.ts";

export class Authentication {
  readonly #exchange: SaslServer;
  readonly #ask: NonNullable<SmtpHooks["onAuth"]>;
  readonly #client: Client;
  readonly #report: (error: unknown) => void;
  /** Set once the client has proved who it is. */
  identity: SaslIdentity | undefined;

  constructor(
    exchange: SaslServer,
    onAuth: NonNullable<SmtpHooks["onAuth"]>,
    client: Client,
    report: (error: unknown) => void,
  ) {
    this.#exchange = exchange;
    this.#ask = onAuth;
    this.#client = client;
    this.#report = report;
  }

  /** Takes the client's next message, `undefined` where it began without one; resolves with the reply. */
  async step(response: Buffer | undefined): Promise<Reply> {
    try {
      let step = this.#exchange.step(response);
      while (step.type === "verify") {
        step = this.#exchange.decide(await this.#ask(step.credentials, this.#client));
      }
      return this.#replyTo(step);
    } catch (error) {
      if (error instanceof SmtpReply) return error;
      this.#report(error);
      return replies.authFailedForNow;
    }
  }

  #replyTo(step: Exclude<SaslServerStep, { type: "verify" }>): Reply {
    switch (step.type) {
      case "challenge":
        return { code: 334, lines: [step.bytes.toString("base64")] };
      case "success":
        this.identity = step.identity;
        return replies.authenticated;
      case "failure":
        return step.code === "malformed" ? replies.badAuth : replies.authRefused;
      default:
        return assertNever(step);
    }
  }
}
