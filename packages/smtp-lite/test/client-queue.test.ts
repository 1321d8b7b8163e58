// Several messages on one connection: in order, pipelined, and none the worse for another's fate.
import { listen } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Envelope, OutgoingMail, SmtpServerOptions } from "../src/index.ts";
import { connectSmtp, sendMail, serveSmtp, SmtpError, SmtpReply } from "../src/index.ts";
import { EHLO, lineServer, polite } from "./line-server.ts";

const FROM = "a@b.example";
const mail = { from: FROM, to: "c@d.example", data: "x\r\n" } as const;

interface Got {
  readonly envelope: Envelope;
  readonly content: Buffer;
}

function serve(got: Got[], options: SmtpServerOptions = {}): Promise<Listener> {
  return serveSmtp(
    {
      onMail({ from }) {
        if (from?.localPart === "no") throw new SmtpReply(550, "5.7.1", "not you");
      },
      onRcpt({ localPart }) {
        if (localPart === "no") throw new SmtpReply(550, "5.1.1", "no such user");
      },
      async onMessage(envelope, body) {
        const pieces: Uint8Array[] = [];
        for await (const bytes of body) pieces.push(Buffer.from(bytes));
        const content = Buffer.concat(pieces);
        if (content.toString().startsWith("refuse")) throw new SmtpReply(554, "5.6.0", "not this");
        got.push({ envelope, content });
      },
    },
    options,
  );
}

async function* pieces(...all: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const piece of all) {
    await Promise.resolve();
    if (piece instanceof Error) throw piece;
    yield Buffer.from(piece);
  }
}

describe("messages that wait", () => {
  it("the next one's commands leave right behind the last one's dot (RFC 2920)", async () => {
    const heard: string[] = [];
    await using server = await lineServer(polite, heard);
    await using client = await connectSmtp({ port: server.port });
    await Promise.all([client.send(mail), client.send({ ...mail, from: null })]);
    const group = (from: string): string => `MAIL FROM:<${from}>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n`;
    expect(heard.slice(1)).toEqual([group(FROM), `x\r\n.\r\n${group("")}`, "x\r\n.\r\n"]);
  });

  it("whatever becomes of some, the others arrive as if alone", async () => {
    type Fate = "ok" | "no sender" | "no recipient" | "one recipient" | "refused" | "bad" | "stream fails";
    const fates: Fate[] = [
      "ok",
      "no sender",
      "no recipient",
      "one recipient",
      "refused",
      "bad",
      "stream fails",
    ];
    const make = (fate: Fate, id: number): OutgoingMail => {
      const data = `${fate === "refused" ? "refuse" : "take"} ${id}\r\n`;
      switch (fate) {
        case "no sender":
          return { ...mail, from: "no@b.example", data };
        case "no recipient":
          return { ...mail, to: ["no@d.example", "no@e.example"], data };
        case "one recipient":
          return { ...mail, to: ["no@d.example", "c@d.example"], data };
        case "bad":
          return { ...mail, data: Buffer.from(`take\n${id}`) };
        case "stream fails":
          return { ...mail, data: pieces(data, new Error("the disk is gone")) };
        default:
          return { ...mail, data: id % 2 === 0 ? data : Buffer.from(data) };
      }
    };
    const expected: Record<Fate, unknown> = {
      ok: 250,
      "no sender": "550 5.7.1",
      "no recipient": "550 5.1.1",
      "one recipient": 250,
      refused: "554 5.6.0",
      bad: "bad-argument",
      "stream fails": "the disk is gone",
    };
    const got: Got[] = [];
    await using server = await serve(got);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...fates), { maxLength: 12 }),
        fc.boolean(),
        async (chosen, chunking) => {
          got.length = 0;
          const some = chunking ? chosen : chosen.filter((fate) => fate !== "stream fails");
          await using client = await connectSmtp({ port: server.port, ...(chunking ? { chunking } : {}) });
          const outcomes = await Promise.all(
            some.map((fate, id) =>
              client.send(make(fate, id)).then(
                ({ reply }) => reply.code,
                (error: SmtpError) => {
                  const { reply } = error;
                  if (reply !== undefined) return `${reply.code} ${reply.enhanced}`;
                  return error instanceof SmtpError ? error.code : (error as Error).message;
                },
              ),
            ),
          );
          expect(outcomes).toEqual(some.map((fate) => expected[fate]));
          expect(got.map(({ content }) => content.toString())).toEqual(
            some.flatMap((fate, id) => (expected[fate] === 250 ? [`take ${id}\r\n`] : [])),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it("a server that says 354 though it took nobody gets an empty end, and RSET before the next", async () => {
    const heard: string[] = [];
    const answer = (line: string): string => (line === "RCPT TO:<no@d.example>" ? "550 no" : polite(line));
    await using server = await lineServer(answer, heard);
    await using client = await connectSmtp({ port: server.port });
    const [first, second] = await Promise.allSettled([
      client.send({ ...mail, to: "no@d.example" }),
      client.send(mail),
    ]);
    expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
    expect(heard.join("")).toContain("DATA\r\n.\r\nRSET\r\nMAIL FROM");
  });
});

describe("the end of the connection", () => {
  it.each([
    ["closes", "", "connection-closed"],
    ["says 421", "421 4.3.2 going down", "connection-closed"],
    ["says nonsense", "what", "bad-server-reply"],
  ])("a server that %s fails those that have no 250 yet, and no others", async (_, last, code) => {
    let ends = 0;
    await using server = await lineServer((line, connection) => {
      if (line === ".") ends += 1;
      if (line !== "." || ends < 2) return polite(line);
      if (last === "") connection.destroy();
      return last;
    });
    await using client = await connectSmtp({ port: server.port });
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => client.send(mail)));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
    const [second, third, fourth] = results
      .slice(1)
      .map((result) => (result.status === "rejected" ? (result.reason as SmtpError) : undefined));
    // The second was sent whole. Only a reply tells whether the server has it.
    const outcome = last.startsWith("421") ? "not-accepted" : "unknown";
    expect(second).toMatchObject({ code, attempt: { outcome, accepted: ["c@d.example"] } });
    for (const error of [third, fourth])
      expect(error).toMatchObject({ code, attempt: { outcome: "not-accepted" } });
    await expect(client.send(mail)).rejects.toMatchObject({ code });
  });

  it("a stream that fails inside DATA costs the connection, and those behind it say why", async () => {
    await using server = await lineServer(polite);
    await using client = await connectSmtp({ port: server.port });
    const results = await Promise.allSettled([
      client.send(mail),
      client.send({ ...mail, data: pieces("half a line", new Error("the disk is gone")) }),
      client.send(mail),
    ]);
    expect(results).toMatchObject([
      { value: { reply: { code: 250 } } },
      { reason: { message: "the disk is gone" } },
      { reason: { code: "connection-closed", attempt: { outcome: "not-accepted" } } },
    ]);
  });

  it("a reply that answers nothing ends it", async () => {
    const server = await listen();
    await using _ = server;
    server.on("connection", (connection) => {
      connection.write("220 x\r\n");
      connection.once("data", () => connection.write("250 x\r\n250 y\r\n"));
    });
    const client = await connectSmtp({ port: server.port });
    await expect(client.send(mail)).rejects.toMatchObject({ code: "bad-server-reply" });
    await client.close();
  });
});

