// Real clients against a real server.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPClient } from "emailjs";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Listener } from "@tcpkit/core";
import type { Envelope } from "../src/index.ts";
import { serveSmtp } from "../src/index.ts";
import { run, withTool } from "./tools.ts";

interface Kept {
  readonly envelope: Envelope;
  readonly content: string;
}

let smtp: Listener;
let kept: Kept[] = [];
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "smtp-lite-clients-"));
  smtp = await serveSmtp(
    {
      async onMessage(envelope, body) {
        const pieces: Uint8Array[] = [];
        for await (const bytes of body) pieces.push(Buffer.from(bytes));
        kept.push({ envelope, content: Buffer.concat(pieces).toString() });
      },
    },
    { hostname: "mail.example" },
  );
});
beforeEach(() => {
  kept = [];
});
afterAll(async () => {
  await smtp.close({ deadline: 0 });
  rmSync(folder, { recursive: true, force: true });
});

const FROM = "ann@example.com";
const TO = "bob@example.org";
/** Lines that begin with dots are what goes wrong first. */
const TEXT = "first\n.\n..two\n.end\n";
const MESSAGE = `Subject: dots\n\n${TEXT}`;
const CONTENT = MESSAGE.replaceAll("\n", "\r\n");

function expectOne(body = CONTENT.slice("Subject: dots".length)): Kept {
  expect(kept).toHaveLength(1);
  const [only] = kept;
  expect(only?.envelope).toMatchObject({ from: { address: FROM }, to: [{ address: TO }] });
  expect(only?.content).toContain(body);
  return only as Kept;
}

describe("real clients", () => {
  for (const pipeline of [false, true]) {
    withTool("swaks")(`swaks${pipeline ? ", pipelining" : ""}`, async () => {
      const args = ["--server", "127.0.0.1", "--port", `${smtp.port}`, "--from", FROM, "--to", TO];
      if (pipeline) args.push("--pipeline");
      const output = await run("swaks", [...args, "--data", CONTENT]);
      expect(output).toContain("250 2.0.0 Accepted as");
      expectOne();
    });
  }

  withTool("curl")("curl", async () => {
    const file = join(folder, "message.eml");
    writeFileSync(file, CONTENT);
    const args = [
      "-sS",
      `smtp://127.0.0.1:${smtp.port}/client.example`,
      "--mail-from",
      FROM,
      "--mail-rcpt",
      TO,
    ];
    await run("curl", [...args, "--upload-file", file]);
    expect(expectOne().envelope.helo).toBe("client.example");
  });

  withTool("python3")("Python's smtplib", async () => {
    const script = `
import smtplib, sys
with smtplib.SMTP("127.0.0.1", ${smtp.port}) as smtp:
    assert smtp.verify("bob")[0] == 252
    assert smtp.noop()[0] == 250
    assert smtp.sendmail("${FROM}", ["${TO}"], sys.stdin.read()) == {}
`;
    await run("python3", ["-c", script], MESSAGE);
    expectOne();
  });

  withTool("msmtp")("msmtp", async () => {
    const args = ["--host=127.0.0.1", `--port=${smtp.port}`, "--tls=off", "--auth=off", `--from=${FROM}`, TO];
    await run("msmtp", args, MESSAGE, { HOME: folder });
    expectOne();
  });

  withTool("s-nail")("s-nail", async () => {
    const set = ["-S", "v15-compat", "-S", `mta=smtp://127.0.0.1:${smtp.port}`, "-S", "smtp-auth=none"];
    await run("s-nail", ["-:/", ...set, "-S", "sendwait", "-r", FROM, "-s", "dots", TO], TEXT, {
      HOME: folder,
    });
    expectOne(TEXT.replaceAll("\n", "\r\n"));
  });

  withTool("mutt")("mutt", async () => {
    const settings = [
      `set smtp_url = "smtp://127.0.0.1:${smtp.port}" from = ${FROM}`,
      "set use_envelope_from ssl_starttls = no ssl_force_tls = no copy = no",
    ];
    const file = join(folder, "muttrc");
    writeFileSync(file, settings.join("\n"));
    await run("mutt", ["-n", "-F", file, "-s", "dots", "--", TO], TEXT, { HOME: folder });
    expectOne(TEXT.replaceAll("\n", "\r\n"));
  });

  withTool("smtp-source")(
    "Postfix smtp-source: 200 messages on 8 connections, and one on each of 20",
    async () => {
      const address = `127.0.0.1:${smtp.port}`;
      await run("smtp-source", ["-d", "-s", "8", "-m", "200", "-l", "20000", "-f", FROM, "-t", TO, address]);
      expect(kept).toHaveLength(200);
      expect(kept.every(({ content }) => content.length >= 20_000)).toBe(true);
      kept = [];
      await run("smtp-source", ["-s", "4", "-m", "20", "-r", "3", "-f", FROM, "-t", TO, address]);
      expect(kept.map(({ envelope }) => envelope.to.length)).toEqual(Array.from({ length: 20 }, () => 3));
    },
  );

  it("emailjs, two messages on one connection; a text without CRLF it sends as it is, to be refused", async () => {
    const client = new SMTPClient({ host: "127.0.0.1", port: smtp.port });
    // Lines that begin with dots it does not stuff.
    const message = { from: FROM, to: TO, subject: "lines", text: "first\r\n second\r\n" };
    await client.sendAsync(message);
    expectOne("\r\n\r\nfirst\r\n second\r\n");
    await client.sendAsync({ ...message, to: [TO, "carol@example.org"] });
    expect(kept[1]?.envelope.to).toHaveLength(2);
    const bare = client.sendAsync({ ...message, text: "first\nsecond\n" });
    await expect(bare).rejects.toThrow("5.5.2 The message has a CR or LF that is not part of CRLF");
    client.smtp.close();
  });

  it("nodemailer, an attachment and a pool", async () => {
    const transport = createTransport({
      host: "127.0.0.1",
      port: smtp.port,
      pool: true,
      maxConnections: 1,
      ignoreTLS: true,
    });
    const attachments = [{ filename: "dots.bin", content: Buffer.alloc(100_000, "..\r\n") }];
    const info = await transport.sendMail({ from: FROM, to: TO, subject: "dots", text: TEXT, attachments });
    expect(info.response).toMatch(/^250 2\.0\.0 Accepted as /);
    expect(expectOne("--\r\n").content).toContain("first\r\n.\r\n..two\r\n.end\r\n");
    await transport.sendMail({ from: FROM, to: [TO, "carol@example.org"], text: "again" });
    expect(kept[1]?.envelope.to).toHaveLength(2);
    transport.close();
  });
});
