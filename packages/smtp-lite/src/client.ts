// Sending mail. It knows what a client says when (RFC 5321 section 3.3, RFC 2920); it parses nothing.
import { connect } from "@tcpkit/core";
import type { Connection, ConnectOptions, Deadlines } from "@tcpkit/core";
import { isDomain, parsePath } from "./address.ts";
import type { Path } from "./address.ts";
import type { ClientCommand } from "./client-session.ts";
import type { Reply } from "./codes.ts";
import { Conversation, refused } from "./conversation.ts";
import { SmtpError } from "./errors.ts";
import { systemName } from "./system-name.ts";

/** Where to send to, and as whom. */
export interface SmtpClientOptions extends ConnectOptions {
  /** What we call ourselves. Default: the system's host name. */
  readonly name?: string | undefined;
  /** In milliseconds. Default: `idle` (a reply) 5 minutes, as RFC 5321 section 4.5.3.2 asks. */
  readonly deadlines?: Deadlines | undefined;
}

/** One message. */
export interface OutgoingMail {
  /** The reverse path, `user@example.com`; `null` for `<>`. */
  readonly from: string | null;
  /** One recipient or several. */
  readonly to: string | readonly [string, ...string[]];
  /**
   * The message, header and all. In a string any line ending will do, and text is sent as UTF-8; bytes must have
   * CRLF throughout, and go out as they are but for the dots.
   */
  readonly data: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface SendMailOptions extends SmtpClientOptions, OutgoingMail {}

export interface SendMailResult {
  /** Recipients that the server took responsibility for. */
  readonly accepted: readonly string[];
  /** Recipients that it refused, each with its reply. */
  readonly refused: readonly { readonly address: string; readonly reply: Reply }[];
  /** The reply to the message. */
  readonly reply: Reply;
}

/**
 * Sends one message over a connection of its own.
 * @throws what `connectSmtp` and `SmtpClient.send` throw; bad addresses are found before a connection is made.
 */
export async function sendMail(options: SendMailOptions): Promise<SendMailResult> {
  parseEnvelope(options);
  await using client = await connectSmtp(options);
  return await client.send(options);
}

/**
 * Connects to a server and says EHLO (HELO where the server does not know it).
 * @throws SmtpError `bad-argument` for a `name` that is no domain; `refused` with the server's `reply`;
 * `connection-closed`, `timeout`, `bad-server-reply`.
 * @throws TcpError as core's `connect`.
 */
export async function connectSmtp(options: SmtpClientOptions): Promise<SmtpClient> {
  const name = options.name ?? systemName();
  if (!isDomain(name)) throw badArgument("`name` is no domain");
  const connection = await connect(options);
  try {
    const conversation = new Conversation(connection, options.deadlines);
    await conversation.expect(220, "the connection");
    return new SmtpClient(connection, conversation, await hello(conversation, name));
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** A connection that sends any number of messages, one after the other. Made by `connectSmtp`. */
export class SmtpClient implements AsyncDisposable {
  /** What the server offers: keyword to parameters, `"SIZE"` to `"26214400"`. */
  readonly extensions: ReadonlyMap<string, string>;
  readonly #connection: Connection;
  readonly #conversation: Conversation;
  /** The message before this one; sending waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  /** The server may still hold a sender or recipients of a message that came to nothing. */
  #unfinished = false;

  /** @internal */
  constructor(connection: Connection, conversation: Conversation, extensions: ReadonlyMap<string, string>) {
    this.#connection = connection;
    this.#conversation = conversation;
    this.extensions = extensions;
  }

  /**
   * Sends a message, pipelined where the server offers it. Calls may overlap: they are served in order.
   * @throws SmtpError `bad-address` and `bad-argument`; `refused` with the server's `reply` when it does not take the
   * message for any recipient, after which the next may be sent; `connection-closed`, `timeout`, `bad-server-reply`.
   */
  async send(mail: OutgoingMail): Promise<SendMailResult> {
    const envelope = parseEnvelope(mail);
    const data = typeof mail.data === "string" ? textBytes(mail.data) : mail.data;
    const sent = this.#last.then(() => this.#send(envelope, data));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  /** Says QUIT once everything is sent, and closes. */
  async close(): Promise<void> {
    await this.#last;
    if (this.#conversation.failure === undefined) {
      this.#conversation.send({ type: "quit" });
      // Everything is sent: how the server says goodbye changes nothing.
      await this.#conversation.reply().catch(() => undefined);
    }
    this.#connection.close();
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send({ from, to }: ParsedEnvelope, data: Content): Promise<SendMailResult> {
    const conversation = this.#conversation;
    const mail: ClientCommand = { type: "mail", from, ...this.#parameters(data) };
    if (this.#unfinished) {
      conversation.send({ type: "rset" });
      await conversation.expect(250, "RSET");
    }
    this.#unfinished = true;
    const group: ClientCommand[] = [mail, ...to.map((path) => ({ type: "rcpt", to: path }) as const)];
    const pipelining = this.extensions.has("PIPELINING");
    if (pipelining) conversation.send([...group, { type: "message" }]);
    const ask = (command: ClientCommand): Promise<Reply> => {
      if (!pipelining) conversation.send(command);
      return conversation.reply();
    };

    const sender = await ask(mail);
    if (sender.code !== 250 && !pipelining) throw refused(sender, "MAIL");
    const answers: { address: string; reply: Reply }[] = [];
    for (const path of to) {
      answers.push({ address: path.address, reply: await ask({ type: "rcpt", to: path }) });
    }
    const taken = answers.filter(({ reply }) => reply.code === 250 || reply.code === 251);
    const refusals = answers.filter((answer) => !taken.includes(answer));
    const [firstRefusal] = refusals;
    if (sender.code !== 250 || (taken.length === 0 && firstRefusal !== undefined)) {
      if (pipelining) await this.#endUnwanted();
      if (sender.code !== 250 || firstRefusal === undefined) throw refused(sender, "MAIL");
      throw refused(firstRefusal.reply, "RCPT");
    }
    const go = await ask({ type: "message" });
    if (go.code !== 354) throw refused(go, "DATA");
    try {
      await conversation.content(data);
    } catch (error) {
      // Half a message is on the wire: without its final dot it counts for nothing once the connection is gone.
      this.#connection.destroy();
      throw error;
    }
    const reply = await conversation.expect(250, "the message");
    this.#unfinished = false;
    return { accepted: taken.map(({ address }) => address), refused: refusals, reply };
  }

  /** RFC 2920 section 3.1: a server may say 354 though it took nobody, and then waits for the dot. */
  async #endUnwanted(): Promise<void> {
    const go = await this.#conversation.reply();
    if (go.code !== 354) return;
    this.#conversation.send({ type: "message-end" });
    await this.#conversation.reply();
  }

  #parameters(data: Content): Pick<ClientCommand & { type: "mail" }, "size" | "body"> {
    const whole = data instanceof Uint8Array ? data : undefined;
    const size = this.extensions.has("SIZE") ? whole?.length : undefined;
    if (whole?.every((byte) => byte < 128) === true) return { size, body: "7BIT" };
    // A stream may hold anything: said to be 8-bit where that can be said.
    if (this.extensions.has("8BITMIME")) return { size, body: "8BITMIME" };
    if (whole !== undefined) throw badArgument("8-bit content, and no 8BITMIME at the server: encode it");
    return { size, body: "7BIT" };
  }
}

type Content = Uint8Array | AsyncIterable<Uint8Array>;

interface ParsedEnvelope {
  readonly from: Path | null;
  readonly to: readonly Path[];
}

/** EHLO, or HELO to a server that does not know it; gives the extensions. */
async function hello(conversation: Conversation, name: string): Promise<ReadonlyMap<string, string>> {
  conversation.send({ type: "ehlo", name });
  const reply = await conversation.reply();
  if (reply.code !== 250) {
    if (reply.code < 500) throw refused(reply, "EHLO");
    conversation.send({ type: "helo", name });
    await conversation.expect(250, "HELO");
    return new Map();
  }
  // The first line is a greeting; each other is a keyword and its parameters (RFC 5321 section 4.1.1.1).
  return new Map(
    reply.lines.slice(1).map((line) => {
      const [keyword = "", ...parameters] = line.split(" ");
      return [keyword.toUpperCase(), parameters.join(" ")];
    }),
  );
}

function parseEnvelope({ from, to }: OutgoingMail): ParsedEnvelope {
  const addresses = typeof to === "string" ? [to] : to;
  return {
    from: from === null ? null : parsePath(`<${from}>`, "sender"),
    to: addresses.map((address) => {
      const path = parsePath(`<${address}>`, "recipient");
      if (path === null) throw badArgument("a recipient cannot be empty");
      return path;
    }),
  };
}

function textBytes(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\r\n|\r|\n/g, "\r\n"));
}

function badArgument(message: string): SmtpError {
  return new SmtpError("bad-argument", message, { blame: "local" });
}