describe("extensions", () => {
  it("CHUNKING: the same bytes arrive, by BDAT, whole and as a stream, with dots and 8 bits", async () => {
    const got: Got[] = [];
    await using server = await serve(got);
    await using client = await connectSmtp({ port: server.port, chunking: true });
    const text = ".\r\n..\r\nhéllo\r\n";
    await client.send({ ...mail, data: text });
    await client.send({ ...mail, data: pieces(".\r", "\n..\r\nh", "éllo") });
    expect(got.map(({ content }) => content.toString())).toEqual([text, text]);
    await expect(client.send({ ...mail, data: pieces("one\r\n", "two\n") })).rejects.toMatchObject({
      code: "bad-argument",
    });
    expect(got).toHaveLength(2);
  });

  it("BINARYMIME: any bytes", async () => {
    const got: Got[] = [];
    await using server = await serve(got);
    const data = Buffer.from([13, 10, 46, 13, 10, 0, 13, 255, 10]);
    await sendMail({ port: server.port, ...mail, data, binary: true });
    expect(got[0]?.content).toEqual(data);
    expect(got[0]?.envelope.body).toBe("BINARYMIME");
  });

  it("SMTPUTF8, DSN and SIZE get to the server", async () => {
    const got: Got[] = [];
    await using server = await serve(got);
    await sendMail({
      port: server.port,
      from: "jürgen@bücher.example",
      to: [
        { address: "c@d.example", notify: ["SUCCESS", "DELAY"] },
        {
          address: "ä@d.example",
          notify: [],
          originalRecipient: { type: "rfc822", address: "x+y@d.example" },
        },
      ],
      data: "x\r\n",
      ret: "HDRS",
      envelopeId: "a+b=c",
    });
    expect(got[0]?.envelope).toMatchObject({
      from: { address: "jürgen@bücher.example" },
      utf8: true,
      size: 3,
      ret: "HDRS",
      envelopeId: "a+b=c",
      to: [
        { notify: ["SUCCESS", "DELAY"] },
        { address: "ä@d.example", notify: [], originalRecipient: { address: "x+y@d.example" } },
      ],
    });
  });

  it.each([
    ["SMTPUTF8", { from: "ä@b.example" }],
    ["SMTPUTF8", { utf8: true }],
    ["DSN", { ret: "FULL" }],
    ["DSN", { to: { address: "c@d.example", notify: [] } }],
    ["REQUIRETLS", { requireTls: true }],
    ["8BITMIME", { data: "é" }],
    ["CHUNKING", { binary: true }],
    ["AUTH", { submitter: "a@b.example" }],
  ] satisfies [string, Partial<OutgoingMail>][])(
    "%s not offered: %j is refused, and the next goes",
    async (keyword, wish) => {
      await using server = await lineServer(polite);
      await using client = await connectSmtp({ port: server.port });
      const sent = client.send({ ...mail, ...wish });
      await expect(sent).rejects.toMatchObject({
        code: "not-offered",
        message: expect.stringContaining(keyword),
      });
      await client.send(mail);
    },
  );

  it("LMTP: each recipient has a verdict of its own", async () => {
    const heard: string[] = [];
    const verdicts = ["250 ok", "452 4.2.2 full\r\n250 ok", "550 5.0.0 no\r\n550 5.0.0 no"];
    const answer = (line: string): string => {
      if (line.startsWith("LHLO")) return EHLO;
      return line === "." ? (verdicts.shift() ?? "") : polite(line);
    };
    await using server = await lineServer(answer, heard);
    await using client = await connectSmtp({ port: server.port, protocol: "lmtp" });
    const two = { ...mail, to: ["c@d.example", "e@d.example"] } as const;
    const results = await Promise.allSettled([client.send(mail), client.send(two), client.send(two)]);
    expect(results).toMatchObject([
      { value: { accepted: ["c@d.example"], refused: [] } },
      { value: { accepted: ["e@d.example"], refused: [{ address: "c@d.example", reply: { code: 452 } }] } },
      {
        reason: {
          code: "refused",
          attempt: { refused: [{ reply: { code: 550 } }, { reply: { code: 550 } }] },
        },
      },
    ]);
    expect(heard[0]).toMatch(/^LHLO /);
  });
});

