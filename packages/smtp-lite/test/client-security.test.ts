// What a client does before its first message: STARTTLS, TLS from the first byte, AUTH; and what it never does.
import { EventLog, listen } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { describe, expect, it } from "vitest";
import { ca, identity } from "./certificates.ts";
import type { Envelope, SmtpClientOptions, SmtpCredentials, SmtpServerOptions } from "../src/index.ts";
import { connectSmtp, SASL_MECHANISMS, sendMail, serveSmtp } from "../src/index.ts";

const trust = { ca, servername: "one.test" };
const starttls = identity("one.test");
const mail = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;
const password: SmtpCredentials = { username: "ann", password: "secret" };
const token: SmtpCredentials = { username: "ann", token: "t0ken" };

function serve(envelopes: Envelope[], options: SmtpServerOptions = {}): Promise<Listener> {
  return serveSmtp(
    {
      onAuth(credentials) {
        const known = credentials.username === "ann";
        if (credentials.mechanism !== "XOAUTH2") return credentials.check(known ? "secret" : undefined);
        return known && credentials.token === "t0ken" ? credentials.accept() : credentials.refuse();
      },
      onMessage: (envelope) => void envelopes.push(envelope),
    },
    options,
  );
}

/** A server that says each of `replies` in turn: the first at once, each other for one chunk, then 221. It keeps what it
 * heard. */
async function scripted(replies: readonly string[], heard: string[] = []): Promise<Listener> {
  const server = await listen();
  server.on("connection", (connection) => {
    const left = [...replies];
    connection.write(left.shift() ?? "");
    connection.on("data", (chunk) => {
      heard.push(chunk.toString());
      connection.write(left.shift() ?? "221 bye\r\n");
    });
  });
  return server;
}

