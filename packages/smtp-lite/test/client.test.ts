import { once } from "node:events";
import { DeadlineTimer, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";
import { fakeClock, verifyDecoder } from "@tcpkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientCommand, SmtpClientEvent } from "../src/index.ts";
import { connectSmtp, sendMail, serveSmtp, SmtpError, SmtpReply, SmtpSession } from "../src/index.ts";

describe("sendMail", () => {
  it("fails when the server's time is up, not when the server has closed its side too", async () => {
    const clock = fakeClock();
    await using silent = await listen({ allowHalfOpen: true });
    const accepted = once(silent, "connection") as Promise<[Connection]>;
    const sent = sendMail({
      port: silent.port,
      from: "a@b.example",
      to: "c@d.example",
      data: "x",
      timer: new DeadlineTimer(clock),
    });
    const failure = expect(sent).rejects.toMatchObject({ code: "timeout" });
    const [connection] = await accepted;
    connection.write("220 mail.example\r\n");
    await once(connection, "data");
    // From here on nothing but this test moves time: the wait for the server's FIN never ends.
    clock.advance(300_200);
    await failure;
    expect(connection.closed).toBe(false);
    connection.destroy();
  });

  it("sends what the server then has: envelope, dots, UTF-8, large bodies", async () => {
    const got: { from: string | undefined; to: string[]; body: string; content: string }[] = [];
    await using smtp = await serveSmtp({
      async onMessage(envelope, body) {
        const pieces: Uint8Array[] = [];
        for await (const bytes of body) pieces.push(Buffer.from(bytes));
        got.push({
          from: envelope.from?.address,
          to: envelope.to.map((path) => path.address),
          body: envelope.body,
          content: Buffer.concat(pieces).toString(),
        });
      },
    });
    const { port } = smtp;
    const result = await sendMail({
      port,
      from: "a@b.example",
      to: ["c@d.example", '"x y"@d.example'],
      data: "Subject: héllo\n\n.dot\n..\nend",
    });
    expect(result).toMatchObject({
      accepted: ["c@d.example", '"x y"@d.example'],
      refused: [],
      reply: { code: 250 },
    });
    const big = Buffer.from(`${".".repeat(70)}\r\n`.repeat(30_000));
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < big.length; at += 50_001) yield big.subarray(at, at + 50_001);
    }
    await sendMail({ port, from: null, to: "Postmaster", data: stream() });
    expect(got[0]).toEqual({
      from: "a@b.example",
      to: ["c@d.example", '"x y"@d.example'],
      body: "8BITMIME",
      content: "Subject: héllo\r\n\r\n.dot\r\n..\r\nend\r\n",
    });
    expect(got[1]).toEqual({
      from: undefined,
      to: ["Postmaster"],
      body: "8BITMIME",
      content: big.toString(),
    });
  });

  it("says which recipients were refused; with none left it fails with the server's words", async () => {
    await using smtp = await serveSmtp({
      onRcpt(to) {
        if (to.localPart.startsWith("no")) throw new SmtpReply(550, "5.1.1", "no such user");
      },
      onMessage: () => undefined,
    });
    const mail = { port: smtp.port, from: "a@b.example", data: "x\r\n" };
    const result = await sendMail({ ...mail, to: ["no@d.example", "yes@d.example"] });
    expect(result.accepted).toEqual(["yes@d.example"]);
    expect(result.refused).toMatchObject([
      { address: "no@d.example", reply: { code: 550, enhanced: "5.1.1" } },
    ]);
    await expect(sendMail({ ...mail, to: "no@d.example" })).rejects.toMatchObject({
      code: "refused",
      reply: { code: 550, enhanced: "5.1.1", lines: ["no such user"] },
    });
  });

  it("goes step by step, by HELO, where the server offers nothing", async () => {
    const heard: string[] = [];
    await using server = await listen();
    server.on("connection", (connection) => {
      let content = false;
      connection.write("220 old\r\n");
      connection.on("data", (chunk) => {
        const text = chunk.toString();
        heard.push(text);
        if (content) content = !text.endsWith("\r\n.\r\n");
        else if (text === "DATA\r\n") content = true;
        const reply = content ? "354 go" : text.startsWith("EHLO") ? "500 what" : "250 ok";
        if (!content || text === "DATA\r\n") connection.write(`${reply}\r\n`);
      });
    });
    await sendMail({
      port: server.port,
      name: "me.example",
      from: "a@b.example",
      to: "c@d.example",
      data: "x",
    });
    expect(heard.slice(0, 5)).toEqual([
      "EHLO me.example\r\n",
      "HELO me.example\r\n",
      "MAIL FROM:<a@b.example>\r\n",
      "RCPT TO:<c@d.example>\r\n",
      "DATA\r\n",
    ]);
    expect(heard.slice(5).join("")).toBe("x\r\n.\r\nQUIT\r\n");
  });

  it("bytes with a bare CR or LF are not sent as a message", async () => {
    const kept: string[] = [];
    await using smtp = await serveSmtp({
      async onMessage(envelope, body) {
        for await (const bytes of body) void bytes;
        kept.push(envelope.id);
      },
    });
    const mail = { port: smtp.port, from: "a@b.example", to: "c@d.example" };
    await expect(sendMail({ ...mail, data: Buffer.from("one\n.\ntwo\r\n") })).rejects.toMatchObject({
      code: "bad-argument",
      blame: "local",
    });
    expect(kept).toEqual([]);
  });

  it("no address and no name carries a command of its own", async () => {
    const options = { port: 1, from: "a@b.example", to: "c@d.example", data: "x" };
    const evil = "x@y.example>\r\nRCPT TO:<victim@x.example";
    await expect(sendMail({ ...options, from: evil })).rejects.toMatchObject({ code: "bad-address" });
    await expect(sendMail({ ...options, to: evil })).rejects.toMatchObject({ code: "bad-address" });
    await expect(sendMail({ ...options, name: "x\r\nQUIT" })).rejects.toMatchObject({ code: "bad-argument" });
  });

  it("a server that goes in the middle is an error, not a wait", async () => {
    await using server = await listen();
    server.on("connection", (connection) => {
      connection.write("220 x\r\n");
      connection.on("data", () => connection.destroy());
    });
    const mail = { port: server.port, from: "a@b.example", to: "c@d.example", data: "x" };
    await expect(sendMail(mail)).rejects.toMatchObject({ code: "connection-closed" });
  });
});

