// The parameters of MAIL and RCPT: what goes out comes back, and what the hooks see of them.
import { once } from "node:events";
import { connect as tlsConnect } from "node:tls";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Listener } from "@tcpkit/core";
import { ca, identity } from "./certificates.ts";
import { makePath } from "../src/address.ts";
import type { Command, Envelope, SmtpServerOptions } from "../src/index.ts";
import { formatCommand, parseCommand, serveSmtp, SmtpSession } from "../src/index.ts";
import { RawClient } from "./support.ts";

const text = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 });
const unicode = fc.string({ unit: fc.constantFrom("a", "é", "用", "😀", "+", "=", "\\", " "), minLength: 1 });
const dialect = { extended: true, secure: true, lmtp: false, utf8: true };

function roundTrip(command: Command): void {
  const line = formatCommand(command);
  expect(line).toMatch(/^[^\r\n]+\r\n$/);
  expect(parseCommand(line.slice(0, -2), 0, line.length, dialect)).toMatchObject(command);
}

describe("format and parse are inverse", () => {
  it("MAIL", () => {
    const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(value, { nil: undefined });
    const parameters = fc.record({
      size: maybe(fc.nat()),
      body: fc.constantFrom("7BIT", "8BITMIME", "BINARYMIME"),
      submitter: maybe(fc.constantFrom("a@b.example", "e=mc2+x@b.example", '"a b"@c.example')),
      requireTls: fc.boolean(),
      ret: fc.constantFrom("FULL", "HDRS", undefined),
      envelopeId: maybe(text),
    });
    fc.assert(
      fc.property(parameters, fc.constantFrom("a", "jörg", "用户"), (found, local) => {
        roundTrip({ type: "mail", from: makePath(local, "x.example"), ...found, utf8: local !== "a" });
      }),
    );
  });

  it("RCPT", () => {
    const original = fc.oneof(
      fc.record({ type: fc.constant("rfc822"), address: text }),
      fc.record({ type: fc.constant("utf-8"), address: unicode }),
    );
    const recipient = fc.record(
      {
        notify: fc.subarray<"SUCCESS" | "FAILURE" | "DELAY">(["SUCCESS", "FAILURE", "DELAY"]),
        originalRecipient: original,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(recipient, (found) => {
        roundTrip({ type: "rcpt", to: { ...makePath("ü", "x.example"), ...found } });
      }),
    );
  });

  it("a client sends UTF-8 in addresses with SMTPUTF8, and never without", () => {
    const client = new SmtpSession({ role: "client" });
    const mail = { size: undefined, body: "7BIT", submitter: undefined, requireTls: false } as const;
    const rest = { ...mail, ret: undefined, envelopeId: undefined };
    const from = makePath("jörg", "x.example");
    expect(client.send({ type: "mail", from, ...rest, utf8: true })).toBe(
      Buffer.from("MAIL FROM:<jörg@x.example> SMTPUTF8\r\n").toString("latin1"),
    );
    client.send({ type: "rcpt", to: from });
    client.send({ type: "mail", from: null, ...rest, utf8: false });
    expect(() => client.send({ type: "rcpt", to: from })).toThrow(/not printable ASCII/);
  });
});

describe("a server", () => {
  let listener: Listener | undefined;
  let envelope: Envelope | undefined;

  async function start(options: SmtpServerOptions = {}): Promise<RawClient> {
    listener = await serveSmtp({ onMessage: (got) => void (envelope = got) }, options);
    return new RawClient(listener.port);
  }

  afterEach(async () => {
    await listener?.close({ deadline: 0 });
  });

  it("passes on what MAIL and RCPT say", async () => {
    const client = await start({ hostname: "mail.example" });
    client.write("EHLO x\r\n");
    client.write(
      Buffer.from("MAIL FROM:<jörg@x.example> SMTPUTF8 RET=HDRS ENVID=a+2Bb AUTH=e@x.example\r\n"),
    );
    client.write(
      Buffer.from("RCPT TO:<用户@例え.example> NOTIFY=NEVER ORCPT=rfc822;old@x.example\r\nDATA\r\n"),
    );
    expect(await client.codes(5)).toEqual(["220", "250", "250", "250", "354"]);
    client.write(".\r\n");
    await client.reply();
    expect(envelope).toMatchObject({
      from: { address: "jörg@x.example", localPart: "jörg" },
      utf8: true,
      ret: "HDRS",
      envelopeId: "a+b",
      submitter: undefined,
      requireTls: false,
      to: [
        {
          address: "用户@例え.example",
          notify: [],
          originalRecipient: { type: "rfc822", address: "old@x.example" },
        },
      ],
    });
    expect(envelope?.received).toContain("with UTF8SMTP id");
    expect(envelope?.received).toContain("for <用户@例え.example>;");
  });

  it("offers REQUIRETLS under TLS only (RFC 8689 section 2)", async () => {
    const plain = await start();
    plain.write("EHLO x\r\n");
    await plain.reply();
    expect(await plain.reply()).not.toContain("REQUIRETLS");
    await listener?.close({ deadline: 0 });
    await start({ tls: identity("one.test") });
    const socket = tlsConnect({ port: listener?.port ?? 0, ca, servername: "one.test" });
    await once(socket, "secureConnect");
    const secret = new RawClient(socket);
    secret.write("");
    await secret.reply();
    secret.write("EHLO x\r\nMAIL FROM:<> REQUIRETLS\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
    expect(await secret.reply()).toContain("REQUIRETLS");
    await secret.codes(3);
    secret.write(".\r\n");
    await secret.reply();
    expect(envelope).toMatchObject({ requireTls: true });
  });

  it("tells its limits, and keeps to them (RFC 9422)", async () => {
    const client = await start({ limits: { recipients: 1, messages: 2 } });
    client.write("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<a@b.example>\r\nRSET\r\n");
    await client.reply();
    expect(await client.reply()).toContain("LIMITS RCPTMAX=1 MAILMAX=2\r\n");
    expect(await client.codes(4)).toEqual(["250", "250", "452", "250"]);
    client.write("MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n");
    expect(await client.codes(2)).toEqual(["250", "250"]);
    expect(await client.reply()).toBe("452 4.5.3 Too many messages on one connection, open another\r\n");
  });
});
