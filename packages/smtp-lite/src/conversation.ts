// A client's connection as its owner sees it: commands out, replies in, in order. It knows neither what is said nor what it
// means.
import { assertNever, drive } from "@tcpkit/core";
import type { Connection, Deadlines, Peer, TlsClientOptions } from "@tcpkit/core";
import type { ClientCommand, SmtpClientEvent } from "./client-side.ts";
import type { Reply } from "./codes.ts";
import { describeCommands, describeServer } from "./describe-client.ts";
import { SmtpError } from "./errors.ts";
import { SmtpSession } from "./session.ts";

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
  readonly #replies: Reply[] = [];
  #failure: SmtpError | undefined;
  #wake: (() => void) | undefined;
  #listener: ReplyListener | undefined;

  constructor(connection: Connection, deadlines: Deadlines = {}) {
    this.connection = connection;
    connection.on("close", (reason) => {
      const code = reason.kind === "timeout" ? "timeout" : "connection-closed";
      this.fail(new SmtpError(code, `the connection closed (${reason.kind}) before the server had answered`));
    });
    const protocol = {
      name: "smtp",
      session: () => this.#session,
      describeEvent: describeServer,
      describeReply: describeCommands,
    };
    this.#peer = drive(connection, protocol, (event) => this.#on(event), { deadlines });
  }

  /** Why there will be no more replies, once there will be none. */
  get failure(): SmtpError | undefined {
    return this.#failure;
  }

  /** Sends; several commands leave together. `false`: the server is slow. */
  send(commands: ClientCommand | readonly ClientCommand[]): boolean {
    return this.#peer.send(commands);
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
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next reply, which has to have this code. */
  async expect(code: number, to: string): Promise<Reply> {
    const reply = await this.reply();
    if (reply.code !== code) throw refused(reply, to);
    return reply;
  }

  /** From here on replies, and the end of them, go to `listener`. */
  tell(listener: ReplyListener): void {
    this.#listener = listener;
    for (const reply of this.#replies.splice(0)) listener.onReply(reply);
    if (this.#failure !== undefined) listener.onFailure(this.#failure);
  }

  /** Resolves with the next reply, or when there are none any more: nobody else hears it. */
  lastReply(): Promise<void> {
    return new Promise((resolve) => {
      this.tell({ onReply: () => resolve(), onFailure: () => resolve() });
    });
  }

  /**
   * TLS begins: the server has just said 220 to STARTTLS.
   * @throws SmtpError `bad-server-reply` when more came behind that 220: plain text, which anybody on the way could have put
   * there so that it counts as encrypted (CVE-2021-38371).
   * @throws TcpError as core's `Connection.startTls`.
   */
  async startTls(options: TlsClientOptions): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#replies.length > 0 || this.#session.partial) {
      throw new SmtpError("bad-server-reply", "plain text behind the reply to STARTTLS", { fatal: true });
    }
    await this.#peer.startTls("client", options);
  }

  /** There will be no more replies. */
  fail(error: SmtpError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#wake?.();
    this.#listener?.onFailure(error);
  }

  #on(event: SmtpClientEvent): void {
    switch (event.type) {
      case "reply":
        if (this.#listener !== undefined) {
          this.#listener.onReply(event.reply);
          return;
        }
        this.#replies.push(event.reply);
        this.#wake?.();
        return;
      case "error":
        this.fail(event.error);
        return;
      default:
        assertNever(event);
    }
  }
}

/** The error of a reply that says no. */
export function refused(reply: Reply, to: string): SmtpError {
  return new SmtpError("refused", `the server refused ${to}: ${replyText(reply)}`, { reply });
}

/** A reply in one line, for messages. */
export function replyText({ code, enhanced, lines }: Reply): string {
  return [code, ...(enhanced === undefined ? [] : [enhanced]), ...lines].join(" ");
}
