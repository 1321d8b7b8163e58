// The end of a client, as often as it is asked for; and codes that it has never seen, up to the last of them.
import { describe, expect, it } from "vitest";
import { connectSmtp, createTestInbox, sendMail } from "../src/index.ts";
import { lineServer, polite } from "./line-server.ts";

const mail = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;

describe("close()", () => {
  it("may be called as often as one likes, and all resolve", async () => {
    await using inbox = await createTestInbox();
    const client = await connectSmtp({ port: inbox.port });
    const sent = client.send(mail);
    await Promise.all([client.close(), client.close(), sent]);
    await client.close();
    expect(inbox.messages).toHaveLength(1);
  });

  it("lets what was sent before arrive, and nothing after", async () => {
    await using inbox = await createTestInbox();
    const client = await connectSmtp({ port: inbox.port });
    const before = client.send(mail);
    const closed = client.close();
    const late = { code: "connection-closed", attempt: { outcome: "not-accepted" } };
    await expect(client.send(mail)).rejects.toMatchObject(late);
    expect(await before).toMatchObject({ reply: { code: 250 } });
    await expect(client.send(mail)).rejects.toMatchObject(late);
    await closed;
    await expect(client.send(mail)).rejects.toMatchObject(late);
    expect(inbox.messages).toHaveLength(1);
  });

  it("resolves when the connection ends before the messages have", async () => {
    await using server = await lineServer((line, connection) => {
      if (line === "DATA") connection.destroy();
      return polite(line);
    });
    const client = await connectSmtp({ port: server.port });
    const sent = expect(client.send(mail)).rejects.toMatchObject({ code: "connection-closed" });
    await Promise.all([client.close(), client.close(), sent]);
  });
});

describe("codes that nobody knows (RFC 5321 section 4.2)", () => {
  it.each([
    ["EHLO", "200-x\r\n200 PIPELINING"],
    ["MAIL", "200 ok"],
    ["RCPT", "259 ok"],
    ["DATA", "350 go"],
    [".", "251 ok"],
    [".", "200 ok"],
    ["QUIT", "200 bye"],
  ])("say yes where their first digit does: %s, %s", async (command, reply) => {
    await using server = await lineServer((line) => (line.startsWith(command) ? reply : polite(line)));
    expect(await sendMail({ port: server.port, ...mail })).toMatchObject({ accepted: ["c@d.example"] });
  });

  it("to chunks, and to each recipient of LMTP", async () => {
    const answer = (line: string): string => {
      if (line.startsWith("LHLO")) return "250-x\r\n250-CHUNKING\r\n250 PIPELINING";
      return /^(?:x|BDAT 0)/.test(line) ? "251 ok" : line.startsWith("BDAT") ? "" : polite(line);
    };
    await using server = await lineServer(answer);
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x\r\n");
    }
    const sent = sendMail({ port: server.port, protocol: "lmtp", ...mail, data: stream() });
    expect(await sent).toMatchObject({ accepted: ["c@d.example"], reply: { code: 251 } });
  });

  it("say no where it is another: DATA is not answered by 2yz, MAIL not by 3yz", async () => {
    for (const [command, reply] of [
      ["DATA", "250 ok"],
      ["MAIL", "350 ok"],
      [".", "350 ok"],
    ] as const) {
      await using server = await lineServer((line) => (line.startsWith(command) ? reply : polite(line)));
      await expect(sendMail({ port: server.port, ...mail })).rejects.toMatchObject({ code: "refused" });
    }
  });
});
