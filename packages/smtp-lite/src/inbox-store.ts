// The messages of a test inbox, and those who wait for one. It knows which message is whose; it knows no server.
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { InboxMessage } from "./inbox-message.ts";
import { checkWanted, describeWanted, fits } from "./inbox-wanted.ts";
import type { NextMessage } from "./inbox-wanted.ts";

interface Waiter {
  readonly wanted: NextMessage;
  readonly resolve: (message: InboxMessage) => void;
  readonly reject: (error: SmtpError) => void;
}

/** Messages that an error lists. */
const LISTED = 20;

export class InboxStore {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #waiters = new Set<Waiter>();
  readonly #given = new WeakSet<InboxMessage>();
  #kept: InboxMessage[] = [];
  /** A copy of `#kept` for whoever looks: his does not change when a message comes. */
  #shown: readonly InboxMessage[] | undefined;
  #bytes = 0;
  #closed = false;
  /** That of the newest message. */
  cursor = 0;
  /** Messages that made room for newer ones. */
  dropped = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get messages(): readonly InboxMessage[] {
    this.#shown ??= [...this.#kept];
    return this.#shown;
  }

  add(envelope: Envelope, raw: Buffer): void {
    this.cursor += 1;
    const message = new InboxMessage(this.cursor, envelope, raw);
    const kept = this.#kept;
    kept.push(message);
    this.#bytes += raw.length;
    while (kept.length > 1 && (kept.length > this.#maxMessages || this.#bytes > this.#maxBytes)) {
      this.#bytes -= kept.shift()?.raw.length ?? 0;
      this.dropped += 1;
    }
    this.#shown = undefined;
    for (const waiter of this.#waiters) {
      if (!fits(message, waiter.wanted)) continue;
      this.#given.add(message);
      // At once: whoever is served takes no second one.
      this.#waiters.delete(waiter);
      waiter.resolve(message);
      return;
    }
  }

  /** @throws SmtpError `timeout`, `aborted`, `bad-argument`. */
  async next(wanted: NextMessage): Promise<InboxMessage> {
    checkWanted(wanted);
    const there = this.#kept.find((message) => !this.#given.has(message) && fits(message, wanted));
    if (there !== undefined) {
      this.#given.add(there);
      return there;
    }
    if (this.#closed) throw this.#error("aborted", wanted, "the inbox is closed");
    const { signal, timeout = 4000 } = wanted;
    if (signal?.aborted === true) throw this.#error("aborted", wanted, "the wait was aborted", signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<InboxMessage>();
    const end = (error: SmtpError): void => {
      this.#waiters.delete(waiter);
      reject(error);
    };
    const waiter: Waiter = { wanted, resolve, reject: end };
    // Further than this Node's timers do not reach; `Infinity` would fire at once.
    const timer = setTimeout(
      () => end(this.#error("timeout", wanted, `none came within ${timeout} ms`)),
      Math.min(timeout, 2 ** 31 - 1),
    );
    const onAbort = (): void => end(this.#error("aborted", wanted, "the wait was aborted", signal?.reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiters.add(waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  clear(): void {
    this.#kept = [];
    this.#shown = undefined;
    this.#bytes = 0;
  }

  /** Nothing comes any more: whoever waits need not. */
  close(): void {
    this.#closed = true;
    for (const { wanted, reject } of this.#waiters) {
      reject(this.#error("aborted", wanted, "the inbox was closed"));
    }
  }

  #error(code: "timeout" | "aborted", wanted: NextMessage, why: string, cause?: unknown): SmtpError {
    return new SmtpError(code, `no message ${describeWanted(wanted)}: ${why}${this.#inventory()}`, {
      blame: "local",
      cause,
    });
  }

  /** What came, for whoever wonders why it was not what was waited for. */
  #inventory(): string {
    const { length } = this.#kept;
    if (length === 0) return ". The inbox is empty";
    const lines = this.#kept
      .slice(-LISTED)
      .map((message) => `\n  ${message.toString()}${this.#given.has(message) ? " (given already)" : ""}`);
    const more = length > LISTED ? `, the last ${LISTED} of them` : "";
    return `. The inbox has ${length}${more}:${lines.join("")}`;
  }
}
