// One client of an SMTP server: events in, replies out. It knows who the client is and what each command is for; the mail
// itself is in mail-transaction.ts. It parses nothing.
import { assertNever } from "@tcpkit/core";
import type { Connection, Handled, Peer, TlsOptions } from "@tcpkit/core";
import { Authentication } from "./authentication.ts";
import type { Reply } from "./codes.ts";
import type { Client } from "./envelope.ts";
import { greet } from "./greeting.ts";
import { MailTransaction } from "./mail-transaction.ts";
import type { Introduced } from "./mail-transaction.ts";
import { mayAuthenticate } from "./offers.ts";
import { replies } from "./replies.ts";
import { createSaslServer } from "./sasl/index.ts";
import type { SmtpEvent } from "./server-events.ts";
import type { Settings } from "./settings.ts";

/** The conversation with one client. */
export class SmtpServerConnection {
  readonly #settings: Settings;
  readonly #who: Introduced;
  readonly #transaction: MailTransaction;
  #authentication: Authentication | undefined;

  constructor(connection: Connection, settings: Settings) {
    const { timer } = connection;
    this.#settings = settings;
    this.#who = { client: clientOf(connection), auth: undefined, helo: "", extended: false };
    this.#transaction = new MailTransaction(settings, this.#who, timer);
    connection.on("close", () =>
      this.#transaction.drop("connection-closed", "the connection closed inside a message"),
    );
  }

  readonly handle = (event: SmtpEvent, peer: Peer<Reply>): Handled<Reply> => {
    const { starttls } = this.#settings;
    const transaction = this.#transaction;
    switch (event.type) {
      case "greeting":
        return greet(peer.connection, this.#who, this.#settings);
      case "ehlo":
      case "helo":
      case "lhlo":
        return this.#hello(event.name, event.type !== "helo");
      case "starttls":
        return starttls === undefined ? replies.noTls : this.#startTls(peer, starttls);
      case "auth":
        return this.#onAuth(event.mechanism, event.initial);
      case "auth-response":
        return this.#authenticate(event.response);
      case "mail":
        return transaction.onMail(event);
      case "rcpt":
        return transaction.onRcpt(event.to);
      case "message":
        return replies.startMail;
      case "data":
        return transaction.onData(event.bytes, event.end - event.start);
      case "bdat":
        return undefined;
      case "chunk-end":
        return transaction.onChunkEnd(event.size, event.problem);
      case "message-end":
        return transaction.onEnd(event.problem, peer);
      case "rset":
        transaction.forget();
        return replies.ok;
      case "noop":
        return replies.ok;
      case "vrfy":
        return replies.cannotVerify;
      case "expn":
        return replies.noExpand;
      case "help":
        return this.#settings.welcome.help;
      case "quit":
        return replies.bye;
      case "timeout":
        transaction.drop("timeout", "the client took too long inside a message");
        return replies.timedOut;
      case "shutdown":
        return replies.shuttingDown;
      case "error":
        return transaction.onError(event.error);
      default:
        return assertNever(event);
    }
  };

  #hello(name: string, extended: boolean): Reply {
    // RFC 5321 section 4.1.4: EHLO resets.
    this.#transaction.forget();
    const who = this.#who;
    who.helo = name;
    who.extended = extended;
    const { welcome } = this.#settings;
    return extended ? welcome.ehlo(name, who.client.tls !== undefined) : welcome.helo(name);
  }

  /** RFC 3207. What came behind the command is destroyed (`SmtpSession.forget`), whatever TCP made of it. */
  async #startTls(peer: Peer<Reply>, options: TlsOptions): Promise<void> {
    peer.send(replies.startTls);
    await peer.startTls("server", options);
    // Section 4.2: all that the client said before TLS counts no more.
    this.#transaction.forget();
    const who = this.#who;
    who.helo = "";
    who.auth = undefined;
    who.client = { ...who.client, tls: peer.connection.tls };
  }

  #onAuth(name: string, initial: Buffer | undefined): Handled<Reply> {
    const { hooks, mechanisms, hostname, sasl, report } = this.#settings;
    const { client } = this.#who;
    if (hooks.onAuth === undefined) return replies.noAuth;
    if (!mayAuthenticate(this.#settings, client.tls !== undefined)) return replies.needsTlsToAuth;
    const mechanism = mechanisms.find((known) => known === name);
    if (mechanism === undefined) return replies.noMechanism;
    const exchange = createSaslServer(mechanism, { hostname, ...sasl });
    this.#authentication = new Authentication(exchange, hooks.onAuth.bind(hooks), client, report);
    return this.#authenticate(initial);
  }

  async #authenticate(response: Buffer | undefined): Promise<Reply> {
    if (this.#authentication === undefined)
      throw new Error("a line of AUTH without AUTH: a bug in the session");
    const reply = await this.#authentication.step(response);
    this.#who.auth = this.#authentication.identity;
    return reply;
  }
}

function clientOf({ remote, tls }: Connection): Client {
  if (remote?.kind !== "tcp") return { remoteAddress: "", remotePort: 0, remoteName: undefined, tls };
  return { remoteAddress: remote.host, remotePort: remote.port, remoteName: undefined, tls };
}
