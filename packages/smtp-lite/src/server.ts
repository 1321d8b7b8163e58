// An SMTP server: hooks and options in, a listener out. It binds a session to each connection and decides what is
// accepted; it parses nothing.
import { randomBytes } from "node:crypto";
import { assertNever, createListener, drive } from "@tcpkit/core";
import type {
  ByteStream,
  Connection,
  Deadlines,
  DropReason,
  Handled,
  Listener,
  ListenOptions,
  Protocol,
} from "@tcpkit/core";
import { isDomain } from "./address.ts";
import type { Path } from "./address.ts";
import type { Reply } from "./codes.ts";
import { describeEvent, describeReply } from "./describe.ts";
import type { Client, Envelope, Mail } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { IncomingMessage, refusal } from "./incoming.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { SmtpLimits } from "./limits.ts";
import { receivedLine } from "./received.ts";
import { replies } from "./reply.ts";
import { SmtpSession } from "./session.ts";
import type { SmtpEvent } from "./session.ts";
import { systemName } from "./system-name.ts";

/**
 * What a server asks its owner. Each hook may be async. Returning, whatever it is, accepts; throwing an `SmtpReply`
 * refuses with exactly that reply; throwing anything else refuses with 451 4.3.0 (the client tries again later) and
 * goes to the option `onError`.
 */
export interface SmtpHooks {
  /** A client has connected. Refuse with 554, or 421 to close at once. */
  readonly onConnect?: (client: Client) => unknown;
  /** MAIL: a sender. */
  readonly onMail?: (mail: Mail) => unknown;
  /** RCPT: one recipient of `mail`. */
  readonly onRcpt?: (to: Path, mail: Mail) => unknown;
  /**
   * DATA: keep the message. The client is told 250 when this resolves, so resolve when the message is safe. `body`
   * gives the content, dots taken off, and holds the client back while it is not read; what is left unread is
   * dropped. It throws an `SmtpError` where the message will never be whole (`connection-closed`, `timeout`,
   * `incomplete`) or must be refused (`message-too-big`, `bare-line-ending-in-data`, `mail-loop`): drop it then.
   */
  readonly onMessage: (envelope: Envelope, body: ByteStream) => unknown;
}

export interface SmtpServerOptions extends ListenOptions {
  /** What the server calls itself. Default: the system's host name. */
  readonly hostname?: string | undefined;
  readonly limits?: Partial<SmtpLimits> | undefined;
  /**
   * In milliseconds. Default: `idle` 5 minutes (RFC 5321 section 4.5.3.2.7), `message` (a command from its first
   * byte, or the next piece of content) 3 minutes, `write` 1 minute.
   */
  readonly deadlines?: Deadlines | undefined;
  /** A hook failed, by something else than an `SmtpReply`. Default: a process warning. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Serves SMTP: `await using smtp = await serveSmtp({ onMessage }, { port: 2525 })`. It listens on 127.0.0.1 unless
 * told otherwise, and relays nothing.
 * @throws SmtpError `bad-argument` when `hostname` is no domain.
 * @throws TcpError as core's `listen`: `address-in-use`, `permission-denied`, …
 */
export async function serveSmtp(hooks: SmtpHooks, options: SmtpServerOptions = {}): Promise<Listener> {
  const limits: SmtpLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const hostname = options.hostname ?? systemName();
  // It goes into every greeting and every Received line.
  if (!isDomain(hostname)) throw new SmtpError("bad-argument", "`hostname` is no domain", { blame: "local" });
  const protocol: Protocol<SmtpEvent, Reply> = {
    name: "smtp",
    session: () => new SmtpSession(limits),
    describeEvent,
    describeReply,
  };
  const settings: Settings = { hooks, limits, hostname, report: options.onError ?? warn };
  const deadlines: Deadlines = { message: 180_000, ...options.deadlines };
  // RFC 5321 section 3.1: a greeting of 554 turns a client away for good, 421 for now. Greetings have no enhanced code.
  const refusal = (reason: DropReason): string =>
    reason === "denied"
      ? `554 ${hostname} No SMTP service here\r\n`
      : `421 ${hostname} Too busy, try again later\r\n`;
  const listener = createListener({ service: protocol.name, refusal, ...options });
  listener.on("connection", (connection) => {
    drive(connection, protocol, new SmtpServerConnection(connection, settings).handle, {
      deadlines,
    });
  });
  return listener.listen();
}

/** What all connections of a server share. */
interface Settings {
  readonly hooks: SmtpHooks;
  readonly limits: SmtpLimits;
  readonly hostname: string;
  /** Tells the owner of an error that the client must not see. */
  readonly report: (error: unknown) => void;
}

/** The conversation with one client. */
class SmtpServerConnection {
  readonly #settings: Settings;
  readonly #client: Client;
  #helo = "";
  #extended = false;
  #mail: Mail | undefined;
  #to: Path[] = [];
  #message: IncomingMessage | undefined;

  constructor(connection: Connection, settings: Settings) {
    this.#settings = settings;
    const { remote } = connection;
    this.#client =
      remote?.kind === "tcp"
        ? { remoteAddress: remote.host, remotePort: remote.port }
        : { remoteAddress: "", remotePort: 0 };
    connection.on("close", () =>
      this.#dropMessage("connection-closed", "the connection closed inside a message"),
    );
  }

