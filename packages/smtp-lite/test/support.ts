// What several tests share: a session whose client waits its turn, a handler that accepts everything, a raw client.
import { connect as netConnect } from "node:net";
import type { Socket } from "node:net";
import type { Output, Session } from "@tcpkit/core";
import { replies } from "../src/replies.ts";
import type { Reply, SmtpEvent } from "../src/index.ts";
import { SmtpSession } from "../src/index.ts";
import type { SmtpLimits } from "../src/index.ts";

/**
 * A session fed by a client that waits where it must (RFC 2920 section 3.1): however the bytes are cut, those of the
 * next flight are held back until the one before has been answered.
 */
export class PoliteSession implements Session<SmtpEvent, Reply> {
  readonly #session: SmtpSession;
  readonly #flights: number[];
  #held: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(flights: readonly string[], limits: Partial<SmtpLimits> = {}) {
    this.#session = new SmtpSession({ limits });
    this.#flights = [0, ...flights.map((flight) => flight.length)];
  }

  get state(): string {
    return this.#session.state;
  }
  get partial(): boolean {
    return this.#session.partial;
  }
  get finished(): boolean {
    return this.#session.finished;
  }
  get failure(): Error | undefined {
    return this.#session.failure;
  }

  receive(bytes: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, bytes]);
  }

  next(): SmtpEvent | undefined {
    for (;;) {
      const event = this.#session.next();
      if (event !== undefined || this.#session.finished) return event;
      if (this.#flights[0] === 0) this.#flights.shift();
      const allowed = Math.min(this.#held.length, this.#flights[0] ?? 0);
      if (allowed === 0) {
        if (!this.#ended || this.#held.length > 0) return undefined;
        this.#ended = false;
        this.#session.end();
        continue;
      }
      this.#session.receive(this.#held.subarray(0, allowed));
      this.#held = this.#held.subarray(allowed);
      this.#flights[0] = (this.#flights[0] ?? 0) - allowed;
    }
  }

  send(reply: Reply): Output {
    const output = this.#session.send(reply);
    // As the driver does when TLS begins.
    if (this.#session.state === "securing") this.#session.forget();
    return output;
  }

  end(): void {
    this.#ended = true;
  }
}

/** Answers as a server without hooks does. */
export function acceptAll(event: SmtpEvent): Reply | undefined {
  switch (event.type) {
    case "greeting":
      return { code: 220, lines: ["mail.example ESMTP"] };
    case "ehlo":
    case "helo":
      return { code: 250, lines: ["mail.example"] };
    case "mail":
      return replies.senderOk;
    case "rcpt":
      return replies.recipientOk;
    case "message":
      return replies.startMail;
    case "starttls":
      return replies.startTls;
    case "auth":
      return event.initial === undefined ? { code: 334, lines: [""] } : verdict(event.initial);
    case "auth-response":
      return verdict(event.response);
    case "data":
    case "bdat":
      return undefined;
    case "chunk-end":
      return event.problem?.reply ?? replies.ok;
    case "message-end":
      return event.problem?.reply ?? replies.ok;
    case "vrfy":
      return replies.cannotVerify;
    case "expn":
      return replies.noExpand;
    case "help":
      return { code: 214, enhanced: "2.0.0", lines: ["See RFC 5321"] };
    case "quit":
      return replies.bye;
    case "timeout":
      return replies.timedOut;
    case "shutdown":
      return replies.shuttingDown;
    case "error":
      return event.error.reply;
    default:
      return replies.ok;
  }
}

/** The password is "b". */
function verdict(response: Buffer | undefined): Reply {
  return response?.toString() === "\0a\0b" ? replies.authenticated : replies.authRefused;
}

/** An event in one line, as the vectors write it. */
export function summary(event: SmtpEvent): string {
  switch (event.type) {
    case "ehlo":
    case "helo":
      return `${event.type} ${event.name}`;
    case "mail": {
      const size = event.size === undefined ? "" : ` size=${event.size}`;
      const body = event.body === "7BIT" ? "" : ` body=${event.body}`;
      const { submitter, ret, envelopeId } = event;
      const words = Object.entries({ submitter, ret, envelopeId }).flatMap(([name, value]) =>
        value === undefined ? [] : [` ${name}=${value}`],
      );
      if (event.utf8) words.push(" utf8");
      if (event.requireTls) words.push(" requireTls");
      return `mail <${event.from?.address ?? ""}>${size}${body}${words.join("")}`;
    }
    case "auth":
      return `auth ${event.mechanism}${event.initial === undefined ? "" : ` ${event.initial.length} bytes`}`;
    case "auth-response":
      return `auth-response ${event.response?.length} bytes`;
    case "rcpt": {
      const { address, notify, originalRecipient } = event.to;
      const reports = notify === undefined ? "" : ` notify=[${notify.join()}]`;
      const original =
        originalRecipient === undefined
          ? ""
          : ` orcpt=${originalRecipient.type}:${originalRecipient.address}`;
      return `rcpt <${address}>${reports}${original}`;
    }
    case "data":
      return event.bytes.length > 0 ? `data ${event.bytes.toString("latin1")}` : "dropped";
    case "bdat":
      return `bdat ${event.size}${event.last ? " last" : ""}`;
    case "chunk-end":
      return event.problem === undefined ? `chunk-end ${event.size}` : `chunk-end ${event.problem.code}`;
    case "message-end":
      return event.problem === undefined ? `message-end ${event.size}` : `message-end ${event.problem.code}`;
    case "error":
      return `error ${event.error.code}`;
    default:
      return event.type;
  }
}

/** A client made of bytes: what it sends is exactly what the test says. */
export class RawClient {
  readonly socket: Socket;
  #text = "";
  #ended = false;
  #wake: (() => void) | undefined;

  /** Connects to a port, or goes on with a socket. */
  constructor(target: number | Socket) {
    this.socket = typeof target === "number" ? netConnect({ port: target, host: "127.0.0.1" }) : target;
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake?.();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    this.socket.on("end", ended);
    this.socket.on("close", ended);
    this.socket.on("error", () => undefined);
  }

  write(text: string | Uint8Array): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** The next reply, whole. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:[0-9]{3}-.*\r\n)*[0-9]{3} .*\r\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0];
      }
      if (this.#ended) throw new Error(`the server closed; left: ${JSON.stringify(this.#text)}`);
      await this.#news();
    }
  }

  /** The next `count` replies, each cut to its reply code. */
  async codes(count: number): Promise<string[]> {
    const codes: string[] = [];
    while (codes.length < count) codes.push((await this.reply()).slice(0, 3));
    return codes;
  }

  /** What comes until the server closes. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#news();
    return this.#text;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Up to where content is due. */
export const OPEN = "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";
