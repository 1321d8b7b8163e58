// What becomes of one message on its way out: who accepted it, who refused it and why, and what its sender hears. It knows
// replies by what they are about; it knows no commands and no connection.
import { isPositive } from "./codes.ts";
import type { Reply } from "./codes.ts";
import { refused } from "./conversation.ts";
import { SmtpError } from "./errors.ts";
import type { RefusedRecipient, SendAttempt, SendMailResult } from "./send-result.ts";

export class DeliveryResult {
  readonly promise: Promise<SendMailResult>;
  readonly #resolve: (result: SendMailResult) => void;
  readonly #reject: (error: unknown) => void;
  #accepted: string[] = [];
  readonly #refused: RefusedRecipient[] = [];
  #failed = false;
  /** May be anything, once it has failed: a stream can reject with `undefined`. */
  #problem: unknown;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<SendMailResult>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** It will not be delivered; known before the last reply. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Why not. */
  get problem(): unknown {
    return this.#problem;
  }

  /** How many recipients the server has accepted, and not taken back. */
  get recipients(): number {
    return this.#accepted.length;
  }

  /** It will not be delivered, for this reason unless there was another one. */
  fail(problem: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#problem = problem;
  }

  /** The reply to RCPT. */
  onRecipient(address: string, reply: Reply): void {
    if (isPositive(reply)) this.#accepted.push(address);
    // Behind a refused MAIL every RCPT is out of order: that says nothing of the recipient.
    else if (!this.failed) this.#refused.push({ address, reply });
  }

  /** All recipients are answered: somebody has to get it. */
  checkRecipients(): void {
    const [first] = this.#refused;
    if (this.recipients === 0 && first !== undefined) this.fail(refused(first.reply, "RCPT"));
  }

  /** The reply to the content; to a chunk of it, any yes will do. */
  onContent(reply: Reply): void {
    if (!isPositive(reply)) this.fail(refused(reply, "the message"));
  }

  /** LMTP, a reply to the content: the first of those that are left has the message, or has not. */
  onVerdict(reply: Reply): void {
    const [address = "", ...rest] = this.#accepted;
    if (isPositive(reply)) this.#accepted = [...rest, address];
    else {
      this.#accepted = rest;
      this.#refused.push({ address, reply });
    }
    if (this.recipients === 0) this.fail(refused(reply, "the message"));
  }

  /** It is over, by a last `reply` or without one. */
  settle(reply: Reply | undefined, outcome: SendAttempt["outcome"]): void {
    const accepted = this.#accepted;
    const refusals = this.#refused;
    const error = this.#problem;
    if (!this.failed && reply !== undefined) this.#resolve({ accepted, refused: refusals, reply });
    else
      // One error may end several messages: each hears of its own attempt.
      this.#reject(
        error instanceof SmtpError
          ? error.with({ attempt: { outcome, accepted, refused: refusals } })
          : error,
      );
  }
}
