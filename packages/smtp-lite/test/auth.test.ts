// AUTH: RFC 4954, with the mechanisms of src/sasl, by hand and by real clients.
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { createTransport } from "nodemailer";
import { afterAll, afterEach, describe, expect, expectTypeOf, it } from "vitest";
import type { Listener, Span } from "@tcpkit/core";
import { EventLog } from "@tcpkit/core";
import { ca, caFile, identity } from "./certificates.ts";
import type {
  Envelope,
  SaslCredentials,
  SmtpEvent,
  SmtpHooks,
  SmtpServerOptions,
  Verdict,
} from "../src/index.ts";
import { serveSmtp, SmtpReply, SmtpSession } from "../src/index.ts";
import { acceptAll, RawClient } from "./support.ts";
import { run, withTool } from "./tools.ts";

const starttls = identity("one.test");
const folder = mkdtempSync(join(tmpdir(), "smtp-lite-auth-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let listener: Listener | undefined;
let envelopes: Envelope[] = [];

/** Ann's password is "secret", her token "token". */
function onAuth(credentials: SaslCredentials): Verdict {
  const ann = credentials.username === "ann";
  if (credentials.mechanism !== "XOAUTH2") return credentials.check(ann ? "secret" : undefined);
  return ann && credentials.token === "token" ? credentials.accept() : credentials.refuse();
}

async function start(options: SmtpServerOptions = {}, hooks: Partial<SmtpHooks> = {}): Promise<RawClient> {
  listener = await serveSmtp(
    { onAuth, onMessage: (envelope) => void envelopes.push(envelope), ...hooks },
    { hostname: "mail.example", allowInsecureAuth: true, ...options },
  );
  return new RawClient(listener.port);
}

afterEach(async () => {
  envelopes = [];
  await listener?.close({ deadline: 0 });
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The next event, answered. */
function pull(session: SmtpSession): SmtpEvent | undefined {
  const event = session.next();
  const reply = event && acceptAll(event);
  if (reply !== undefined) session.send(reply);
  return event;
}

const plain = base64("\0ann\0secret");
const mail = "MAIL FROM:<a@b.example> AUTH=x@y.example\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";

describe("AUTH", () => {
  it("tells the message who sends it, and by what: ESMTPA (RFC 3848)", async () => {
    const client = await start();
    client.write("EHLO x\r\n");
    await client.reply();
    expect(await client.reply()).toContain("AUTH SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN XOAUTH2\r\n");
    client.write(mail);
    await client.codes(3);
    client.write(`.\r\nAUTH PLAIN ${plain}\r\n`);
    expect(await client.codes(2)).toEqual(["250", "235"]);
    client.write(mail);
    await client.codes(3);
    client.write(".\r\nQUIT\r\n");
    await client.codes(2);
    const [before, after] = envelopes;
    expect(before).toMatchObject({ auth: undefined, submitter: undefined });
    expect(before?.received).toContain("with ESMTP id");
    expect(after).toMatchObject({
      auth: { mechanism: "PLAIN", username: "ann" },
      submitter: "x@y.example",
    });
    expect(after?.received).toContain("with ESMTPA id");
  });

  it("is not offered before TLS, and refused there: 538 5.7.11", async () => {
    const client = await start({ starttls, allowInsecureAuth: false });
    client.write(`EHLO x\r\nAUTH PLAIN ${plain}\r\n`);
    await client.reply();
    expect(await client.reply()).not.toContain("AUTH");
    expect(await client.reply()).toMatch(/^538 5\.7\.11 /);
  });

  it("is offered under TLS; the message came by ESMTPSA", async () => {
    await start({ tls: starttls, allowInsecureAuth: false, requireAuth: true });
    const secret = new RawClient(tlsConnect({ port: listener?.port ?? 0, ca, servername: "one.test" }));
    secret.write("");
    await secret.reply();
    secret.write(`EHLO x\r\nAUTH PLAIN ${plain}\r\n${mail}`);
    expect(await secret.reply()).toContain("AUTH SCRAM-SHA-256");
    expect(await secret.codes(4)).toEqual(["235", "250", "250", "354"]);
    secret.write(".\r\n");
    await secret.reply();
    expect(envelopes[0]?.received).toContain("with ESMTPSA id");
  });

  it("unknown mechanism 504 5.5.4, wrong password 535 5.7.8, no message of the mechanism 501", async () => {
    const client = await start({ mechanisms: ["PLAIN"] });
    client.write(`EHLO x\r\nAUTH LOGIN\r\nAUTH FOO =\r\nAUTH PLAIN ${base64("\0ann\0wrong")}\r\n`);
    client.write(`AUTH PLAIN ${base64("\0bob\0secret")}\r\nAUTH PLAIN ${base64("what")}\r\n`);
    await client.reply();
    expect(await client.reply()).toContain("AUTH PLAIN\r\n");
    expect(await client.reply()).toBe("504 5.5.4 Unknown mechanism\r\n");
    expect(await client.reply()).toBe("504 5.5.4 Unknown mechanism\r\n");
    expect(await client.reply()).toBe("535 5.7.8 Wrong user name, password or token\r\n");
    expect(await client.reply()).toBe("535 5.7.8 Wrong user name, password or token\r\n");
    expect(await client.reply()).toMatch(/^501 5\.5\.2 /);
  });

  it("onAuth that fails: 454 4.7.0 and a report; what it says itself is said", async () => {
    const errors: unknown[] = [];
    let fail: unknown = new Error("secret: no database");
    const client = await start(
      { onError: (error) => errors.push(error) },
      {
        onAuth() {
          throw fail;
        },
      },
    );
    client.write(`EHLO x\r\nAUTH PLAIN ${plain}\r\n`);
    await client.codes(2);
    expect(await client.reply()).toMatch(/^454 4\.7\.0 (?!.*secret)/);
    expect(errors).toEqual([fail]);
    fail = new SmtpReply(535, "5.7.8", "not on Sundays");
    client.write(`AUTH PLAIN ${plain}\r\n`);
    expect(await client.reply()).toBe("535 5.7.8 not on Sundays\r\n");
  });

  it("with requireAuth no mail without it: 530 5.7.0 (section 6)", async () => {
    const client = await start({ requireAuth: true });
    client.write(
      `NOOP\r\nHELO x\r\nEHLO x\r\nMAIL FROM:<>\r\nVRFY x\r\nRSET\r\nAUTH PLAIN ${plain}\r\n${mail}`,
    );
    expect(await client.codes(11)).toEqual("220 250 250 250 530 530 250 235 250 250 354".split(" "));
  });

  it("with requireAuth all commands of mail get 530, in a pipeline too, before AUTH and after a wrong one", async () => {
    const client = await start({ requireAuth: true });
    const group = `${mail.replace("DATA", "BDAT 6")}NOOP\r\nDATA\r\n`;
    client.write(`EHLO x\r\n${group}`);
    expect(await client.codes(6)).toEqual("220 250 530 530 530 530".split(" "));
    client.write(`AUTH PLAIN ${base64("\0ann\0wrong")}\r\n${group}`);
    expect(await client.codes(5)).toEqual("535 530 530 530 530".split(" "));
    client.write(`AUTH PLAIN ${plain}\r\nRCPT TO:<c@d.example>\r\n${mail}`);
    expect(await client.codes(5)).toEqual("235 503 250 250 354".split(" "));
  });

  it("whom onConnect turned away hears 503, whatever is required (RFC 5321 section 3.1)", async () => {
    const onConnect = (): never => {
      throw new SmtpReply(554, "5.7.1", "not you");
    };
    const client = await start({ requireAuth: true }, { onConnect });
    await client.reply();
    client.write(`EHLO x\r\n${mail}QUIT\r\n`);
    expect(await client.codes(5)).toEqual("503 503 503 503 221".split(" "));
  });

  it("without onAuth it is not there: 502", async () => {
    listener = await serveSmtp({ onMessage: () => undefined }, { allowInsecureAuth: true });
    const client = new RawClient(listener.port);
    client.write("EHLO x\r\nAUTH PLAIN =\r\n");
    await client.reply();
    expect(await client.reply()).not.toContain("AUTH");
    expect(await client.reply()).toBe("502 5.5.1 AUTH is not offered\r\n");
  });

  it.each([
    [{ requireAuth: true }, {}],
    [{ requireAuth: true }, { onAuth }],
  ] satisfies [SmtpServerOptions, Partial<SmtpHooks>][])("nobody could pass: %j", async (options, hooks) => {
    await expect(serveSmtp({ onMessage: () => undefined, ...hooks }, options)).rejects.toMatchObject({
      code: "bad-argument",
    });
  });

  it("a hook that forgets to check does not compile", () => {
    expectTypeOf<() => Verdict>().toExtend<NonNullable<SmtpHooks["onAuth"]>>();
    expectTypeOf<() => boolean>().not.toExtend<NonNullable<SmtpHooks["onAuth"]>>();
    expectTypeOf<() => void>().not.toExtend<NonNullable<SmtpHooks["onAuth"]>>();
  });

  it("a line of 12,288 bytes is taken, a longer one gets 500 (section 4)", () => {
    const session = new SmtpSession();
    const say = (bytes: string): string => {
      let said = "";
      session.receive(Buffer.from(bytes));
      for (let event = session.next(); event !== undefined; event = session.next()) {
        const reply = acceptAll(event);
        if (reply !== undefined) said += String(session.send(reply));
      }
      return said;
    };
    say("");
    say("EHLO x\r\n");
    const longest = `AUTH PLAIN ${"A".repeat(12_272)}`;
    expect(say(`${longest.padEnd(12_286)}\r\n`)).toMatch(/^535 /);
    expect(say(`${longest.padEnd(12_287)}\r\n`)).toMatch(/^500 5\.5\.6 /);
    expect(say("AUTH PLAIN\r\n")).toBe("334 \r\n");
    expect(say(`${"A".repeat(12_284)}\r\n`)).toMatch(/^535 /);
    expect(say("AUTH PLAIN\r\n")).toBe("334 \r\n");
    expect(say(`${"A".repeat(12_288)}\r\n`)).toMatch(/^500 5\.5\.6 /);
    expect(say("NOOP\r\n")).toMatch(/^250 /);
  });

  it.each([
    ["ended by LF alone", `AUTH PLAIN ${plain}\n`],
    ["with a CR in it", `AUTH PLAIN ${plain}\rx\r\n`],
    ["cut off", `AUTH PLAIN ${plain}`],
    ["with a tab behind the verb", `AUTH\tPLAIN ${plain}\r\n`],
  ])("says that a line of AUTH may hold a secret even when it is %s", (_, line) => {
    const session = new SmtpSession();
    pull(session);
    session.receive(Buffer.from(line));
    session.end();
    const at = line.indexOf(plain);
    const event = pull(session);
    expect(event).toMatchObject({ type: "error", confidential: true, start: 0 });
    expect(event?.end).toBeGreaterThanOrEqual(at + plain.length);
  });

  it("says so too where the cut-off line stands behind one that is too long, whenever it is looked at", () => {
    const line = `AUTH PLAIN ${plain}`;
    const long = `${"x".repeat(13_000)}\r\n`;
    const session = new SmtpSession();
    pull(session);
    session.receive(Buffer.from(long + line));
    session.end();
    expect(pull(session)).toMatchObject({ type: "error", error: { code: "line-too-long" } });
    const start = long.length;
    expect(pull(session)).toMatchObject({
      type: "error",
      confidential: true,
      start,
      end: start + line.length,
    });
  });

  it("a password that is empty lets nobody in, by whatever mechanism", async () => {
    const client = await start(
      {},
      {
        onAuth: (credentials) =>
          credentials.mechanism === "XOAUTH2" ? credentials.refuse() : credentials.check(""),
      },
    );
    client.write(`EHLO x\r\nAUTH CRAM-MD5\r\n`);
    await client.codes(2);
    const challenge = Buffer.from((await client.reply()).slice(4), "base64");
    const digest = createHmac("md5", "").update(challenge).digest("hex");
    client.write(`${base64(`ann ${digest}`)}\r\nAUTH PLAIN ${base64("\0ann\0")}\r\n`);
    expect(await client.codes(2)).toEqual(["535", "535"]);
  });

  it.each([
    ["a message that is none of the mechanism", `AUTH PLAIN ${base64("abc")}\r\n`, "501"],
    ["an unknown mechanism", "AUTH FOO\r\n", "504"],
  ])("%s is a bad command: the tenth ends the connection", async (_, line, code) => {
    const client = await start();
    client.write(`EHLO x\r\n${line.repeat(11)}`);
    const codes = await client.codes(13);
    expect(codes.slice(2)).toEqual([...Array<string>(10).fill(code), "421"]);
  });

  it("with requireAuth a command of mail gets 530 before it is looked at", async () => {
    const client = await start({ requireAuth: true });
    client.write("EHLO x\r\nMAIL FROM:nonsense\r\nVRFY\r\nDATA now\r\nRSET now\r\n");
    expect(await client.codes(6)).toEqual("220 250 530 530 530 501".split(" "));
  });

  it("leaves no secret in the event log's words, and says where in the bytes there are some", async () => {
    const log = new EventLog();
    const words: string[] = [];
    const secrets: Span[] = [];
    log.read((record) => {
      if (record.kind !== "message") return;
      words.push(record.text);
      if (record.dir === "in") secrets.push(...(record.secrets ?? []));
    });
    const client = await start({ tap: log });
    // Out of order, no base64, by response and by initial response: a secret may stand in any of them.
    const opening = `AUTH PLAIN ${plain}\r\nEHLO x\r\nAUTH PLAIN ${plain}!\r\nAUTH LOGIN\r\n`;
    const exchange = `${base64("ann")}\r\n${base64("wrong")}\r\nAUTH PLAIN ${plain}\r\nQUIT\r\n`;
    client.write(opening);
    await client.codes(5);
    client.write(exchange);
    expect(await client.codes(4)).toEqual(["334", "535", "235", "221"]);
    await client.rest();
    expect(words.join("\n")).toContain("AUTH PLAIN ***");
    const bytes = Buffer.from(opening + exchange);
    for (const { start, end } of secrets) bytes.fill("*", start, end);
    for (const text of [words.join("\n"), bytes.toString()]) {
      for (const secret of [plain.slice(0, 8), base64("wrong")]) expect(text).not.toContain(secret);
    }
    expect(bytes.toString()).toMatch(/EHLO x\r\n.*AUTH LOGIN\r\n.*AUTH PLAIN\*+\r\nQUIT\r\n$/s);
  });
});

describe("real clients", () => {
  const all = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2"] as const;
  const FROM = "ann@example.com";
  const TO = "bob@example.org";

  function expectAuth(mechanism: (typeof all)[number], tls = true): void {
    expect(envelopes).toHaveLength(1);
    expect(envelopes[0]).toMatchObject({ auth: { mechanism, username: "ann" } });
    expect(envelopes[0]?.received).toContain(`with ${tls ? "ESMTPSA" : "ESMTPA"} id`);
  }

  for (const mechanism of ["PLAIN", "LOGIN", "CRAM-MD5"] as const) {
    withTool("swaks", "Net::SSLeay")(`swaks --auth ${mechanism}`, async () => {
      await start({ starttls, requireAuth: true, allowInsecureAuth: false });
      const server = ["--server", `127.0.0.1:${listener?.port}`, "-tls", "--auth", mechanism];
      const user = ["--auth-user", "ann", "--auth-password", "secret", "--from", FROM, "--to", TO];
      await run("swaks", [...server, ...user]);
      expectAuth(mechanism);
      const wrong = user.map((word) => (word === "secret" ? "wrong" : word));
      // 28: no authentication type of ours succeeded.
      await expect(run("swaks", [...server, ...wrong])).rejects.toMatchObject({ code: 28 });
    });
  }

  for (const mechanism of ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"] as const) {
    withTool("curl")(`curl --login-options AUTH=${mechanism}`, async () => {
      await start({ starttls, requireTls: true, requireAuth: true, allowInsecureAuth: false });
      const file = join(folder, "message.eml");
      writeFileSync(file, "Subject: x\r\n\r\nx\r\n");
      const server = [`smtp://one.test:${listener?.port}/`, "--connect-to", `one.test::127.0.0.1:`];
      const secure = ["-sS", "--ssl-reqd", "--cacert", caFile, "--login-options", `AUTH=${mechanism}`];
      const user =
        mechanism === "XOAUTH2" ? ["--user", "ann", "--oauth2-bearer", "token"] : ["--user", "ann:secret"];
      const message = ["--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", file];
      await run("curl", [...server, ...secure, ...user, ...message]);
      expectAuth(mechanism);
    });
  }

  withTool("python3")("Python's smtplib: starttls, login", async () => {
    await start({ starttls, requireTls: true, requireAuth: true });
    const script = `
import smtplib, ssl
context = ssl.create_default_context(cafile="${caFile}")
context.check_hostname = False
with smtplib.SMTP("127.0.0.1", ${listener?.port}) as smtp:
    smtp.starttls(context=context)
    try:
        smtp.login("ann", "wrong")
        raise SystemExit("let in")
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535, error
    smtp.login("ann", "secret")
    smtp.sendmail("${FROM}", ["${TO}"], "Subject: x\\n\\nx")
`;
    await run("python3", ["-c", script]);
    expectAuth("CRAM-MD5");
  });

  for (const [method, mechanism] of [
    ["plain", "PLAIN"],
    ["login", "LOGIN"],
    ["cram-md5", "CRAM-MD5"],
    ["scram-sha-256", "SCRAM-SHA-256"],
  ] as const) {
    withTool("msmtp")(`msmtp --tls --auth=${method}`, async () => {
      await start({ starttls, requireTls: true, requireAuth: true });
      const server = ["--host=127.0.0.1", `--port=${listener?.port}`, `--auth=${method}`, "--user=ann"];
      const secure = ["--tls=on", `--tls-trust-file=${caFile}`, "--tls-host-override=one.test"];
      const args = [...server, ...secure, "--passwordeval=echo secret", `--from=${FROM}`, TO];
      await run("msmtp", args, "Subject: x\n\nx\n", { HOME: folder });
      expectAuth(mechanism);
    });
  }

  for (const method of ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"] as const) {
    it(`nodemailer, ${method}`, async () => {
      await start({ starttls, requireAuth: true, allowInsecureAuth: false });
      const transport = createTransport({
        host: "127.0.0.1",
        port: listener?.port ?? 0,
        requireTLS: true,
        tls: { ca: [ca], servername: "one.test" },
        authMethod: method,
        auth:
          method === "XOAUTH2"
            ? { type: "OAuth2", user: "ann", accessToken: "token" }
            : { user: "ann", pass: "secret" },
      });
      await transport.sendMail({ from: FROM, to: TO, subject: "x", text: "x" });
      expectAuth(method);
      transport.close();
    });
  }
});