  readonly handle = (event: SmtpEvent): Handled<Reply> => {
    switch (event.type) {
      case "greeting":
        return this.#greet();
      case "ehlo":
      case "helo":
        return this.#hello(event.name, event.type === "ehlo");
      case "mail":
        return this.#onMail(event);
      case "rcpt":
        return this.#onRcpt(event.to);
      case "message":
        return replies.startMail;
      case "data":
        return this.#incoming().push(event.bytes);
      case "message-end":
        return this.#onMessageEnd(event.problem);
      case "rset":
        this.#forget();
        return replies.ok;
      case "noop":
        return replies.ok;
      case "vrfy":
        return replies.cannotVerify;
      case "expn":
        return replies.noExpand;
      case "help":
        return replies.help;
      case "quit":
        return replies.bye;
      case "timeout":
        this.#dropMessage("timeout", "the client took too long inside a message");
        return replies.timedOut;
      case "shutdown":
        return replies.shuttingDown;
      case "error":
        if (event.error.fatal) this.#message?.fail(event.error);
        return event.error.reply;
      default:
        return assertNever(event);
    }
  };

  #greet(): Handled<Reply> {
    const { onConnect } = this.#settings.hooks;
    // RFC 2034 section 4: no enhanced code in the greeting, nor in the reply to EHLO.
    const welcome: Reply = { code: 220, lines: [`${this.#settings.hostname} ESMTP ready`] };
    if (onConnect === undefined) return welcome;
    return this.#ask(
      () => onConnect(this.#client),
      () => welcome,
    );
  }

  #hello(name: string, extended: boolean): Reply {
    // RFC 5321 section 4.1.4: EHLO resets.
    this.#forget();
    this.#helo = name;
    this.#extended = extended;
    const hello = `${this.#settings.hostname} greets ${name}`;
    if (!extended) return { code: 250, lines: [hello] };
    const size = `SIZE ${this.#settings.limits.messageSize}`;
    return { code: 250, lines: [hello, "PIPELINING", size, "8BITMIME", "ENHANCEDSTATUSCODES"] };
  }

  #onMail({ from, size, body }: Pick<Mail, "from" | "size" | "body">): Handled<Reply> {
    // RFC 1870 section 6.1: better to hear it now than after the content.
    if (size !== undefined && size > this.#settings.limits.messageSize) return replies.tooBig;
    const mail: Mail = {
      id: newId(),
      remoteAddress: this.#client.remoteAddress,
      remotePort: this.#client.remotePort,
      helo: this.#helo,
      extended: this.#extended,
      from,
      size,
      body,
    };
    const accept = (): Reply => {
      this.#mail = mail;
      return replies.senderOk;
    };
    const { onMail } = this.#settings.hooks;
    return onMail === undefined ? accept() : this.#ask(() => onMail(mail), accept);
  }

  #onRcpt(to: Path): Handled<Reply> {
    if (this.#to.length >= this.#settings.limits.recipients) return replies.tooManyRecipients;
    const accept = (): Reply => {
      this.#to.push(to);
      return replies.recipientOk;
    };
    const { onRcpt } = this.#settings.hooks;
    const mail = this.#mail;
    return onRcpt === undefined || mail === undefined ? accept() : this.#ask(() => onRcpt(to, mail), accept);
  }

  /** The message under way. It begins with its content, not with DATA: a client that goes before sent nothing. */
  #incoming(): IncomingMessage {
    this.#message ??= new IncomingMessage(
      this.#envelope(),
      this.#settings.hooks.onMessage,
      this.#settings.limits,
      this.#settings.report,
    );
    return this.#message;
  }

  #envelope(): Envelope {
    const mail = this.#mail;
    const [first, ...rest] = this.#to;
    if (mail === undefined || first === undefined)
      throw new Error("content without MAIL and RCPT: a bug in the session");
    const envelope = { ...mail, to: [first, ...rest] as const };
    return { ...envelope, received: receivedLine(envelope, this.#settings.hostname, new Date()) };
  }

  async #onMessageEnd(problem: SmtpError | undefined): Promise<Reply> {
    const reply = await this.#incoming().end(problem);
    this.#forget();
    return reply;
  }

  #dropMessage(code: "connection-closed" | "timeout", what: string): void {
    this.#message?.fail(new SmtpError(code, what, { fatal: true }));
  }

  #forget(): void {
    this.#mail = undefined;
    this.#to = [];
    this.#message = undefined;
  }

  /** Runs a hook. One that is not async costs no promise. */
  #ask(hook: () => unknown, accept: () => Reply): Handled<Reply> {
    try {
      const answer = hook();
      if (!isThenable(answer)) return accept();
      return Promise.resolve(answer).then(accept, (error: unknown) => refusal(error, this.#settings.report));
    } catch (error) {
      return refusal(error, this.#settings.report);
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

const processId = randomBytes(5).toString("hex");
let ids = 0;

function newId(): string {
  ids += 1;
  return `${Date.now().toString(36)}-${processId}-${ids.toString(36)}`;
}