describe("connectSmtp", () => {
  it("sends many messages over one connection, in order, and goes on after a refusal", async () => {
    let connections = 0;
    const subjects: string[] = [];
    await using smtp = await serveSmtp({
      onConnect: () => (connections += 1),
      onMail(mail) {
        if (mail.from?.localPart === "no") throw new SmtpReply(550, "5.7.1", "not you");
      },
      onRcpt(to) {
        if (to.localPart === "no") throw new SmtpReply(450, "4.2.1", "mailbox busy");
      },
      async onMessage(_, body) {
        let text = "";
        for await (const bytes of body) text += Buffer.from(bytes).toString();
        if (text.startsWith("refuse")) throw new SmtpReply(554, "5.6.0", "not this");
        subjects.push(text.trim());
      },
    });
    {
      await using client = await connectSmtp({ port: smtp.port });
      expect(client.extensions.get("SIZE")).toBe("26214400");
      const mail = { from: "a@b.example", to: "c@d.example" };
      const results = await Promise.allSettled([
        client.send({ ...mail, data: "one" }),
        client.send({ ...mail, to: "no@d.example", data: "nobody" }),
        client.send({ ...mail, from: "no@b.example", data: "not you" }),
        client.send({ ...mail, data: "refuse" }),
        client.send({ ...mail, data: "two" }),
      ]);
      const codes = results.map((result) =>
        result.status === "fulfilled" ? result.value.reply.code : (result.reason as SmtpError).reply?.code,
      );
      expect(codes).toEqual([250, 450, 550, 554, 250]);
    }
    expect(subjects).toEqual(["one", "two"]);
    expect(connections).toBe(1);
  });

  it("a server that refuses the connection or the name says why", async () => {
    await using smtp = await serveSmtp({
      onConnect() {
        throw new SmtpReply(554, "5.7.1", "not you");
      },
      onMessage: () => undefined,
    });
    await expect(connectSmtp({ port: smtp.port })).rejects.toMatchObject({
      code: "refused",
      reply: { code: 554 },
    });
  });
});

describe("the client's session", () => {
  it.each([
    ["one line", "250 ok\r\n", ["250 ok"]],
    ["several lines", "250-one\r\n250-two\r\n250 three\r\n", ["250 one/two/three"]],
    ["enhanced codes", "550-5.1.1 no\r\n550 5.1.1 really\r\n", ["550 5.1.1 no/really"]],
    ["a code alone", "250\r\n", ["250 "]],
    ["two codes in one reply", "250-one\r\n251 two\r\n", ["error bad-server-reply"]],
    ["no reply at all", "HTTP/1.1 400 Bad Request\r\n", ["error bad-server-reply"]],
    ["bare LF", "220 x\n", ["error bad-server-reply"]],
    ["an end inside a reply", "250-one\r\n25", ["error incomplete"]],
    ["a reply without an end", "250-x\r\n".repeat(300), ["error bad-server-reply"]],
  ])("reads %s, however it is cut", (_, input, expected) => {
    const events = verifyDecoder<SmtpClientEvent, ClientCommand | readonly ClientCommand[]>({
      session: () => new SmtpSession({ role: "client" }),
      input,
      everySplitUpTo: 200,
      normalise: (events) =>
        events.map((event) => {
          if (event.type === "error") return `error ${event.error.code}`;
          const { code, enhanced, lines } = event.reply;
          return `${code} ${enhanced === undefined ? "" : `${enhanced} `}${lines.join("/")}`;
        }),
    });
    expect(events).toEqual(expected);
  });

  it("whatever stands in a command, one line leaves or none", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", " ", "\r", "\n", "\0", "é", ">") }), (text) => {
        try {
          const wire = new SmtpSession({ role: "client" }).send({ type: "vrfy", text });
          expect(wire).toMatch(/^VRFY[^\r\n]*\r\n$/);
        } catch (error) {
          expect(error).toBeInstanceOf(SmtpError);
        }
      }),
    );
  });
});
