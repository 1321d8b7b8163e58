// The inbox with two clients that do not know each other: nodemailer, and smtp-lite's own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "@tcpkit/core";
import { sendMail } from "@tcpkit/smtp-lite";
import { createTransport } from "nodemailer";
import { describe, expect, it } from "vitest";
import { serveInbox } from "../src/inbox.ts";
import { readSubject } from "../src/subject.ts";

describe("the inbox", () => {
  it("prints sender, recipients and subject of what nodemailer sends, whatever the script", async () => {
    const printed: string[] = [];
    await using inbox = await serveInbox((line) => printed.push(line));
    const transport = createTransport({ host: "127.0.0.1", port: inbox.port, ignoreTLS: true });
    const [from, to] = ["Ann <ann@example.com>", ["bob@example.com", "cy@example.com"]];
    await transport.sendMail({ from, to, subject: "lunch?", text: "at noon" });
    const subject = `${"你好，世界".repeat(12)} — Grüße aus Köln`;
    await transport.sendMail({ from, to: "bob@example.com", subject, text: "." });
    transport.close();
    expect(printed).toEqual([
      "ann@example.com to bob@example.com, cy@example.com: lunch?",
      `ann@example.com to bob@example.com: ${subject}`,
    ]);
  });

  it("prints a bounce, a message without a subject, and no control characters", async () => {
    const printed: string[] = [];
    await using inbox = await serveInbox((line) => printed.push(line));
    const to = "bob@example.com";
    await sendMail({ port: inbox.port, from: null, to, data: "Subject: =?utf-8?Q?=1B[2J?=\n\nx" });
    await sendMail({ port: inbox.port, from: "ann@example.com", to, data: "To: bob\n\nSubject: not here" });
    expect(printed).toEqual([
      "<> (a bounce) to bob@example.com: \uFFFD[2J",
      "ann@example.com to bob@example.com: (no subject)",
    ]);
  });

  it("prints nothing of a message whose client goes in the middle", async () => {
    const printed: string[] = [];
    await using inbox = await serveInbox((line) => printed.push(line));
    const script = [
      "EHLO x",
      "MAIL FROM:<a@example.com>",
      "RCPT TO:<b@example.com>",
      "DATA",
      "Subject: half",
    ];
    const client = await connect({ port: inbox.port });
    let reply = "";
    client.on("data", (chunk) => {
      reply += chunk.toString();
      // The last line of a reply has a space after its code.
      if (!/^\d{3} [^\n]*\n/m.test(reply)) return;
      reply = "";
      const command = script.shift();
      if (command === undefined) return;
      client.write(`${command}\r\n`);
      if (script.length === 0) client.end();
    });
    await once(client, "close");
    expect(printed).toEqual([]);
  });

  it("runs by itself, and ends in good order", async () => {
    const file = join(import.meta.dirname, "../src/inbox.ts");
    const inbox = spawn(process.execPath, [file, "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(inbox.stdout);
    const [banner] = (await once(lines, "line")) as [string];
    expect(banner).toMatch(/^the inbox listens on 127\.0\.0\.1:\d+; Ctrl-C stops$/);
    const port = Number(/:(\d+);/.exec(banner)?.[1]);
    const line = once(lines, "line");
    await sendMail({ port, from: "ann@example.com", to: "bob@example.com", data: "Subject: hi\n\nhello" });
    expect(await line).toEqual(["ann@example.com to bob@example.com: hi"]);
    inbox.kill("SIGTERM");
    expect(await once(inbox, "exit")).toEqual([0, null]);
  });
});

describe("the subject", () => {
  it.each([
    ["Subject: plain\r\n\r\n", "plain"],
    ["From: a\r\nSUBJECT:in\r\n two lines\r\nTo: b\r\n\r\n", "in two lines"],
    ["Subject: =?utf-8?B?5L2g?= =?utf-8?b?5aW9?= x\r\n\r\n", "你好 x"],
    ["Subject: =?iso-8859-1?q?caf=E9_noir?=\r\n\r\n", "café noir"],
    ["Subject: =?gb2312?B?xOO6ww==?=\r\n\r\n", "你好"],
    ["Subject: =?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=\r\n\r\n", "café"],
    ["Subject: =?x-nobody?Q?a=62c?=\r\n\r\n", "=?x-nobody?Q?a=62c?="],
    ["Subject: 你好\r\n\r\n", "你好"],
    ["Subject: =?not an encoded word?=\r\n\r\n", "=?not an encoded word?="],
    ["Subject: no body", "no body"],
    ["\r\nSubject: in the body\r\n", undefined],
    ["", undefined],
  ])("of %j is %j, however the bytes are cut", async (message, subject) => {
    const bytes = Buffer.from(message);
    for (const size of [1, 3, 1000]) expect(await readSubject(pieces(bytes, size))).toBe(subject);
  });
});

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
