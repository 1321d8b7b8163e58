// CHUNKING and BINARYMIME, RFC 3030: what the server and its hooks make of chunks. What the engine does is in the vectors.
import { afterEach, describe, expect, it } from "vitest";
import type { Listener, Output } from "@tcpkit/core";
import type { SmtpHooks, SmtpServerOptions } from "../src/index.ts";
import { serveSmtp, SmtpReply, SmtpSession } from "../src/index.ts";
import { acceptAll, RawClient } from "./support.ts";

const OPEN = "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

let listener: Listener | undefined;
let kept: Buffer[] = [];

async function start(hooks: Partial<SmtpHooks> = {}, options: SmtpServerOptions = {}): Promise<RawClient> {
  const onMessage: SmtpHooks["onMessage"] = async (_, body) => {
    const pieces: Uint8Array[] = [];
    for await (const bytes of body) pieces.push(Buffer.from(bytes));
    kept.push(Buffer.concat(pieces));
  };
  listener = await serveSmtp({ onMessage, ...hooks }, { hostname: "mail.example", ...options });
  return new RawClient(listener.port);
}

afterEach(async () => {
  kept = [];
  await listener?.close({ deadline: 0 });
});

describe("BDAT", () => {
  it("delivers exact octets, whatever they are and however they are cut; 250 a chunk, all pipelined", async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));
    const client = await start();
    client.write(`${OPEN.replace("b.example>", "b.example> BODY=BINARYMIME")}BDAT 33333\r\n`);
    client.write(content.subarray(0, 33_333)).write("BDAT 66667\r\n").write(content.subarray(33_333));
    client.write("BDAT 0 LAST\r\nNOOP\r\n");
    await client.codes(4);
    expect(await client.reply()).toBe("250 2.0.0 33333 octets so far\r\n");
    expect(await client.reply()).toBe("250 2.0.0 100000 octets so far\r\n");
    expect(await client.reply()).toMatch(/^250 2\.0\.0 Accepted as /);
    expect(await client.codes(1)).toEqual(["250"]);
    expect(kept).toEqual([content]);
  });

  it("over the limit: 552 5.3.4 for that chunk and 503 for the rest, and not an octet of them is a command", async () => {
    const client = await start({}, { limits: { messageSize: 10 } });
    client.write(`${OPEN}BDAT 6\r\nNOOP\r\nBDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\nMAIL FROM:<>\r\n`);
    expect(await client.codes(8)).toEqual("220 250 250 250 250 552 503 250".split(" "));
    expect(kept).toEqual([]);
  });

  it("onMessage that refuses: the last chunk says so", async () => {
    const client = await start({
      onMessage() {
        throw new SmtpReply(550, "5.7.1", "not this one");
      },
    });
    client.write(`${OPEN}BDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\nMAIL FROM:<>\r\n`);
    expect(await client.codes(7)).toEqual("220 250 250 250 250 550 250".split(" "));
  });

  it.each([
    ["RSET", "RSET\r\n", "cancelled"],
    ["EHLO", "EHLO x\r\n", "cancelled"],
    ["QUIT", "QUIT\r\n", "connection-closed"],
  ])("%s between two chunks: the body fails, nothing is delivered", async (_, command, code) => {
    const { promise: failure, resolve, reject } = Promise.withResolvers<unknown>();
    const errors: unknown[] = [];
    const client = await start(
      {
        async onMessage(envelope, body) {
          try {
            for await (const bytes of body) expect(bytes.length).toBe(3);
            reject(new Error(`${envelope.id} became whole`));
          } catch (error) {
            resolve(error);
            throw error;
          }
        },
      },
      { onError: (error) => errors.push(error) },
    );
    client.write(`${OPEN}BDAT 3\r\na\r\n`);
    await client.codes(5);
    client.write(command);
    await client.reply();
    expect(await failure).toMatchObject({ code });
    expect(errors).toEqual([]);
  });

  it("a message under way by chunks may still arrive whole when the server goes down", async () => {
    const client = await start();
    client.write(`${OPEN}BDAT 3\r\na\r\n`);
    await client.codes(5);
    const closed = listener?.close();
    client.write("BDAT 3 LAST\r\nb\r\n");
    expect(await client.codes(2)).toEqual(["250", "421"]);
    expect(await closed).toEqual({ drained: 1, cut: 0 });
    expect(kept.map(String)).toEqual(["a\r\nb\r\n"]);
  });
});

it("what the client's side sends in chunks, the server's side takes", () => {
  const client = new SmtpSession({ role: "client" });
  const server = new SmtpSession();
  const types: string[] = [];
  const give = (output: Output): void => {
    for (const bytes of typeof output === "string" || output instanceof Uint8Array ? [output] : output)
      server.receive(Buffer.from(bytes as string, "latin1"));
    for (let event = server.next(); event !== undefined; event = server.next()) {
      types.push(event.type === "data" ? String(event.bytes) : event.type);
      const reply = acceptAll(event);
      if (reply !== undefined) server.send(reply);
    }
  };
  give("");
  give(OPEN);
  give(
    client.send([
      { type: "chunk", bytes: Buffer.from(".\r\n"), last: false },
      { type: "chunk", bytes: Buffer.from("..\n"), last: true },
    ]),
  );
  expect(types.slice(4)).toEqual(["bdat", ".\r\n", "chunk-end", "bdat", "..\n", "message-end"]);
});
