// One message between the session that receives it and the `onMessage` that keeps it. It knows when a message counts
// as delivered; it knows no wire and no commands.
import { ByteStream } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import type { SmtpLimits } from "./limits.ts";
import { ReceivedCounter } from "./received.ts";
import { replies, SmtpReply } from "./reply.ts";
import type { Settings } from "./settings.ts";

export class IncomingMessage {
  readonly #body = new ByteStream();
  readonly #received = new ReceivedCounter();
  readonly #limits: SmtpLimits;
  /** What `onMessage` came to. It never rejects. */
  readonly #outcome: Promise<Reply>;
  #problem: SmtpError | undefined;
  /** In LMTP: recipients that `onMessage` refused while it took the message for others. */
  refusals: ReadonlyMap<unknown, SmtpReply> | undefined;

  constructor(envelope: Envelope, settings: Settings) {
    this.#limits = settings.limits;
    this.#outcome = this.#deliver(envelope, settings);
  }

  /** Hands content on. Returns a promise while `onMessage` has not taken it. */
  push(bytes: Uint8Array): void | Promise<void> {
    if (this.#problem !== undefined) return undefined;
    this.#received.push(bytes);
    if (this.#received.count >= this.#limits.receivedLines) {
      this.fail(new SmtpError("mail-loop", "the message goes in circles", { reply: replies.mailLoop }));
      return undefined;
    }
    return this.#body.push(bytes);
  }

  /**
   * The client has sent the whole message: resolves with the reply once `onMessage` is done with it, so that a 250
   * means that it is kept.
   */
  async end(problem: SmtpError | undefined): Promise<Reply> {
    if (problem !== undefined) this.fail(problem);
    else this.#body.end();
    const outcome = await this.#outcome;
    return this.#problem?.reply ?? outcome;
  }

  /** The message will never be whole: whoever reads the body gets `error`. */
  fail(error: SmtpError): void {
    this.#problem ??= error;
    this.#body.fail(this.#problem);
  }

  async #deliver(envelope: Envelope, { hooks, report, pending }: Settings): Promise<Reply> {
    pending.begin();
    try {
      const kept = await hooks.onMessage(envelope, this.#body);
      if (kept instanceof Map) this.refusals = kept;
      return { code: 250, enhanced: "2.0.0", lines: [`Accepted as ${envelope.id}`] };
    } catch (error) {
      // A problem of the message itself was passed on by the body, and is no failure of the hook.
      const problem = this.#problem;
      if (problem === undefined || error !== problem) return refusal(error, report);
      return problem.reply ?? replies.localError;
    } finally {
      this.#body.discard();
      pending.end();
    }
  }
}

/** The reply for what a hook threw: what it says where it says something, or else 451 and a report to the owner. */
export function refusal(error: unknown, report: (error: unknown) => void): Reply {
  if (error instanceof SmtpReply) return error;
  report(error);
  return error instanceof SmtpError && error.reply !== undefined ? error.reply : replies.localError;
}
