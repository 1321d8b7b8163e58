// One message between the session that receives it and the `onMessage` that keeps it. It knows when a message counts
// as delivered; it knows no wire and no commands.
import { ByteStream, recycle } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { isThenable, refusal } from "./hook-call.ts";
import { ReceivedCounter } from "./received.ts";
import { replies } from "./replies.ts";
import { readRefusals } from "./refusals.ts";
import type { Refusals } from "./refusals.ts";
import { PreparedReply, SmtpReply } from "./reply.ts";
import type { Settings } from "./settings.ts";

export class IncomingMessage {
  readonly #body = new ByteStream(undefined, recycle);
  readonly #received = new ReceivedCounter();
  readonly #settings: Settings;
  /** What `onMessage` came to, or will. It never rejects. */
  readonly #outcome: Reply | Promise<Reply>;
  #problem: SmtpError | undefined;
  /** In LMTP: recipients that `onMessage` refused while it took the message for others. */
  refusals: Refusals | undefined;

  constructor(envelope: Envelope, settings: Settings) {
    this.#settings = settings;
    this.#outcome = this.#deliver(envelope);
  }

  /** Hands content on. Returns a promise while `onMessage` has not taken it. */
  push(bytes: Uint8Array): void | Promise<void> {
    if (this.#problem !== undefined) return undefined;
    this.#received.push(bytes);
    if (this.#received.count >= this.#settings.limits.receivedLines) {
      this.fail(new SmtpError("mail-loop", "the message goes in circles", { reply: replies.mailLoop }));
      return undefined;
    }
    return this.#body.push(bytes);
  }

  /**
   * The client has sent the whole message. `done` gets the reply once `onMessage` is done with it, so that a 250 means that it
   * is kept; what `done` gives is passed on, at once where `onMessage` is done already.
   */
  end(problem: SmtpError | undefined, done: (reply: Reply) => Reply): Reply | Promise<Reply> {
    if (problem !== undefined) this.fail(problem);
    else this.#body.end();
    const outcome = this.#outcome;
    const finish = (reply: Reply): Reply => done(this.#problem?.reply ?? reply);
    return outcome instanceof Promise ? outcome.then(finish) : finish(outcome);
  }

  /** The message will never be whole: whoever reads the body gets `error`. */
  fail(error: SmtpError): void {
    this.#problem ??= error;
    this.#body.fail(this.#problem);
  }

  #deliver(envelope: Envelope): Reply | Promise<Reply> {
    const { hooks, pending, lmtp } = this.#settings;
    const kept = (answer: unknown): Reply => {
      this.#delivered();
      try {
        if (answer instanceof SmtpReply) throw answer;
        this.refusals = readRefusals(answer, envelope.to, lmtp);
      } catch (error) {
        return this.#refusal(error);
      }
      return accepted(envelope.id);
    };
    const failed = (error: unknown): Reply => {
      this.#delivered();
      return this.#refusal(error);
    };
    pending.begin();
    try {
      const answer = hooks.onMessage(envelope, this.#body);
      return isThenable(answer) ? Promise.resolve(answer).then(kept, failed) : kept(answer);
    } catch (error) {
      return failed(error);
    }
  }

  /** Nobody reads on. */
  #delivered(): void {
    this.#body.discard();
    this.#settings.pending.end();
  }

  #refusal(error: unknown): Reply {
    // A problem of the message itself was passed on by the body, and is no failure of the hook.
    const problem = this.#problem;
    if (problem === undefined || error !== problem) return refusal(error, this.#settings.report);
    return problem.reply ?? replies.localError;
  }
}

function accepted(id: string): Reply {
  const text = `Accepted as ${id}`;
  return new PreparedReply({ code: 250, enhanced: "2.0.0", lines: [text] }, `250 2.0.0 ${text}\r\n`);
}
