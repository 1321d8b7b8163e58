// A stream that is given as content ends with its message, whatever became of that.
import { once } from "node:events";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";
import { describe, expect, it } from "vitest";
import type { OutgoingMail } from "../src/index.ts";
import { connectSmtp, sendMail } from "../src/index.ts";
import { EHLO, lineServer, polite } from "./line-server.ts";

const mail = { from: "a@b.example", to: "c@d.example" } as const;

interface Watched {
  readonly data: AsyncIterable<Uint8Array>;
  /** Resolves when it was ended. */
  readonly ended: Promise<unknown>;
}

/** Some bytes, and then nothing for ever: only `destroy()` ends it. */
function endless(): Watched {
  const data = new Readable({ read: () => undefined });
  data.push("x\r\n");
  return { data, ended: once(data, "close") };
}

/** Bytes for ever, until `return()`. */
function everMore(): Watched {
  const ended = Promise.withResolvers<void>();
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => nextTurn({ done: false, value: Buffer.from("x\r\n") }),
    return() {
      ended.resolve();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { data: { [Symbol.asyncIterator]: () => iterator }, ended: ended.promise };
}

const CHUNKING = `${EHLO}\r\n250 CHUNKING`.replace("250 P", "250-P");

describe.each([
  ["a Node stream", endless],
  ["an iterable", everMore],
])("%s", (_, make) => {
  const cases: [string, Partial<OutgoingMail>, (line: string, connection: Connection) => string][] = [
    ["a bad address", { to: "nobody at all" }, polite],
    ["a bad argument", { envelopeId: "é" }, polite],
    ["what is not offered", { requireTls: true }, polite],
    ["a refused sender", {}, (line) => (line.startsWith("MAIL") ? "550 no" : polite(line))],
    [
      "a server that took nobody and says 354",
      {},
      (line) => (line.startsWith("RCPT") ? "550 no" : polite(line)),
    ],
    [
      "an address that no line can carry",
      { to: { address: "c@d.example", notify: ["X" as "DELAY"] } },
      polite,
    ],
    ["a refusal in the middle", {}, (line) => (line === "DATA" ? "354 go\r\n554 no" : polite(line))],
    [
      "a refused chunk",
      {},
      (line) => {
        if (line.startsWith("EHLO")) return CHUNKING;
        return line.startsWith("BDAT") ? "554 no" : line === "x" ? "" : polite(line);
      },
    ],
    [
      "an end in the middle",
      {},
      (line, connection) => {
        if (line === "DATA") setImmediate(() => connection.destroy());
        return polite(line);
      },
    ],
    [
      "an end before its turn",
      {},
      (line, connection) => {
        if (line.startsWith("MAIL")) connection.destroy();
        return polite(line);
      },
    ],
  ];
  it.each(cases)("ends with %s", async (_, wish, answer) => {
    await using server = await lineServer(answer);
    const { data, ended } = make();
    await expect(sendMail({ port: server.port, ...mail, ...wish, data })).rejects.toThrow();
    await ended;
  });

  it("ends where there is no server", async () => {
    const server = await listen();
    const { port } = server;
    await server.close();
    const { data, ended } = make();
    await expect(sendMail({ port, ...mail, data })).rejects.toThrow();
    await ended;
  });

  it("ends where its turn never comes", async () => {
    await using server = await lineServer((line, connection) => {
      if (line === ".") connection.destroy();
      return polite(line);
    });
    const client = await connectSmtp({ port: server.port });
    const { data, ended } = make();
    const results = await Promise.allSettled([
      client.send({ ...mail, data: "x" }),
      client.send({ ...mail, data }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await ended;
    await client.close();
    const late = make();
    await expect(client.send({ ...mail, data: late.data })).rejects.toThrow();
    await late.ended;
  });
});

it("a stream that was sent to its end closes by itself", async () => {
  await using server = await lineServer(polite);
  const data = Readable.from([Buffer.from("x\r\n")]);
  const closed = once(data, "close");
  await sendMail({ port: server.port, ...mail, data });
  await closed;
});

it.each([undefined, null, 5, {}])(
  "content that is none (%j) is refused before anything is sent",
  async (data) => {
    const wrong = { ...mail, data } as unknown as OutgoingMail;
    await expect(sendMail({ ...wrong, port: 9 })).rejects.toMatchObject({ code: "bad-argument" });
    const badSender = { ...wrong, from: "no address" };
    await expect(sendMail({ ...badSender, port: 9 })).rejects.toMatchObject({ code: "bad-address" });
  },
);

it("a stream whose end fails does not hold up the result", async () => {
  await using server = await lineServer(polite);
  const data = {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
      throw new Error("the disk is gone");
    },
    destroy(): void {
      throw new Error("twice");
    },
  };
  await expect(sendMail({ ...mail, port: server.port, data })).rejects.toThrow("the disk is gone");
});
