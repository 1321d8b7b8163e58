import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DeadlineTimer, EventLog } from "@tcpkit/core";
import type { ByteStream, Listener } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import type { Envelope, Mail, SaslCredentials, SmtpHooks, SmtpServerOptions, Verdict } from "../src/index.ts";
import { serveSmtp, SmtpError, SmtpReply } from "../src/index.ts";
import { OPEN, RawClient } from "./support.ts";

const listeners: Listener[] = [];
const clients: RawClient[] = [];

async function start(hooks: Partial<SmtpHooks> = {}, options: SmtpServerOptions = {}): Promise<RawClient> {
  const listener = await serveSmtp(
    { onMessage: () => undefined, ...hooks },
    { hostname: "mail.example", ...options },
  );
  listeners.push(listener);
  return join(listener);
}

function join(listener: Listener | undefined = listeners.at(-1)): RawClient {
  const client = new RawClient(listener?.port ?? 0);
  clients.push(client);
  return client;
}

afterEach(async () => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) client.socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close({ deadline: 0 });
});

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of body) pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces).toString("latin1");
}

/** A promise and the key to it. */
function signal<T = void>(): { promise: Promise<T>; done: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, done: resolve };
}

describe("a message", () => {
  it("reaches onMessage with its envelope and content, and the 250 comes after onMessage has kept it", async () => {
    const got = signal<{ envelope: Envelope; content: string }>();
    const kept = signal();
    let safe = false;
    const client = await start({
      async onMessage(envelope, body) {
        got.done({ envelope, content: await readAll(body) });
        await kept.promise;
        safe = true;
      },
    });
    client.write(
      "EHLO client.example\r\nMAIL FROM:<a@b.example> SIZE=99\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
    );
    expect(await client.codes(5)).toEqual(["220", "250", "250", "250", "354"]);
    client.write("Subject: x\r\n\r\n..dot\r\n.\r\n");
    const { envelope, content } = await got.promise;
    expect(content).toBe("Subject: x\r\n\r\n.dot\r\n");
    expect(envelope).toMatchObject({
      remoteAddress: "127.0.0.1",
      helo: "client.example",
      extended: true,
      from: { address: "a@b.example", localPart: "a", domain: "b.example" },
      to: [{ address: "c@d.example" }],
      size: 99,
      body: "7BIT",
    });
    expect(envelope.received).toMatch(
      /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mail\.example with ESMTP id \S+\r\n\tfor <c@d\.example>;\r\n\t\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/,
    );
    client.write("NOOP\r\n");
    expect(safe).toBe(false);
    kept.done();
    expect(await client.reply()).toBe(`250 2.0.0 Accepted as ${envelope.id}\r\n`);
    expect(safe).toBe(true);
    expect(await client.reply()).toBe("250 2.0.0 Ok\r\n");
  });

  it("EHLO announces what is offered", async () => {
    const client = await start({}, { limits: { messageSize: 1000 } });
    client.write("EHLO me.example\r\n");
    expect(await client.reply()).toBe("220 mail.example ESMTP ready\r\n");
    const [greeting, ...keywords] = (await client.reply()).trimEnd().split("\r\n");
    expect(greeting).toBe("250-mail.example greets me.example");
    expect(keywords.map((line) => line.slice(4))).toEqual([
      "PIPELINING",
      "SIZE 1000",
      "8BITMIME",
      "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
      "CHUNKING",
      "BINARYMIME",
      "DSN",
      "LIMITS RCPTMAX=100",
    ]);
  });

  it("a pipelined group is answered in order, slow hooks and all (RFC 2920 section 3.2)", async () => {
    const client = await start({
      async onMail() {
        await turn();
      },
      async onRcpt(to) {
        await turn();
        if (to.localPart === "no") throw new SmtpReply(550, "5.1.1", "no such user");
      },
    });
    client.write(
      "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<no@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n",
    );
    expect(await client.codes(7)).toEqual(["220", "250", "250", "250", "550", "250", "354"]);
    client.write("x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n");
    expect(await client.codes(4)).toEqual(["250", "250", "250", "354"]);
    client.write(".\r\nQUIT\r\n");
    expect(await client.codes(2)).toEqual(["250", "221"]);
    expect(await client.rest()).toBe("");
  });

  it("is forgotten after any outcome: the next command is MAIL", async () => {
    const client = await start({
      onMessage() {
        throw new SmtpReply(550, "5.7.1", "not this one");
      },
    });
    client.write(OPEN);
    await client.codes(5);
    client.write("x\r\n.\r\nRCPT TO:<c@d.example>\r\nDATA\r\nMAIL FROM:<a@b.example>\r\n");
    expect(await client.codes(4)).toEqual(["550", "503", "503", "250"]);
  });

  it("100 recipients are taken, the 101st gets 452 4.5.3 (RFC 5321 section 4.5.3.1.10)", async () => {
    const count = signal<number>();
    const client = await start({
      onMessage: (envelope) => count.done(envelope.to.length),
    });
    client.write("EHLO x\r\nMAIL FROM:<a@b.example>\r\n");
    await client.codes(3);
    client.write("RCPT TO:<c@d.example>\r\n".repeat(101));
    const codes = await client.codes(101);
    expect(codes.filter((code) => code === "250")).toHaveLength(100);
    expect(codes.at(-1)).toBe("452");
    client.write("DATA\r\n");
    await client.reply();
    client.write(".\r\n");
    expect(await count.promise).toBe(100);
  });
});

