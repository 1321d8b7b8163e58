// The SMTP engine: bytes in, events out, replies in, bytes out, for either end of a connection. It picks its side by the
// role, server-side.ts or client-side.ts, and knows no socket, no timer and no clock.
import type { Notice, Output, Session } from "@tcpkit/core";
import { ClientSide } from "./client-side.ts";
import type { ClientCommand, SmtpClientEvent } from "./client-side.ts";
import type { Reply } from "./codes.ts";
import { withDefaults } from "./limits.ts";
import { ServerSide } from "./server-side.ts";
import type { ServerSideOptions, SmtpEvent } from "./server-events.ts";

/** Which end of a connection a session is. */
export type SmtpRole = "server" | "client";

/** What each role hears. */
export interface SmtpEvents {
  readonly server: SmtpEvent;
  readonly client: SmtpClientEvent;
}

/** What each role says: a server replies; a client's commands given at once leave together (RFC 2920). */
export interface SmtpSends {
  readonly server: Reply;
  readonly client: ClientCommand | readonly ClientCommand[];
}

export interface SmtpSessionOptions<Role extends SmtpRole = SmtpRole> extends ServerSideOptions {
  /** Which end this is. The other options are a server's. Default: `"server"`. */
  readonly role?: Role | undefined;
}

type Sides = {
  readonly [Role in SmtpRole]: (options: ServerSideOptions) => Session<SmtpEvents[Role], SmtpSends[Role]>;
};

const sides: Sides = {
  server: (options) => new ServerSide(options, withDefaults(options.limits)),
  client: () => new ClientSide(),
};

/** One end of a conversation, for sockets, tests, replay or an inspector alike. */
export class SmtpSession<Role extends SmtpRole = "server"> implements Session<
  SmtpEvents[Role],
  SmtpSends[Role]
> {
  readonly #side: Session<SmtpEvents[Role], SmtpSends[Role]>;

  constructor(options: SmtpSessionOptions<Role> = {}) {
    // Without a `role`, `Role` is its default.
    const role = options.role ?? ("server" as Role);
    this.#side = sides[role](options);
  }

  get state(): string {
    return this.#side.state;
  }

  get partial(): boolean {
    return this.#side.partial;
  }

  get finished(): boolean {
    return this.#side.finished;
  }

  get failure(): Error | undefined {
    return this.#side.failure;
  }

  receive(bytes: Uint8Array): void {
    this.#side.receive(bytes);
  }

  end(): void {
    this.#side.end();
  }

  notify(notice: Notice): void {
    this.#side.notify?.(notice);
  }

  /**
   * TLS begins, after STARTTLS: every byte received and not pulled is destroyed, and what was said before counts no more.
   * `Peer.startTls` of core calls it.
   */
  forget(): void {
    this.#side.forget?.();
  }

  next(): SmtpEvents[Role] | undefined {
    return this.#side.next();
  }

  /**
   * The bytes of a reply, or of a client's commands and content.
   * @throws SmtpError before a byte is made. A server's: `bad-reply` when the reply does not fit the event at hand, or could
   * not be sent as it is; only 421 may come unasked (RFC 5321 section 3.8). A client's: `bad-argument` when anything that is
   * not printable ASCII stands in a command, when content has a CR or LF that is not part of CRLF, or is not due.
   */
  send(reply: SmtpSends[Role]): Output {
    return this.#side.send(reply);
  }
}
