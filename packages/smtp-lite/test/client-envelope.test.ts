// What a client must not send: mail that needs TLS in the clear, a message nobody wrote, more messages than the server takes.
import { describe, expect, it } from "vitest";
import type { Connection } from "@tcpkit/core";
import { connectSmtp, sendMail, serveSmtp } from "../src/index.ts";
import { EHLO, lineServer, polite } from "./line-server.ts";

const mail = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;

it("a message that requires TLS does not leave without it, whatever is offered (RFC 8689 section 2)", async () => {
  const heard: string[] = [];
  const answer = (line: string): string =>
    line.startsWith("EHLO") ? "250-x\r\n250 REQUIRETLS" : polite(line);
  await using server = await lineServer(answer, heard);
  await expect(sendMail({ port: server.port, ...mail, requireTls: true })).rejects.toMatchObject({
    code: "not-offered",
    attempt: undefined,
  });
  expect(heard.join("")).not.toContain("MAIL");
});

it("a submitter who is not ASCII does not leave", async () => {
  await expect(sendMail({ port: 9, ...mail, submitter: "€ann@b.example" })).rejects.toMatchObject({
    code: "bad-argument",
  });
});

describe("a message that failed before its content is delivered to nobody, not even empty", () => {
  const no = (command: string) => (line: string) => (line.startsWith(command) ? "452 not now" : polite(line));
  it.each([
    ["RSET", no("RSET")],
    ["MAIL", no("MAIL FROM:<no@")],
  ])("%s is refused, and RCPT and DATA are not", async (_, answer) => {
    let recipients = 0;
    let delivered = 0;
    await using server = await lineServer((line: string, _connection: Connection): string => {
      if (line.startsWith("RCPT TO:<nobody@")) return "550 no";
      if (line.startsWith("RCPT")) recipients += 1;
      if (line === "." && recipients > 0) delivered += 1;
      return answer(line);
    });
    await using client = await connectSmtp({ port: server.port });
    const results = await Promise.allSettled([
      client.send({ ...mail, to: "nobody@d.example" }),
      client.send({ ...mail, from: "no@b.example" }),
    ]);
    expect(results).toMatchObject([
      { reason: { code: "refused", reply: { code: 550 } } },
      { reason: { code: "refused", reply: { code: 452 } } },
    ]);
    expect({ recipients, delivered }).toEqual({ recipients: 1, delivered: 0 });
  });
});

describe("LIMITS MAILMAX (RFC 9422)", () => {
  it("no more messages leave than the server takes of one connection", async () => {
    let messages = 0;
    await using server = await serveSmtp({ onMessage: () => void messages++ }, { limits: { messages: 2 } });
    await using client = await connectSmtp({ port: server.port });
    expect(client.extensions.get("LIMITS")).toContain("MAILMAX=2");
    const results = await Promise.allSettled([client.send(mail), client.send(mail), client.send(mail)]);
    expect(results).toMatchObject([
      { status: "fulfilled" },
      { status: "fulfilled" },
      { reason: { code: "not-offered", attempt: { outcome: "not-accepted" } } },
    ]);
    expect(messages).toBe(2);
  });

  it.each(["LIMITS", "LIMITS MAILMAX=0", "LIMITS MAILMAX=1x", "LIMITS XMAILMAX=1", "LIMITS RCPTMAX=1"])(
    "%s says nothing of messages",
    async (limits) => {
      const answer = (line: string): string =>
        line.startsWith("EHLO") ? `${EHLO.replace(" P", "-P")}\r\n250 ${limits}` : polite(line);
      await using server = await lineServer(answer);
      await using client = await connectSmtp({ port: server.port });
      await Promise.all([client.send(mail), client.send(mail)]);
    },
  );
});
