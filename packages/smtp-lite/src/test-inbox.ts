// A server for tests that keeps what it gets in memory, and tells those who wait for it. The receiving is serveSmtp's, the
// keeping and waiting that of inbox-store.ts, the decoding that of inbox-message.ts.
import { buffer } from "node:stream/consumers";
import type { Listener } from "@tcpkit/core";
import { badArgument } from "./errors.ts";
import type { SmtpHooks } from "./hooks.ts";
import type { InboxMessage } from "./inbox-message.ts";
import { InboxStore } from "./inbox-store.ts";
import type { NextMessage } from "./inbox-wanted.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { serveSmtp } from "./server.ts";
import type { SmtpServerOptions } from "./server-options.ts";

/** The hooks of a server but for one. */
interface InboxHooks extends Omit<SmtpHooks, "onMessage"> {
  /** It is the inbox's own. */
  readonly onMessage?: undefined;
}

export interface TestInboxOptions extends SmtpServerOptions {
  /** What the server asks besides: refuse a recipient, check a password. `onMessage` is the inbox's own. */
  readonly hooks?: InboxHooks | undefined;
  /** Messages kept: a whole number from 1 on, or `Infinity`. When one more comes the oldest is dropped. Default: 1000. */
  readonly maxMessages?: number | undefined;
  /** Bytes kept, in all messages; the oldest are dropped. No message may be bigger (552). Default: 64 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * Starts an SMTP server on a free port of 127.0.0.1 that keeps what it gets:
 * `await using inbox = await createTestInbox()`, then `await inbox.next({ to: "ann@example.com" })`.
 * @throws SmtpError `bad-argument` and TcpError as `serveSmtp`.
 */
export async function createTestInbox(options: TestInboxOptions = {}): Promise<TestInbox> {
  const { hooks, maxMessages = 1000, maxBytes = 64 * 1024 * 1024, ...server } = options;
  checkBounds({ maxMessages, maxBytes });
  const { messageSize = DEFAULT_LIMITS.messageSize } = server.limits ?? {};
  const limits = { ...server.limits, messageSize: Math.min(messageSize, maxBytes) };
  const store = new InboxStore(maxMessages, maxBytes);
  const onMessage: SmtpHooks["onMessage"] = async (envelope, body) => {
    const raw = await buffer(body);
    store.add(envelope, raw);
  };
  return new TestInbox(await serveSmtp({ ...methodsOf(hooks), onMessage }, { ...server, limits }), store);
}

function checkBounds(bounds: Readonly<Record<string, number>>): void {
  for (const [name, bound] of Object.entries(bounds)) {
    if (bound === Infinity || (Number.isSafeInteger(bound) && bound >= 1)) continue;
    throw badArgument(`\`${name}\` is a whole number from 1 on, or Infinity, not ${String(bound)}`);
  }
}

/** Hooks that may be methods of a class, as plain functions: a copy of their object would have no methods. */
function methodsOf(hooks: InboxHooks = {}): InboxHooks {
  if (hooks.onMessage !== undefined) throw badArgument("`onMessage` is the inbox's own");
  const names = ["onConnect", "onAuth", "onMail", "onRcpt"] as const;
  return Object.fromEntries(
    names.map((name) => {
      const hook = hooks[name];
      // What is no function, serveSmtp refuses.
      return [name, typeof hook === "function" ? hook.bind(hooks) : hook];
    }),
  );
}

/** A running test inbox. Made by `createTestInbox`. */
export class TestInbox implements AsyncDisposable {
  /** The server: its address, its connections. */
  readonly listener: Listener;
  readonly #store: InboxStore;

  /** @internal */
  constructor(listener: Listener, store: InboxStore) {
    this.listener = listener;
    this.#store = store;
    // Whoever ended it: a signal may, or somebody who closed the listener.
    listener.once("close", () => void this.close());
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
   * @throws SmtpError `timeout`, or `aborted` when `signal` aborts or the server ends: its message tells what came instead;
   * `bad-argument` for an `after` or `timeout` that is no such number.
   */
  async next(wanted: NextMessage = {}): Promise<InboxMessage> {
    // An error that a timer makes does not know which line of the test has waited.
    const here = { stack: "" };
    // oxlint-disable-next-line unbound-method -- it is only looked for among the frames
    Error.captureStackTrace(here, this.next);
    try {
      return await this.#store.next(wanted);
    } catch (error) {
      if (error instanceof Error) error.stack = here.stack.replace(/^.*/, () => String(error));
      throw error;
    }
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
