// A server for tests that keeps what it gets in memory, and tells those who wait for it. It knows which message is whose; the
// receiving is serveSmtp's, the decoding that of inbox-message.ts.
import { buffer } from "node:stream/consumers";
import type { Listener } from "@tcpkit/core";
import { matchesAddress, matchesText } from "./address-pattern.ts";
import type { AddressPattern } from "./address-pattern.ts";
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import type { SmtpHooks } from "./hooks.ts";
import { InboxMessage } from "./inbox-message.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { serveSmtp } from "./server.ts";
import type { SmtpServerOptions } from "./server-options.ts";

export interface TestInboxOptions extends SmtpServerOptions {
  /** What the server asks besides: refuse a recipient, check a password. `onMessage` is the inbox's own. */
  readonly hooks?: Omit<SmtpHooks, "onMessage"> | undefined;
  /** Messages kept. When one more comes the oldest is dropped. Default: 1000. */
  readonly maxMessages?: number | undefined;
  /** Bytes kept, in all messages; the oldest are dropped. No message may be bigger (552). Default: 64 MiB. */
  readonly maxBytes?: number | undefined;
}

/** Which message to wait for: one for which all that is given holds. Texts must be equal, regular expressions fit. */
export interface NextMessage {
  /** A recipient of the envelope; those in the header do not count. */
  readonly to?: AddressPattern | undefined;
  /** The sender of the envelope; `null` for `<>`. */
  readonly from?: AddressPattern | null | undefined;
  /** The decoded subject. */
  readonly subject?: string | RegExp | undefined;
  /** Only messages behind this cursor: `inbox.cursor` for those that are yet to come. Default: 0, any. */
  readonly after?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds; `Infinity` for ever. Default: 4000, less than the 5 s of most test runners. */
  readonly timeout?: number | undefined;
}

interface Waiter {
  readonly wanted: NextMessage;
  readonly resolve: (message: InboxMessage) => void;
  readonly reject: (error: SmtpError) => void;
}

/**
 * Starts an SMTP server on a free port of 127.0.0.1 that keeps what it gets:
 * `await using inbox = await createTestInbox()`, then `await inbox.next({ to: "ann@example.com" })`.
 * @throws SmtpError `bad-argument` and TcpError as `serveSmtp`.
 */
export async function createTestInbox(options: TestInboxOptions = {}): Promise<TestInbox> {
  const { hooks, maxMessages = 1000, maxBytes = 64 * 1024 * 1024, ...server } = options;
  const { messageSize = DEFAULT_LIMITS.messageSize } = server.limits ?? {};
  const limits = { ...server.limits, messageSize: Math.min(messageSize, maxBytes) };
  const store = new Store(maxMessages, maxBytes);
  const onMessage: SmtpHooks["onMessage"] = async (envelope, body) => {
    const raw = await buffer(body);
    store.add(envelope, raw);
  };
  return new TestInbox(await serveSmtp({ ...methodsOf(hooks), onMessage }, { ...server, limits }), store);
}

/** Hooks that may be methods of a class, as plain functions: a copy of their object would have no methods. */
function methodsOf(hooks: Omit<SmtpHooks, "onMessage"> = {}): Omit<SmtpHooks, "onMessage"> {
  const names = ["onConnect", "onAuth", "onMail", "onRcpt"] as const;
  return Object.fromEntries(
    names.filter((name) => hooks[name] !== undefined).map((name) => [name, hooks[name]?.bind(hooks)]),
  );
}

/** A running test inbox. Made by `createTestInbox`. */
export class TestInbox implements AsyncDisposable {
  /** The server: its address, its connections. */
  readonly listener: Listener;
  readonly #store: Store;

  /** @internal */
  constructor(listener: Listener, store: Store) {
    this.listener = listener;
    this.#store = store;
  }

  get host(): string {
    return this.listener.host;
  }

  get port(): number {
    return this.listener.port;
  }

  /** What is kept, the oldest first, whether `next` has given it or not. */
  get messages(): readonly InboxMessage[] {
    return this.#store.messages;
  }