describe("STARTTLS", () => {
  it("is done where it is offered, with the certificate verified, and EHLO follows again", async () => {
    const envelopes: Envelope[] = [];
    await using server = await serve(envelopes, { starttls });
    await using client = await connectSmtp({ port: server.port, starttls: trust });
    expect(client.tls).toMatchObject({ protocol: "TLSv1.3", authorized: true, servername: "one.test" });
    expect(client.extensions.has("STARTTLS")).toBe(false);
    await client.send(mail);
    expect(envelopes[0]?.tls).toMatchObject({ servername: "one.test" });
  });

  it("asks for the host by its name, not by the address it led to", async () => {
    await using server = await serve([], { starttls });
    const lookup = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    const options = { host: "one.test", port: server.port, lookup };
    await using client = await connectSmtp({ ...options, starttls: { ca } });
    expect(client.tls?.servername).toBe("one.test");
    await expect(connectSmtp({ ...options, host: "two.test", starttls: { ca } })).rejects.toMatchObject({
      code: "tls-failed",
    });
  });

  it("a certificate that nobody vouches for ends it, unless told otherwise", async () => {
    const envelopes: Envelope[] = [];
    await using server = await serve(envelopes, { starttls });
    const { port } = server;
    await expect(sendMail({ port, ...mail })).rejects.toMatchObject({ code: "tls-failed" });
    expect(envelopes).toEqual([]);
    await sendMail({ port, ...mail, starttls: { rejectUnauthorized: false } });
    await sendMail({ port, ...mail, starttls: false });
    expect(envelopes.map(({ tls }) => tls?.authorized)).toEqual([false, undefined]);
  });

  it("required, it is not done without: not offered, refused", async () => {
    const required = { ...trust, required: true };
    await using server = await serve([]);
    await expect(connectSmtp({ port: server.port, starttls: required })).rejects.toMatchObject({
      code: "not-offered",
    });
    await using busy = await scripted(["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "454 not now\r\n"]);
    await expect(connectSmtp({ port: busy.port, starttls: required })).rejects.toMatchObject({
      code: "refused",
      reply: { code: 454 },
    });
  });

  it.each(["250-evil\r\n250 AUTH PLAIN\r\n", "250", "\r\n"])(
    "plain text behind the 220 is refused, not believed: %j (CVE-2021-38371)",
    async (injected) => {
      const heard: string[] = [];
      await using server = await scripted(
        ["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", `220 go\r\n${injected}`],
        heard,
      );
      await expect(connectSmtp({ port: server.port, starttls: trust })).rejects.toMatchObject({
        code: "bad-server-reply",
      });
      expect(heard).toHaveLength(2);
    },
  );

  it("TLS from the first byte needs none", async () => {
    await using server = await serve([], { tls: starttls });
    await using client = await connectSmtp({ port: server.port, tls: trust });
    expect(client.tls?.authorized).toBe(true);
    await client.send(mail);
    await expect(connectSmtp({ port: server.port, tls: trust, starttls: trust })).rejects.toMatchObject({
      code: "bad-argument",
    });
  });
});

describe("AUTH", () => {
  it.each(SASL_MECHANISMS)("by %s, the only one offered", async (mechanism) => {
    const envelopes: Envelope[] = [];
    await using server = await serve(envelopes, { starttls, mechanisms: [mechanism] });
    const options = { port: server.port, starttls: trust };
    const good = mechanism === "XOAUTH2" ? token : password;
    await sendMail({ ...options, ...mail, auth: good });
    expect(envelopes[0]?.auth).toEqual({ mechanism, username: "ann" });
    const bad: SmtpCredentials =
      mechanism === "XOAUTH2" ? { username: "ann", token: "other" } : { username: "ann", password: "other" };
    await expect(connectSmtp({ ...options, auth: bad })).rejects.toMatchObject({
      code: "auth-failed",
      reply: { code: 535, enhanced: "5.7.8" },
    });
  });

  it("takes the best mechanism that both sides have", async () => {
    const used = async (options: SmtpServerOptions, auth: SmtpCredentials): Promise<string | undefined> => {
      const envelopes: Envelope[] = [];
      await using server = await serve(envelopes, { starttls, ...options });
      await sendMail({ port: server.port, starttls: trust, ...mail, auth });
      return envelopes[0]?.auth?.mechanism;
    };
    expect(await used({}, password)).toBe("SCRAM-SHA-256");
    expect(await used({ mechanisms: ["LOGIN", "PLAIN", "CRAM-MD5"] }, password)).toBe("CRAM-MD5");
    expect(await used({ mechanisms: ["LOGIN", "PLAIN"] }, password)).toBe("PLAIN");
    expect(await used({}, token)).toBe("XOAUTH2");
  });

  it("a token too long for the command follows on its own (RFC 4954 section 4)", async () => {
    const heard: string[] = [];
    await using server = await scripted(
      ["220 x\r\n", "250-x\r\n250 AUTH XOAUTH2\r\n", "334 \r\n", "235 ok\r\n", "221 bye\r\n"],
      heard,
    );
    const auth = { username: "ann", token: "t".repeat(600) };
    await using client = await connectSmtp({ port: server.port, auth, allowInsecureAuth: true });
    expect(client.tls).toBeUndefined();
    expect(heard[1]).toBe("AUTH XOAUTH2\r\n");
    expect(Buffer.from(heard[2] ?? "", "base64").toString()).toContain(`Bearer ${auth.token}`);
  });

  it("without TLS nothing of it leaves, unless told so", async () => {
    const heard: string[] = [];
    await using server = await scripted(["220 x\r\n", "250-x\r\n250 AUTH PLAIN LOGIN\r\n"], heard);
    const { port } = server;
    await expect(connectSmtp({ port, auth: password })).rejects.toMatchObject({ code: "not-offered" });
    // TLS not required, and still no password in the clear.
    const lax: SmtpClientOptions = { port, auth: password, starttls: { required: false } };
    await expect(connectSmtp(lax)).rejects.toMatchObject({ code: "not-offered" });
    await expect(connectSmtp({ ...lax, starttls: false })).rejects.toMatchObject({ code: "not-offered" });
    expect(heard.every((text) => /^(?:EHLO .*|QUIT)\r\n$/.test(text))).toBe(true);
    await using open = await serve([], { allowInsecureAuth: true, mechanisms: ["PLAIN"] });
    await using client = await connectSmtp({ port: open.port, auth: password, allowInsecureAuth: true });
    expect(client.extensions.get("AUTH")).toBe("PLAIN");
  });

  it("a server that says yes without proof of its own is not believed (SCRAM)", async () => {
    await using server = await scripted(["220 x\r\n", "250-x\r\n250 AUTH SCRAM-SHA-256\r\n", "235 ok\r\n"]);
    const options = { port: server.port, auth: password, allowInsecureAuth: true };
    await expect(connectSmtp(options)).rejects.toMatchObject({ code: "auth-failed" });
  });

  it("an event log has neither password nor token", async () => {
    const log = new EventLog();
    const blanked: string[] = [];
    let sent = "";
    let clientSide = 0;
    log.read((record) => {
      if (record.kind === "connect") clientSide = record.conn;
      if (!("conn" in record) || record.conn !== clientSide) return;
      if (record.kind === "data" && record.dir === "out")
        sent += Buffer.from(record.bytes).toString("latin1");
      if (record.kind !== "message") return;
      expect(record.text).not.toMatch(/secret|t0ken/);
      if (record.dir === "out") pending.push(...(record.secrets ?? []));
    });
    const pending: { start: number; end: number }[] = [];
    await using server = await serve([], { allowInsecureAuth: true, mechanisms: ["PLAIN", "XOAUTH2"] });
    for (const auth of [password, token]) {
      await sendMail({ port: server.port, tap: log, ...mail, auth, allowInsecureAuth: true });
      blanked.push(...pending.splice(0).map(({ start, end }) => sent.slice(start, end).trim()));
      sent = "";
    }
    expect(blanked.map((line) => Buffer.from(line, "base64").toString())).toEqual([
      "\0ann\0secret",
      "user=ann\x01auth=Bearer t0ken\x01\x01",
    ]);
  });

  it("a password and a token at once do not compile, nor does neither", () => {
    // @ts-expect-error -- one of them
    const both: SmtpCredentials = { username: "ann", password: "x", token: "y" };
    // @ts-expect-error -- one of them
    const neither: SmtpCredentials = { username: "ann" };
    expect([both, neither]).toHaveLength(2);
  });
});
