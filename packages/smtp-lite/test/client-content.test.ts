// Content that comes as a stream and goes wrong: nothing of it counts as a message, and nobody waits for more of it.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectSmtp, createTestInbox, sendMail } from "../src/index.ts";
import { lineServer, polite } from "./line-server.ts";

const mail = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;

async function* pieces(...all: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of all) {
    await Promise.resolve();
    yield Buffer.from(piece);
  }
}

/** Says yes to everything, BDAT too, but for what `answer` gives for a line. Content by BDAT is the line "x". */
function chunked(answer: (line: string) => string | undefined = () => undefined) {
  return (line: string): string => {
    if (line.startsWith("EHLO")) return "250-x\r\n250-PIPELINING\r\n250 CHUNKING";
    if (/^BDAT [1-9]/.test(line)) return "";
    return answer(line) ?? polite(line);
  };
}

it.each([undefined, null, 0, ""])("a stream that fails with %j delivers nothing", async (reason) => {
  await using inbox = await createTestInbox();
  async function* half(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("Subject: half\r\n\r\n");
    const failure = Promise.withResolvers<never>();
    failure.reject(reason);
    await failure.promise;
  }
  await expect(sendMail({ port: inbox.port, ...mail, data: half() })).rejects.toBe(reason);
  await sendMail({ port: inbox.port, ...mail });
  expect(inbox.messages.map(({ subject }) => subject)).toEqual([""]);
});

describe("a file that is not there", () => {
  it("fails the message, however long it had to wait", async () => {
    await using inbox = await createTestInbox();
    const missing = () => createReadStream("/there/is/no/such/file");
    await expect(sendMail({ port: inbox.port, ...mail, data: missing() })).rejects.toMatchObject({
      code: "ENOENT",
    });
    await using client = await connectSmtp({ port: inbox.port });
    const data = missing();
    const failed = new Promise<void>((resolve) => data.once("close", () => resolve()));
    async function* slow(): AsyncGenerator<Uint8Array> {
      await failed;
      yield Buffer.from("x\r\n");
    }
    const results = await Promise.allSettled([
      client.send({ ...mail, data: slow() }),
      client.send({ ...mail, data }),
      client.send(mail),
    ]);
    expect(results).toMatchObject([
      { status: "fulfilled" },
      { reason: { code: "ENOENT" } },
      { status: "fulfilled" },
    ]);
  });

  it("is told as what it is, where the arguments are bad or there is no server", async () => {
    const data = createReadStream("/there/is/no/such/file");
    await expect(sendMail({ port: 9, ...mail, to: "nobody", data })).rejects.toMatchObject({
      code: "bad-address",
    });
    await nextTurn();
  });
});

describe("what a stream may bring", () => {
  it.each([
    ["binary", { binary: true }, true],
    ["by BDAT", {}, true],
    ["by DATA", { chunking: false }, false],
  ])("strings are refused: %s", async (_, options, connectionLives) => {
    await using inbox = await createTestInbox();
    await using client = await connectSmtp({ port: inbox.port, ...options });
    const data = Readable.from(["Subject: €\r\n\r\n", "grün\r\n"]);
    await expect(client.send({ ...mail, ...options, data })).rejects.toMatchObject({
      code: "bad-argument",
      attempt: { outcome: "not-accepted" },
    });
    expect(inbox.messages).toEqual([]);
    const next = client.send(mail);
    if (connectionLives) await next;
    else await expect(next).rejects.toMatchObject({ code: "connection-closed" });
  });

  it("8 bits only where the server takes them, as in a string", async () => {
    const notOffered = { code: "not-offered", message: expect.stringContaining("8BITMIME") };
    const heard: string[] = [];
    await using server = await lineServer(polite, heard);
    const byData = sendMail({ port: server.port, ...mail, data: pieces("grün\r\n") });
    await expect(byData).rejects.toMatchObject(notOffered);
    await using chunking = await lineServer(chunked(), heard);
    await using client = await connectSmtp({ port: chunking.port });
    await expect(client.send({ ...mail, data: pieces("grün\r\n") })).rejects.toMatchObject(notOffered);
    await expect(client.send({ ...mail, data: "grün\r\n" })).rejects.toMatchObject(notOffered);
    expect(heard.join("")).not.toContain("gr");
    await client.send(mail);
  });

  it("the last line gets its CRLF, by BDAT and by DATA, of bytes, text and a stream; binary bytes stay as they are", async () => {
    await using inbox = await createTestInbox();
    for (const chunking of [true, false]) {
      await using client = await connectSmtp({ port: inbox.port, chunking });
      for (const data of ["\r\nx", Buffer.from("\r\nx"), pieces("\r\nx")])
        await client.send({ ...mail, data });
    }
    expect(inbox.messages.map(({ raw }) => Buffer.from(raw).toString().endsWith("\r\nx\r\n"))).toEqual(
      Array.from({ length: 6 }, () => true),
    );
    await sendMail({ port: inbox.port, ...mail, data: Buffer.from("\r\nx"), binary: true });
    expect(Buffer.from(inbox.messages[6]?.raw ?? "").toString()).toMatch(/\r\nx$/);
  });
});

it("a refused chunk is told at once, though the stream brings nothing more, and the next message goes", async () => {
  let refusals = 1;
  await using server = await lineServer(
    chunked((line) => {
      if (line !== "x") return undefined;
      refusals -= 1;
      return refusals >= 0 ? "552 5.3.4 too big" : "250 ok";
    }),
  );
  const client = await connectSmtp({ port: server.port });
  const stalled = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  async function* stalling(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from("x\r\n");
      await stalled.promise;
      yield Buffer.from("y\r\n");
    } finally {
      ended.resolve();
    }
  }
  const first = client.send({ ...mail, data: stalling() });
  const second = client.send({ ...mail, data: pieces("x\r\n") });
  await expect(first).rejects.toMatchObject({ code: "refused", reply: { code: 552 } });
  expect(await second).toMatchObject({ reply: { code: 250 } });
  await client.close();
  stalled.resolve();
  await ended.promise;
});
