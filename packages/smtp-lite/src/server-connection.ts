// One client of an SMTP server: events in, replies out. It asks the hooks what is accepted; it parses nothing.
import { assertNever, Deadline } from "@tcpkit/core";
import type { Connection, DeadlineTimer, Handled, Peer, TlsOptions } from "@tcpkit/core";
import { Authentication } from "./authentication.ts";
import { findBarrier } from "./barrier.ts";
import type { Barrier } from "./barrier.ts";
import type { Reply } from "./codes.ts";
import { DataRate } from "./data-rate.ts";
import type { Client, Envelope, Mail } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { IncomingMessage, refusal } from "./incoming.ts";
import { newId } from "./message-id.ts";
import { mayAuthenticate, offers } from "./offers.ts";
import type { Recipient } from "./parameters.ts";
import { receivedLine } from "./received.ts";
import { replies } from "./reply.ts";
import { createSaslServer } from "./sasl/index.ts";
import type { SaslIdentity } from "./sasl/index.ts";
import type { SmtpEvent } from "./server-events.ts";
import type { Settings } from "./settings.ts";

/** The conversation with one client. */
export class SmtpServerConnection {
  readonly #settings: Settings;
  #client: Client;
  #barrier: Barrier | undefined;
  #authentication: Authentication | undefined;
  #auth: SaslIdentity | undefined;
  #helo = "";
  #extended = false;
  /** Messages begun on this connection. */
  #mails = 0;
  #mail: Mail | undefined;
  #to: Recipient[] = [];
  #message: IncomingMessage | undefined;
  #rate: DataRate | undefined;
  readonly #timer: DeadlineTimer;

  constructor(connection: Connection, settings: Settings) {
    this.#settings = settings;
    this.#timer = connection.timer;
    this.#client = clientOf(connection);
    this.#barrier = findBarrier(this.#settings, this.#client.tls !== undefined, this.#auth !== undefined);
    connection.on("close", () =>
      this.#dropMessage("connection-closed", "the connection closed inside a message"),
    );
  }