describe("what does not become a message", () => {
  it("a client that goes before the final dot delivers nothing: the body fails", async () => {
    for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
      const failure = signal<unknown>();
      const errors: unknown[] = [];
      const begun = signal();
      const client = await start(
        {
          async onMessage(_, body) {
            try {
              for await (const bytes of body) begun.done(void bytes);
            } catch (error) {
              failure.done(error);
              throw error;
            }
            failure.done("complete");
          },
        },
        { onError: (error) => errors.push(error) },
      );
      client.write(OPEN);
      await client.codes(5);
      client.write("half a message\r\n.");
      await begun.promise;
      client.socket[leave]();
      const error = await failure.promise;
      expect(error).toBeInstanceOf(SmtpError);
      expect((error as SmtpError).code).toBeOneOf(["incomplete", "connection-closed"]);
      expect(errors).toEqual([]);
    }
  });

  it("bare CR or LF in content: read to the real end, then 550 5.5.2; the hidden message is not seen", async () => {
    const seen: string[] = [];
    const client = await start({
      async onMessage(envelope, body) {
        await readAll(body);
        seen.push(envelope.id);
      },
    });
    client.write(OPEN);
    await client.codes(5);
    client.write(
      "a\r\n.\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nhidden\r\n.\r\nNOOP\r\n",
    );
    expect(await client.reply()).toBe("550 5.5.2 The message has a CR or LF that is not part of CRLF\r\n");
    expect(await client.reply()).toBe("250 2.0.0 Ok\r\n");
    expect(seen).toEqual([]);
  });

  it("normalize: LF is taken for CRLF, and is no end", async () => {
    const contents: string[] = [];
    const client = await start(
      { onMessage: async (_, body) => void contents.push(await readAll(body)) },
      { normalize: true },
    );
    client.write(OPEN);
    await client.codes(5);
    client.write("a\n.\nMAIL FROM:<evil@x.example>\n.\r\nb\n\r\n.\r\nNOOP\r\n");
    expect(await client.codes(2)).toEqual(["250", "250"]);
    expect(contents).toEqual(["a\r\n.\r\nMAIL FROM:<evil@x.example>\r\n.\r\nb\r\n\r\n"]);
  });

  it("SIZE over the limit: 552 5.3.4 at MAIL, and after the content where nothing was declared", async () => {
    const client = await start(
      { onMessage: async (_, body) => void (await readAll(body)) },
      { limits: { messageSize: 50 } },
    );
    client.write("EHLO x\r\nMAIL FROM:<a@b.example> SIZE=51\r\nMAIL FROM:<a@b.example> SIZE=50\r\n");
    await client.codes(2);
    expect(await client.reply()).toBe("552 5.3.4 The message is too big\r\n");
    client.write("RCPT TO:<c@d.example>\r\nDATA\r\n");
    expect(await client.codes(3)).toEqual(["250", "250", "354"]);
    client.write(`${"x".repeat(60)}\r\n.\r\nNOOP\r\n`);
    expect(await client.codes(2)).toEqual(["552", "250"]);
  });

  it("100 Received lines are a loop: 554 5.4.6 (RFC 5321 section 6.3); 99 are not, nor any in the body", async () => {
    const client = await start({ onMessage: async (_, body) => void (await readAll(body)) });
    const hop = "Received: from a\r\n\tby b\r\n";
    client.write(OPEN);
    await client.codes(5);
    client.write(`${hop.repeat(99)}Subject: x\r\n\r\n${hop.repeat(5)}.\r\n`);
    expect(await client.codes(1)).toEqual(["250"]);
    client.write(OPEN);
    await client.codes(4);
    client.write(`${hop.repeat(50)}RECEIVED: x\r\n${hop.repeat(49)}\r\n.\r\n`);
    expect(await client.reply()).toMatch(/^554 5\.4\.6 /);
  });

  it("onMessage that fails: 451 4.3.0, the reason to onError and not to the client", async () => {
    const reported = signal<unknown>();
    const client = await start(
      {
        async onMessage() {
          await turn();
          throw new Error("secret: disk on fire");
        },
      },
      { onError: reported.done },
    );
    client.write(OPEN);
    await client.codes(5);
    client.write("x\r\n.\r\nNOOP\r\n");
    expect(await client.reply()).toBe("451 4.3.0 Local error, try again later\r\n");
    expect(await reported.promise).toMatchObject({ message: "secret: disk on fire" });
    expect(await client.codes(1)).toEqual(["250"]);
  });

  it("onMessage that returns early: the rest is dropped, and the reply comes after the real end", async () => {
    const client = await start({ onMessage: () => undefined });
    client.write(OPEN);
    await client.codes(5);
    client.write(`${`${"x".repeat(70)}\r\n`.repeat(20_000)}.\r\nNOOP\r\n`);
    expect(await client.codes(2)).toEqual(["250", "250"]);
  });
});