describe("no argument carries a second command", () => {
  it("whatever stands in it, the server hears one message or none", async () => {
    const heard: string[] = [];
    await using server = await lineServer(
      (line) =>
        line.startsWith("EHLO")
          ? `250-x\r\n250-DSN\r\n250-SMTPUTF8\r\n250-AUTH PLAIN\r\n250 PIPELINING`
          : polite(line),
      heard,
    );
    await using client = await connectSmtp({ port: server.port });
    const evil = fc.string({
      unit: fc.constantFrom("a", "@", ".", ">", " ", "\r", "\n", "\r\n", "\0", "é", "RSET"),
      maxLength: 12,
    });
    const place = fc.constantFrom(
      "from",
      "to",
      "envelopeId",
      "original",
      "type",
      "submitter",
      "notify",
      "ret",
    );
    await fc.assert(
      fc.asyncProperty(place, evil, async (where, text) => {
        heard.length = 0;
        const recipient = {
          address: where === "to" ? text : "c@d.example",
          ...(where === "notify" ? { notify: [text as "SUCCESS"] } : {}),
          ...(where === "original" ? { originalRecipient: { type: "rfc822", address: text } } : {}),
          ...(where === "type" ? { originalRecipient: { type: text, address: "x" } } : {}),
        };
        const sent = await client
          .send({
            ...mail,
            from: where === "from" ? text : FROM,
            to: recipient,
            ...(where === "envelopeId" ? { envelopeId: text } : {}),
            ...(where === "submitter" ? { submitter: text } : {}),
            ...(where === "ret" ? { ret: text as "FULL" } : {}),
          })
          .then(
            () => true,
            (error: unknown) => {
              expect(error).toBeInstanceOf(SmtpError);
              return false;
            },
          );
        const lines = heard.join("").split("\r\n");
        if (!sent) expect(lines).toEqual([""]);
        else expect(lines.map((line) => line.slice(0, 4))).toEqual(["MAIL", "RCPT", "DATA", "x", ".", ""]);
        expect(heard.join("").replaceAll("\r\n", "")).not.toMatch(/[\r\n\0]/);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the length of a parameter is that of what is sent, in xtext (RFC 3461)", () => {
  it.each<[string, Partial<OutgoingMail>, Partial<OutgoingMail>]>([
    ["envelopeId", { envelopeId: "+".repeat(33) }, { envelopeId: "+".repeat(34) }],
    ["originalRecipient", original("rfc822", "+".repeat(164)), original("rfc822", "+".repeat(165))],
    ["originalRecipient", original("utf-8", "é".repeat(82)), original("utf-8", "é".repeat(83))],
  ])("%s", async (_, fits, long) => {
    const got: Got[] = [];
    await using server = await serve(got);
    await using client = await connectSmtp({ port: server.port });
    await client.send({ ...mail, ...fits });
    await expect(client.send({ ...mail, ...long })).rejects.toMatchObject({
      code: "bad-argument",
      blame: "local",
    });
    expect(got).toHaveLength(1);
  });
});

function original(type: string, address: string): Partial<OutgoingMail> {
  return { to: { address: "c@d.example", originalRecipient: { type, address } } };
}