  readonly handle = (event: SmtpEvent, peer: Peer<Reply>): Handled<Reply> => {
    const { starttls } = this.#settings;
    if (this.#barrier?.open.has(event.type) === false) return this.#barrier.reply;
    switch (event.type) {
      case "greeting":
        return this.#settings.greetingDelay > 0 ? this.#greetLate() : this.#greet();
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
        return this.#onMail(event);
      case "rcpt":
        return this.#onRcpt(event.to);
      case "message":
        return replies.startMail;
      case "data":
        return this.#onData(event.bytes);
      case "bdat":
        return undefined;
      case "chunk-end":
        return this.#onChunkEnd(event.size, event.problem);
      case "message-end":
        return this.#onMessageEnd(event.problem, peer);
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
    const { hostname, lmtp, hooks } = this.#settings;
    const { onConnect } = hooks;
    // RFC 2034 section 4: no enhanced code in the greeting, nor in the reply to EHLO.
    const welcome: Reply = { code: 220, lines: [`${hostname} ${lmtp ? "LMTP" : "ESMTP"} ready`] };
    if (onConnect === undefined) return welcome;
    return this.#ask(
      () => onConnect(this.#client),
      () => welcome,
    );
  }

  /** Whoever talks before the greeting gives itself away: the session tells (`early-input`). */
  async #greetLate(): Promise<Reply | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using delay = new Deadline(this.#timer, resolve);
    delay.set(this.#settings.greetingDelay);
    await promise;
    return (await this.#greet()) ?? undefined;
  }

  #hello(name: string, extended: boolean): Reply {
    // RFC 5321 section 4.1.4: EHLO resets.
    this.#forget();
    this.#helo = name;
    this.#extended = extended;
    const hello = `${this.#settings.hostname} greets ${name}`;
    if (!extended) return { code: 250, lines: [hello] };
    return { code: 250, lines: [hello, ...offers(this.#settings, this.#client.tls !== undefined)] };
  }

  /** RFC 3207. What came behind the command is destroyed (`SmtpSession.forget`), whatever TCP made of it. */
  async #startTls(peer: Peer<Reply>, options: TlsOptions): Promise<void> {
    peer.send(replies.startTls);
    await peer.startTls("server", options);
    // Section 4.2: all that the client said before TLS counts no more.
    this.#forget();
    this.#helo = "";
    this.#auth = undefined;
    this.#client = clientOf(peer.connection);
    this.#barrier = findBarrier(this.#settings, this.#client.tls !== undefined, this.#auth !== undefined);
  }

  #onAuth(name: string, initial: Buffer | undefined): Handled<Reply> {
    const { hooks, mechanisms, hostname, sasl, report } = this.#settings;
    if (hooks.onAuth === undefined) return replies.noAuth;
    if (!mayAuthenticate(this.#settings, this.#client.tls !== undefined)) return replies.needsTlsToAuth;
    const mechanism = mechanisms.find((known) => known === name);
    if (mechanism === undefined) return replies.noMechanism;
    const exchange = createSaslServer(mechanism, { hostname, ...sasl });
    this.#authentication = new Authentication(exchange, hooks.onAuth, this.#client, report);
    return this.#authenticate(initial);
  }

  async #authenticate(response: Buffer | undefined): Promise<Reply> {
    if (this.#authentication === undefined)
      throw new Error("a line of AUTH without AUTH: a bug in the session");
    const reply = await this.#authentication.step(response);
    this.#auth = this.#authentication.identity;
    this.#barrier = findBarrier(this.#settings, this.#client.tls !== undefined, this.#auth !== undefined);
    return reply;
  }

  #onMail(event: SmtpEvent & { type: "mail" }): Handled<Reply> {
    const { limits } = this.#settings;
    // RFC 1870 section 6.1: better to hear it now than after the content.
    if (event.size !== undefined && event.size > limits.messageSize) return replies.tooBig;
    if (this.#mails >= limits.messages) return replies.tooManyMessages;
    const mail: Mail = {
      id: newId(),
      remoteAddress: this.#client.remoteAddress,
      remotePort: this.#client.remotePort,
      tls: this.#client.tls,
      helo: this.#helo,
      extended: this.#extended,
      auth: this.#auth,
      from: event.from,
      size: event.size,
      body: event.body,
      // RFC 4954 section 5: the word of a client that nobody knows counts as AUTH=<>.
      submitter: this.#auth === undefined ? undefined : event.submitter,
      utf8: event.utf8,
      requireTls: event.requireTls,
      ret: event.ret,
      envelopeId: event.envelopeId,
    };
    const accept = (): Reply => {
      this.#mail = mail;
      this.#mails += 1;
      return replies.senderOk;
    };
    const { onMail } = this.#settings.hooks;
    return onMail === undefined ? accept() : this.#ask(() => onMail(mail), accept);
  }

  #onRcpt(to: Recipient): Handled<Reply> {
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
    this.#message ??= new IncomingMessage(this.#envelope(), this.#settings);
    return this.#message;
  }

  #onData(bytes: Buffer): Handled<Reply> {
    const { limits } = this.#settings;
    const timer = this.#timer;
    // Most messages are one piece, and have no rate.
    if (this.#message === undefined) return this.#incoming().push(bytes);
    const rate = (this.#rate ??= new DataRate(limits.dataRate, timer.now));
    if (!rate.received(bytes.length, timer.now)) {
      this.#dropMessage("timeout", "the client sent the message too slowly");
      return replies.tooSlow;
    }
    return this.#message.push(bytes)?.then(() => rate.wait(timer.now));
  }

  #envelope(): Envelope {
    const { hostname, lmtp } = this.#settings;
    const mail = this.#mail;
    const [first, ...rest] = this.#to;
    if (mail === undefined || first === undefined)
      throw new Error("content without MAIL and RCPT: a bug in the session");
    const to: Envelope["to"] = [first, ...rest];
    return { ...mail, to, received: receivedLine(mail, to, hostname, new Date(), lmtp) };
  }

  async #onMessageEnd(problem: SmtpError | undefined, peer: Peer<Reply>): Promise<Reply> {
    const message = this.#incoming();
    const reply = await message.end(problem);
    const to = this.#to;
    this.#message = undefined;
    this.#forget();
    if (!this.#settings.lmtp || reply.code === 421) return reply;
    // RFC 2033 section 4.2: each recipient has its own, in the order of RCPT.
    const all = to.map((recipient) => (reply.code < 400 && message.refusals?.get(recipient)) || reply);
    for (const one of all.slice(0, -1)) peer.send(one);
    return all.at(-1) ?? reply;
  }

  #onChunkEnd(size: number, problem: SmtpError | undefined): Reply {
    if (problem === undefined) return { code: 250, enhanced: "2.0.0", lines: [`${size} octets so far`] };
    this.#message?.fail(problem);
    this.#forget();
    return problem.reply ?? replies.localError;
  }

  #dropMessage(code: "connection-closed" | "timeout" | "cancelled", what: string): void {
    this.#message?.fail(new SmtpError(code, what, { fatal: true }));
  }

  #forget(): void {
    // RSET or EHLO between two chunks.
    this.#dropMessage("cancelled", "the client gave the message up");
    this.#mail = undefined;
    this.#to = [];
    this.#message = undefined;
    this.#rate = undefined;
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

function clientOf({ remote, tls }: Connection): Client {
  if (remote?.kind !== "tcp") return { remoteAddress: "", remotePort: 0, tls };
  return { remoteAddress: remote.host, remotePort: remote.port, tls };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