describe("hooks", () => {
  it("see client, sender and recipient, and refuse with their own words", async () => {
    const mails: Mail[] = [];
    const client = await start({
      onConnect: ({ remoteAddress }) => expect(remoteAddress).toBe("127.0.0.1"),
      onMail(mail) {
        mails.push(mail);
        if (mail.from === null) throw new SmtpReply(550, "5.7.1", "no bounces", "not here");
      },
      async onRcpt(to, mail) {
        expect(mail).toBe(mails.at(-1));
        throw new SmtpReply(450, "4.2.0", `greylisted: ${to.address}`);
      },
    });
    client.write("EHLO x\r\nMAIL FROM:<>\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    await client.codes(2);
    expect(await client.reply()).toBe("550-5.7.1 no bounces\r\n550 5.7.1 not here\r\n");
    expect(await client.codes(1)).toEqual(["250"]);
    expect(await client.reply()).toBe("450 4.2.0 greylisted: c@d.example\r\n");
    expect(await client.reply()).toBe("554 5.5.1 No valid recipients\r\n");
  });

  it("onConnect turns away: 554 waits for QUIT, 421 closes", async () => {
    const polite = await start({
      onConnect: () => {
        throw new SmtpReply(554, "5.7.1", "not you");
      },
    });
    polite.write("");
    expect(await polite.reply()).toBe("554 not you\r\n");
    polite.write("EHLO x\r\nQUIT\r\n");
    expect(await polite.codes(2)).toEqual(["503", "221"]);
    const busy = await start({
      onConnect: () => {
        throw new SmtpReply(421, "4.3.2", "too busy");
      },
    });
    expect(await busy.rest()).toBe("421 too busy\r\n");
  });

  it.each([
    [new SmtpReply(450, "4.7.1", "later", "much later"), "421-later\r\n421 much later\r\n"],
    [new SmtpReply(550, "5.7.1", "not you"), "554 not you\r\n221 2.0.0 Bye\r\n"],
    [new Error("out of order"), "421 Local error, try again later\r\n"],
  ])(
    "onConnect that throws %s: a greeting is 220, 554 or 421 (RFC 5321 section 3.1)",
    async (error, said) => {
      const reported: unknown[] = [];
      const fails = [
        (): never => {
          throw error;
        },
        async (): Promise<never> => {
          await turn();
          throw error;
        },
      ];
      for (const onConnect of fails) {
        const client = await start({ onConnect }, { onError: (what) => reported.push(what) });
        const first = await client.reply();
        client.write("QUIT\r\n");
        expect(first + (await client.rest())).toBe(said);
      }
      expect(reported).toEqual(error instanceof SmtpReply ? [] : [error, error]);
    },
  );

  it("are methods: an object of a class sees itself", async () => {
    class Hooks implements SmtpHooks {
      readonly seen: string[] = [];
      onConnect(): void {
        this.seen.push("connect");
      }
      onAuth(credentials: SaslCredentials): Verdict {
        this.seen.push("auth");
        return credentials.mechanism === "PLAIN" ? credentials.check("b") : credentials.refuse();
      }
      onMail(): void {
        this.seen.push("mail");
      }
      onRcpt(): void {
        this.seen.push("rcpt");
      }
      onMessage(): void {
        this.seen.push("message");
      }
    }
    const hooks = new Hooks();
    const listener = await serveSmtp(hooks, { allowInsecureAuth: true });
    listeners.push(listener);
    const client = join();
    client.write(`EHLO x\r\nAUTH PLAIN ${Buffer.from("\0a\0b").toString("base64")}\r\n`);
    client.write("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    await client.codes(6);
    client.write("x\r\n.\r\n");
    expect(await client.codes(1)).toEqual(["250"]);
    expect(hooks.seen).toEqual(["connect", "auth", "mail", "rcpt", "message"]);
  });

  it("bytes before a slow greeting: 554 5.5.0 and close", async () => {
    const greet = signal();
    const arrived = signal();
    const client = await start({
      async onConnect() {
        arrived.done();
        await greet.promise;
      },
    });
    await arrived.promise;
    const [connection] = listeners[0]?.connections ?? [];
    const seen = once(connection ?? client.socket, "data");
    client.write("EHLO x\r\n");
    await seen;
    greet.done();
    expect(await client.rest()).toBe("554 5.5.0 You must wait for the reply\r\n");
  });
});

describe("admission", () => {
  it.each([
    [{ maxConnections: 1 }, "421 mail.example Too busy, try again later\r\n"],
    [{ deny: ["127.0.0.1"] }, "554 mail.example No SMTP service here\r\n"],
  ])("turns a client away in words, with %j", async (options, words) => {
    await using smtp = await serveSmtp({ onMessage: () => {} }, { hostname: "mail.example", ...options });
    const first = connect(smtp.port, "127.0.0.1");
    const second = connect(smtp.port, "127.0.0.1");
    const heard = await Promise.all(
      [first, second].map(async (socket) => String((await once(socket, "data"))[0])),
    );
    expect(heard).toContain(words);
    first.destroy();
    second.destroy();
  });
});

describe("time and shutdown", () => {
  it("an idle client gets 421 4.4.2 after 5 minutes (RFC 5321 section 4.5.3.2.7)", async () => {
    const clock = fakeClock();
    const client = await start({}, { timer: new DeadlineTimer(clock) });
    await client.reply();
    clock.advance(299_000);
    client.write("NOOP\r\n");
    expect(await client.codes(1)).toEqual(["250"]);
    const [connection] = listeners[0]?.connections ?? [];
    clock.advance(299_000);
    expect(connection?.closeReason).toBeUndefined();
    clock.advance(2000);
    expect(await client.rest()).toBe("421 4.4.2 Timed out waiting for you\r\n");
    expect(connection?.closeReason).toMatchObject({ kind: "timeout", deadline: "idle" });
  });

  it.each([
    ["a command", "", 1, "MAIL FR"],
    ["a message", OPEN, 5, "half"],
  ])("a client that stops inside %s gets 421 4.4.2 after 3 minutes", async (_, opening, replies, half) => {
    const clock = fakeClock();
    const failure = signal<unknown>();
    const client = await start(
      {
        onMessage: async (_envelope, body) =>
          readAll(body).then(() => failure.done("complete"), failure.done),
      },
      { timer: new DeadlineTimer(clock) },
    );
    client.write(opening);
    await client.codes(replies);
    const [connection] = listeners[0]?.connections ?? [];
    const seen = once(connection ?? client.socket, "data");
    client.write(half);
    await seen;
    // The server waits for more.
    await turn();
    clock.advance(179_000);
    expect(connection?.closeReason).toBeUndefined();
    clock.advance(2000);
    expect(await client.rest()).toBe("421 4.4.2 Timed out waiting for you\r\n");
    // Nothing is delivered.
    if (opening !== "") expect(await failure.promise).toMatchObject({ code: "timeout" });
  });

  it("a client that drips a message gets 421 4.4.2 when its first minute is over (limits.dataRate)", async () => {
    const clock = fakeClock();
    const failure = signal<unknown>();
    let pieces = 0;
    const arrived: (() => void)[] = [];
    const client = await start(
      {
        async onMessage(_, body) {
          try {
            for await (const bytes of body) {
              pieces += bytes.length;
              arrived.shift()?.();
            }
          } catch (error) {
            failure.done(error);
          }
        },
      },
      { timer: new DeadlineTimer(clock) },
    );
    client.write(OPEN);
    await client.codes(5);
    for (let drops = 0; drops < 5; drops++) {
      const here = new Promise<void>((resolve) => arrived.push(resolve));
      client.write("drip\r\n");
      if (drops < 4) await here;
      // The server waits for more.
      await turn();
      clock.advance(29_000);
    }
    expect(await client.rest()).toBe("421 4.4.2 You send too slowly\r\n");
    expect(await failure.promise).toMatchObject({ code: "timeout" });
    expect(pieces).toBe(24);
  });

  it("time that onMessage needs is no fault of the client's", async () => {
    const clock = fakeClock();
    const reached = signal();
    const go = signal();
    const client = await start(
      {
        async onMessage(_, body) {
          for await (const bytes of body) {
            reached.done(void bytes);
            await go.promise;
          }
        },
      },
      { timer: new DeadlineTimer(clock) },
    );
    client.write(OPEN);
    await client.codes(5);
    client.write("first\r\n");
    await reached.promise;
    clock.advance(1_000_000);
    go.done();
    client.write("second\r\n.\r\n");
    expect(await client.codes(1)).toEqual(["250"]);
  });

  it("a greeting may be late, and who talks before it is told so and seen (RFC 5321 section 4.3.1)", async () => {
    const clock = fakeClock();
    const log = new EventLog();
    const types: string[] = [];
    const heard = signal();
    const asked = signal();
    log.read((record) => {
      if (record.kind === "data" && record.dir === "in") heard.done();
      if (record.kind === "message") types.push(`${record.dir} ${record.type}`);
      if (types.length === 2) asked.done();
    });
    const polite = await start({}, { timer: new DeadlineTimer(clock), greetingDelay: 5000, tap: log });
    const rude = join();
    rude.write("EHLO robot\r\n");
    await Promise.all([heard.promise, asked.promise]);
    expect(types).toEqual(["in greeting", "in greeting"]);
    clock.advance(6000);
    expect(await polite.reply()).toBe("220 mail.example ESMTP ready\r\n");
    expect(await rude.rest()).toBe("554 5.5.0 You must wait for the reply\r\n");
    expect(types.slice(2).toSorted()).toEqual(["in error", "out 220", "out 554", "out unsent"]);
  });

  it("close() waits for an onMessage at work, though its client is gone", async () => {
    const begun = signal();
    const go = signal();
    let done = false;
    const client = await start({
      async onMessage(_, body) {
        try {
          for await (const bytes of body) begun.done(void bytes);
        } finally {
          await go.promise;
          done = true;
        }
      },
    });
    client.write(OPEN);
    await client.codes(5);
    client.write("half\r\n");
    await begun.promise;
    client.socket.destroy();
    const closed = listeners.pop()?.close({ deadline: 0 });
    const first = await Promise.race([closed, turn("still at work")]);
    expect(first).toBe("still at work");
    go.done();
    await closed;
    expect(done).toBe(true);
  });

  it("closing does not wait for ever for an onMessage that never ends, and tells of it", async () => {
    const begun = signal();
    const errors: unknown[] = [];
    const client = await start(
      {
        async onMessage(_, body) {
          begun.done();
          // It takes no notice that the body has failed.
          await readAll(body).catch(() => new Promise(() => {}));
        },
      },
      { onError: (error) => errors.push(error) },
    );
    client.write(OPEN);
    await client.codes(5);
    client.write("half\r\n");
    await begun.promise;
    const listener = listeners.pop();
    if (listener === undefined) throw new Error("no listener");
    client.socket.destroy();
    await once([...listener.connections][0] ?? listener, "close");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closed = listener.close();
    await once(listener, "close");
    await vi.advanceTimersByTimeAsync(4999);
    expect(errors).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    // Once is enough.
    await listener.close();
    expect(errors).toMatchObject([{ code: "timeout", blame: "local" }]);
  });

  it("closing lets a message under way arrive, then says 421 4.3.2 to everybody", async () => {
    const begun = signal();
    const contents: string[] = [];
    const sender = await start({
      async onMessage(_, body) {
        begun.done();
        contents.push(await readAll(body));
      },
    });
    const idle = join();
    await idle.reply();
    sender.write(OPEN);
    await sender.codes(5);
    sender.write("first\r\n");
    await begun.promise;
    const closed = listeners.pop()?.close({ deadline: 5000 });
    expect(await idle.rest()).toBe("421 4.3.2 The server is shutting down, try again later\r\n");
    sender.write("second\r\n.\r\n");
    expect(await sender.reply()).toMatch(/^250 2\.0\.0 /);
    expect(await sender.rest()).toBe("421 4.3.2 The server is shutting down, try again later\r\n");
    for (const client of [idle, sender]) client.socket.end();
    expect(await closed).toMatchObject({ cut: 0 });
    expect(contents).toEqual(["first\r\nsecond\r\n"]);
  });
});

it("each gets its own bytes, those who keep them and those who only borrow them", async () => {
  const bytes = 4 * 1024 * 1024;
  const got = new Map<string, string>();
  const all = signal();
  const onMessage = async ({ from }: Envelope, body: ByteStream): Promise<void> => {
    const name = from?.localPart ?? "";
    const hash = createHash("sha256");
    if (name.startsWith("keep")) {
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      for (const piece of pieces) hash.update(piece);
    } else {
      await body.consume((piece) => {
        hash.update(piece);
        // Now and then it takes its time.
        return piece[0] === 48 ? turn() : undefined;
      });
    }
    got.set(name, hash.digest("hex"));
    if (got.size === names.length) all.done();
  };
  const names = ["keep1", "borrow1", "keep2", "borrow2", "borrow3"];
  await start({ onMessage });
  const sent = new Map<string, string>();
  for (const name of names) {
    const client = join();
    client.write(OPEN.replace("a@b.example", `${name}@b.example`));
    await client.codes(5);
    const line = createHash("sha256").update(name).digest("hex");
    const content = `${line}\r\n`.repeat(bytes / (line.length + 2));
    sent.set(name, createHash("sha256").update(content).digest("hex"));
    client.write(`${content}.\r\n`);
  }
  await all.promise;
  expect(got).toEqual(sent);
});

it("a slow consumer holds the client back: what is in flight stays bounded", async () => {
  const total = 64 * 1024 * 1024;
  const go = signal();
  const stuck = signal();
  let taken = 0;
  const client = await start(
    {
      async onMessage(_, body) {
        for await (const bytes of body) {
          taken += bytes.length;
          if (taken > bytes.length) continue;
          stuck.done();
          await go.promise;
        }
      },
    },
    { limits: { messageSize: 2 * total } },
  );
  client.write(OPEN);
  await client.codes(5);
  const block = Buffer.from(`${"x".repeat(62)}\r\n`.repeat(1024));
  let sent = 0;
  // Writes until TCP says no and the consumer holds the first piece: then nothing moves any more.
  while (client.socket.write(block) || sent < 16 * 1024 * 1024) sent += block.length;
  await stuck.promise;
  const [connection] = listeners[0]?.connections ?? [];
  let before = -1;
  while (before !== connection?.bytesReceived) {
    before = connection?.bytesReceived ?? 0;
    for (let turns = 0; turns < 50; turns++) await turn();
  }
  // What the server has read of it: a piece in the consumer's hands and a chunk or two, not megabytes.
  expect(before).toBeLessThan(512 * 1024);
  go.done();
  for (sent += block.length; sent < total; sent += block.length) {
    if (!client.socket.write(block)) await once(client.socket, "drain");
  }
  client.write(".\r\n");
  expect(await client.codes(1)).toEqual(["250"]);
  expect(taken).toBe(sent);
});
