// A client's connection as code that waits sees it: send, then await the reply. It knows the order of replies; it
// knows neither what is said nor what it means.
import { assertNever, drive } from "@tcpkit/core";
import type { Connection, Deadlines, Peer } from "@tcpkit/core";
import { SmtpClientSession } from "./client-session.ts";
import type { ClientCommand, SmtpClientEvent } from "./client-session.ts";
import type { Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";

export class Conversation {
  readonly #peer: Peer<ClientCommand | readonly ClientCommand[]>;
  readonly #replies: Reply[] = [];
  #failure: SmtpError | undefined;
  #wake: (() => void) | undefined;

  constructor(connection: Connection, deadlines: Deadlines = {}) {
    connection.on("close", (reason) => {
      const code = reason.kind === "timeout" ? "timeout" : "connection-closed";
      this.#fail(
        new SmtpError(code, `the connection closed (${reason.kind}) before the server had answered`),
      );
    });
    const protocol = { name: "smtp", session: () => new SmtpClientSession() };
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

  /** The next reply. */
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

  /** Sends content and its end, no faster than the server takes it. */
  async content(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of data instanceof Uint8Array ? [data] : data) {
      this.#goOn();
      if (this.send({ type: "data", bytes })) continue;
      await this.#peer.drained().catch(() => this.#goOn());
    }
    this.#goOn();
    this.send({ type: "message-end" });
  }

  /** A server that speaks before the end, or goes, wants no more. */
  #goOn(): void {
    const early = this.#replies.shift();
    if (early !== undefined) throw refused(early, "the content");
    if (this.#failure !== undefined) throw this.#failure;
  }

  #on(event: SmtpClientEvent): void {
    switch (event.type) {
      case "reply":
        this.#replies.push(event.reply);
        this.#wake?.();
        return;
      case "error":
        this.#fail(event.error);
        return;
      default:
        assertNever(event);
    }
  }

  #fail(error: SmtpError): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}

/** The error of a reply that says no. */
export function refused(reply: Reply, to: string): SmtpError {
  const text = `${reply.code} ${reply.enhanced ?? ""} ${reply.lines.join(" ")}`;
  return new SmtpError("refused", `the server refused ${to}: ${text}`, { reply });
}
