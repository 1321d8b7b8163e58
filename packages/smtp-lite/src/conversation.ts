// A client's connection as its owner sees it: commands out, replies in, in order. It knows neither what is said nor what it
// means.
import { assertNever, drive, TcpError } from "@tcpkit/core";
import type { CloseReason, Connection, Peer, TlsClientOptions } from "@tcpkit/core";
import type { SmtpClientDeadlines } from "./client-options.ts";
import { ClientPatience } from "./client-patience.ts";
import type { Awaited } from "./client-patience.ts";
import type { ClientCommand, SmtpClientEvent } from "./client-side.ts";
import { isPositive } from "./codes.ts";
import type { Reply } from "./codes.ts";
import { describeCommands, describeServer } from "./describe-client.ts";
import { SmtpError } from "./errors.ts";
import { SmtpSession } from "./session.ts";

/** While the server takes no byte of a block of content, in milliseconds (RFC 5321 section 4.5.3.2.5). */
const WRITE_TIME = 180_000;

/** Who hears replies as they come, without a promise for each. */
export interface ReplyListener {
  onReply(reply: Reply): void;
  /** There will be no more replies. */
  onFailure(error: SmtpError): void;
}

export class Conversation {
  readonly connection: Connection;
  readonly #session = new SmtpSession({ role: "client" });
  readonly #peer: Peer<ClientCommand | readonly ClientCommand[]>;
  readonly #patience: ClientPatience;
  readonly #replies: Reply[] = [];
  #failure: SmtpError | undefined;
  #wake: (() => void) | undefined;
  #listener: ReplyListener | undefined;

  constructor(connection: Connection, deadlines: SmtpClientDeadlines = {}) {
    this.connection = connection;
    this.#patience = new ClientPatience(connection.timer, deadlines, (awaited) => this.#onLate(awaited));
    connection.on("close", (reason) => {
      const code = reason.kind === "timeout" ? "timeout" : "connection-closed";
      const message = `the connection closed (${reason.kind}) before the server had answered`;
      this.fail(new SmtpError(code, message, { cause: causeOf(reason) }));
    });
    const protocol = {
      name: "smtp",
      session: () => this.#session,
      describeEvent: describeServer,
      describeReply: describeCommands,
    };
    // What is awaited depends on what was said: the driver's deadlines know too little of it.
    const { write = WRITE_TIME } = deadlines;
    const waits = { firstByte: Infinity, idle: Infinity, message: Infinity, write };
    this.#peer = drive(connection, protocol, (event) => this.#on(event), {
      deadlines: waits,
      // A server may refuse content that it has not read, and then read no more of it.
      pullWhileSlow: true,
    });
  }

  /** Why there will be no more replies, once there will be none. */
  get failure(): SmtpError | undefined {
    return this.#failure;
  }

  /** Sends; several commands leave together. `false`: the server is slow. */
  send(commands: ClientCommand | readonly ClientCommand[]): boolean {
    const taken = this.#peer.send(commands);
    if (!taken && !this.#patience.held) {
      this.#patience.hold();
      // When the connection goes instead, nothing is awaited any more.
      this.#peer.drained().then(
        () => this.#patience.release(),
        () => undefined,
      );
    }
    return taken;
  }

  /** What the server owes us now: unless it owed that before, or has just replied, its time begins. */
  await(what: Awaited | undefined): void {
    this.#patience.await(what);
  }

  /** Resolves when the server has taken what was sent. @throws TcpError `closed` */
  drained(): Promise<void> {
    return this.#peer.drained();
  }

  /** The next reply, for whoever waits for each. */
  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#failure !== undefined) throw this.#failure;
      this.#patience.await("reply");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next reply, which has to say yes. */
  async expect(to: string): Promise<Reply> {
    const reply = await this.reply();
    if (!isPositive(reply)) throw refused(reply, to);
    return reply;
  }

  /** From here on replies, and the end of them, go to `listener`. */
  tell(listener: ReplyListener): void {
    this.#listener = listener;
    for (const reply of this.#replies.splice(0)) listener.onReply(reply);
    if (this.#failure !== undefined) listener.onFailure(this.#failure);
  }

  /** Says QUIT, and closes once the server has replied, whatever it was, or has not for 3 seconds. */
  async quit(): Promise<void> {
    const over = Promise.withResolvers<void>();
    this.tell({ onReply: () => over.resolve(), onFailure: () => over.resolve() });
    this.send({ type: "quit" });
    this.#patience.await("goodbye");
    await over.promise;
    this.#patience.await(undefined);
    this.connection.close();
  }

  /**
   * TLS begins: the server has just said 220 to STARTTLS.
   * @throws SmtpError `bad-server-reply` when more came behind that 220: plain text, which anybody on the way could have put
   * there so that it counts as encrypted (CVE-2021-38371).
   * @throws TcpError as core's `Connection.startTls`.
   */
  async startTls(options: TlsClientOptions): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (this.#replies.length > 0 || this.#session.partial) {
        throw new SmtpError("bad-server-reply", "plain text behind the reply to STARTTLS", { fatal: true });
      }
      await this.#peer.startTls("client", options);
    } catch (error) {
      // There is no way back to plain text, not even for QUIT.
      this.fail(new SmtpError("connection-closed", "TLS did not begin", { fatal: true, cause: error }));
      throw error;
    }
  }

  /** There will be no more replies. */
  fail(error: SmtpError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#patience[Symbol.dispose]();
    this.#wake?.();
    this.#listener?.onFailure(error);
  }

  #onLate(awaited: Awaited | undefined): void {
    const what = awaited === "end" ? "reply to the end of a message" : "reply";
    this.fail(new SmtpError("timeout", `the server took too long to ${what}`, { fatal: true }));
    // Nobody is late for a goodbye: it is we who end it.
    this.connection.close(awaited === "goodbye" ? { kind: "local" } : { kind: "timeout", deadline: "idle" });
  }

  #on(event: SmtpClientEvent): void {
    switch (event.type) {
      case "reply":
        this.#patience.progress();
        if (this.#listener !== undefined) {
          this.#listener.onReply(event.reply);
          return;
        }
        this.#patience.await(undefined);
        this.#replies.push(event.reply);
        this.#wake?.();
        return;
      case "error":
        this.fail(event.error.code === "incomplete" ? cutShort(event.error) : event.error);
        return;
      default:
        assertNever(event);
    }
  }
}

/** The server went in the middle of a reply: as good as none. */
function cutShort(cause: SmtpError): SmtpError {
  return new SmtpError("connection-closed", "the connection closed inside a reply", { fatal: true, cause });
}

/** What is behind the end of a connection: of an AbortSignal, its reason. */
function causeOf(reason: CloseReason): unknown {
  const cause = "cause" in reason ? reason.cause : undefined;
  return cause instanceof TcpError && cause.code === "aborted" ? cause.cause : cause;
}

/** The error of a reply that says no. */
export function refused(reply: Reply, to: string): SmtpError {
  return new SmtpError("refused", `the server refused ${to}: ${replyText(reply)}`, { reply });
}

/** A reply in one line, for messages. */
export function replyText({ code, enhanced, lines }: Reply): string {
  return [code, ...(enhanced === undefined ? [] : [enhanced]), ...lines].join(" ");
}