  /** The cursor of the newest message that ever came; 0 before the first. */
  get cursor(): number {
    return this.#store.cursor;
  }

  /** How many messages were dropped to make room for newer ones. */
  get dropped(): number {
    return this.#store.dropped;
  }

  /**
   * The oldest message that fits and that no `next` has given yet; waits for it where there is none. Who asks first is served
   * first.
   * @throws SmtpError `timeout`, or `aborted` when `signal` aborts or the inbox closes. Its message tells what came instead.
   */
  next(wanted: NextMessage = {}): Promise<InboxMessage> {
    return this.#store.next(wanted);
  }

  /** Forgets all messages. Cursors go on counting, and those who wait go on waiting. */
  clear(): void {
    this.#store.clear();
  }

  /** Stops the server. Connections that are open have no time to finish: a test is over. */
  async close(): Promise<void> {
    await this.listener.close({ deadline: 0 });
    this.#store.close();
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The messages, and those who wait for one. */
class Store {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #waiters = new Set<Waiter>();
  readonly #given = new WeakSet<InboxMessage>();
  #bytes = 0;
  #closed = false;
  messages: readonly InboxMessage[] = [];
  cursor = 0;
  dropped = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  add(envelope: Envelope, raw: Buffer): void {
    this.cursor += 1;
    const message = new InboxMessage(this.cursor, envelope, raw);
    const kept = [...this.messages, message];
    this.#bytes += raw.length;
    while (kept.length > 1 && (kept.length > this.#maxMessages || this.#bytes > this.#maxBytes)) {
      this.#bytes -= kept.shift()?.raw.length ?? 0;
      this.dropped += 1;
    }
    this.messages = kept;
    for (const waiter of this.#waiters) {
      if (!this.#fits(message, waiter.wanted)) continue;
      this.#given.add(message);
      // At once: whoever is served takes no second one.
      this.#waiters.delete(waiter);
      waiter.resolve(message);
      return;
    }
  }

  async next(wanted: NextMessage): Promise<InboxMessage> {
    const there = this.messages.find((message) => this.#fits(message, wanted));
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
    this.messages = [];
    this.#bytes = 0;
  }

  close(): void {
    this.#closed = true;
    for (const { wanted, reject } of this.#waiters) {
      reject(this.#error("aborted", wanted, "the inbox was closed"));
    }
  }

  #fits(message: InboxMessage, { to, from, subject, after = 0 }: NextMessage): boolean {
    return (
      message.cursor > after &&
      !this.#given.has(message) &&
      (to === undefined || message.envelope.to.some((path) => matchesAddress(to, path))) &&
      (from === undefined || matchesAddress(from, message.envelope.from)) &&
      (subject === undefined || matchesText(subject, message.subject))
    );
  }

  #error(code: "timeout" | "aborted", wanted: NextMessage, why: string, cause?: unknown): SmtpError {
    return new SmtpError(code, `no message ${describe(wanted)}: ${why}${this.#inventory()}`, {
      blame: "local",
      cause,
    });
  }

  /** What came, for whoever wonders why it was not what was waited for. */
  #inventory(): string {
    const { messages } = this;
    if (messages.length === 0) return ". The inbox is empty";
    const lines = messages
      .slice(-LISTED)
      .map((message) => `\n  ${message.toString()}${this.#given.has(message) ? " (given already)" : ""}`);
    const more = messages.length > LISTED ? `, the last ${LISTED} of them` : "";
    return `. The inbox has ${messages.length}${more}:${lines.join("")}`;
  }
}

/** Messages that an error lists. */
const LISTED = 20;

function describe({ to, from, subject, after }: NextMessage): string {
  const conditions = Object.entries({ to, from, subject, after }).filter(([, value]) => value !== undefined);
  if (conditions.length === 0) return "at all";
  return conditions
    .map(([name, value]) => `${name} ${value instanceof RegExp ? String(value) : JSON.stringify(value)}`)
    .join(", ");
}
