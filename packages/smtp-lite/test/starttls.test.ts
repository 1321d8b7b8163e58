// STARTTLS: RFC 3207, and what must never pass for encrypted (CVE-2021-38371 and its like).
import { once } from "node:events";
import { connect as tlsConnect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Listener, TlsOptions } from "@tcpkit/core";
import { ca, caFile, identity } from "./certificates.ts";
import type { Envelope, SmtpServerOptions } from "../src/index.ts";
import { serveSmtp, SmtpSession } from "../src/index.ts";
import { acceptAll, RawClient } from "./support.ts";
import { run, withTool } from "./tools.ts";

const starttls: TlsOptions = identity("one.test");
const trust = { ca, servername: "one.test" };

let listener: Listener | undefined;
let envelopes: Envelope[] = [];
const senders: string[] = [];

async function start(options: SmtpServerOptions = { starttls }): Promise<RawClient> {
  listener = await serveSmtp(
    {
      onMail: (mail) => void senders.push(mail.from?.address ?? ""),
      onMessage: (envelope) => void envelopes.push(envelope),
    },
    { hostname: "mail.example", ...options },
  );
  return new RawClient(listener.port);
}

afterEach(async () => {
  envelopes = [];
  senders.length = 0;
  await listener?.close({ deadline: 0 });
});

/** Goes on in TLS on the same socket. */
async function secure({ socket }: RawClient): Promise<RawClient> {
  socket.removeAllListeners("data");
  const secret: TLSSocket = tlsConnect({ socket, ...trust });
  await once(secret, "secureConnect");
  return new RawClient(secret);
}

describe("STARTTLS", () => {
  it("encrypts, forgets EHLO, and is not offered again; the message came by ESMTPS (RFC 3848)", async () => {
    const plain = await start();
    plain.write("EHLO client.example\r\n");
    await plain.reply();
    expect(await plain.reply()).toContain("STARTTLS\r\n");
    plain.write("STARTTLS\r\n");
    expect(await plain.reply()).toBe("220 2.0.0 Begin TLS\r\n");
    const secret = await secure(plain);
    secret.write("MAIL FROM:<a@b.example>\r\n");
    expect(await secret.reply()).toBe("503 5.5.1 Say EHLO first\r\n");
    secret.write("EHLO client.example\r\n");
    expect(await secret.reply()).not.toContain("STARTTLS");
    secret.write("STARTTLS\r\n");
    expect(await secret.reply()).toBe("503 5.5.1 TLS is active already\r\n");
    secret.write("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    await secret.codes(3);
    secret.write(".\r\nQUIT\r\n");
    expect(await secret.codes(2)).toEqual(["250", "221"]);
    expect(envelopes[0]?.tls).toMatchObject({ protocol: "TLSv1.3" });
    expect(envelopes[0]?.received).toContain("with ESMTPS id");
  });

  it("is neither offered nor given without a certificate: 454 4.7.0", async () => {
    const client = await start({});
    client.write("EHLO client.example\r\nSTARTTLS\r\nNOOP\r\n");
    await client.reply();
    expect(await client.reply()).not.toContain("STARTTLS");
    expect(await client.reply()).toBe("454 4.7.0 TLS is not available here\r\n");
    expect(await client.codes(1)).toEqual(["250"]);
  });

  it("with requireTls, everything but EHLO, NOOP, STARTTLS and QUIT gets 530 5.7.0 before it", async () => {
    const plain = await start({ starttls, requireTls: true });
    plain.write("HELO x\r\nEHLO x\r\nNOOP\r\nMAIL FROM:<>\r\nVRFY x\r\nHELP\r\nRSET\r\n");
    expect(await plain.codes(8)).toEqual(["220", "530", "250", "250", "530", "530", "530", "530"]);
    plain.write("EXPN x\r\n");
    expect(await plain.reply()).toBe("530 5.7.0 Say STARTTLS first\r\n");
    // In a pipeline too, where they are out of order besides; parameters are not even looked at.
    plain.write("MAIL FROM:<> X=1\r\nRCPT TO:<a@b.example> X=1\r\nBDAT 6\r\nNOOP\r\nAUTH PLAIN\r\nDATA\r\n");
    expect(await plain.codes(5)).toEqual(["530", "530", "530", "530", "530"]);
    plain.write("HELO x\r\n");
    expect(await plain.reply()).toBe("530 Say STARTTLS first\r\n");
    plain.write("STARTTLS\r\n");
    await plain.reply();
    const secret = await secure(plain);
    secret.write("EHLO x\r\nMAIL FROM:<>\r\nQUIT\r\n");
    expect(await secret.codes(3)).toEqual(["250", "250", "221"]);
  });

  it("TLS from the first byte: no STARTTLS, and requireTls is met", async () => {
    await start({ tls: starttls, requireTls: true });
    const secret = new RawClient(tlsConnect({ port: listener?.port ?? 0, ...trust }));
    secret.write("");
    await secret.reply();
    secret.write("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<>\r\n");
    expect(await secret.reply()).not.toContain("STARTTLS");
    expect(await secret.codes(2)).toEqual(["503", "250"]);
  });

  it.each([
    [{ requireTls: true }],
    [{ tls: starttls, starttls }],
    [{ starttls: { key: "nonsense", cert: "nonsense" } }],
  ] satisfies [SmtpServerOptions][])("refuses to begin with %j", async (options) => {
    await expect(serveSmtp({ onMessage: () => undefined }, options)).rejects.toMatchObject({
      code: "bad-argument",
      blame: "local",
    });
  });
});

describe("plain text behind STARTTLS is never taken for encrypted", () => {
  const injected = "EHLO evil.example\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<v@x.example>\r\nDATA";

  it("by the engine, wherever it is cut, and half a line too", () => {
    for (let cut = 0; cut <= injected.length; cut++) {
      const session = new SmtpSession();
      const pull = (): string[] => {
        const types: string[] = [];
        for (let event = session.next(); event !== undefined; event = session.next()) {
          types.push(event.type);
          const reply = acceptAll(event);
          if (reply !== undefined) session.send(reply);
        }
        return types;
      };
      pull();
      session.receive(Buffer.from(`EHLO a.example\r\nSTARTTLS\r\n${injected.slice(0, cut)}`));
      expect(pull()).toEqual(["ehlo", "starttls"]);
      session.receive(Buffer.from(injected.slice(cut)));
      expect(pull()).toEqual([]);
      session.forget();
      expect(pull()).toEqual([]);
      // Had half a line been kept, this would be part of it.
      session.receive(Buffer.from("NOOP\r\nMAIL FROM:<evil@x.example>\r\nEHLO b.example\r\n"));
      expect(pull()).toEqual(["noop", "error", "ehlo"]);
    }
  });

  it("by the server, in one segment, and cut in two: it is destroyed, or spoils the handshake", async () => {
    const plainText = Buffer.from(`STARTTLS\r\n${injected}\r\n`);
    await start();
    const port = listener?.port ?? 0;
    for (const cut of [plainText.length, 5, 9, 10, 11, 20, 40]) {
      const plain = new RawClient(port);
      plain.write("EHLO client.example\r\n");
      await plain.codes(2);
      plain.write(plainText.subarray(0, cut));
      if (cut < 10) plain.write(plainText.subarray(cut));
      expect(await plain.reply()).toBe("220 2.0.0 Begin TLS\r\n");
      if (cut >= 10 && cut < plainText.length) {
        // Behind the go-ahead it is no TLS: the connection ends, and nothing was heard.
        plain.write(plainText.subarray(cut));
        expect(await plain.rest()).not.toMatch(/^250/m);
        continue;
      }
      // What came with the end of the command is destroyed: TLS begins behind it.
      const secret = await secure(plain);
      secret.write("NOOP\r\nMAIL FROM:<evil@x.example>\r\nQUIT\r\n");
      expect(await secret.codes(3)).toEqual(["250", "503", "221"]);
    }
    expect(senders).toEqual([]);
  });

  it("by the server, byte by byte", async () => {
    const client = await start();
    client.write("EHLO client.example\r\n");
    await client.codes(2);
    client.socket.setNoDelay(true);
    for (const byte of Buffer.from(`STARTTLS\r\n${injected}\r\n`)) {
      client.write(Buffer.of(byte));
      await turn();
    }
    expect(await client.rest()).toBe("220 2.0.0 Begin TLS\r\n");
    expect(senders).toEqual([]);
  });
});

describe("real clients", () => {
  withTool("openssl")("openssl s_client -starttls smtp", async () => {
    await start();
    const args = ["s_client", "-starttls", "smtp", "-connect", `127.0.0.1:${listener?.port}`];
    const verify = ["-CAfile", caFile, "-verify_return_error", "-verify_hostname", "one.test"];
    // A line that begins with Q would end s_client, but for -quiet.
    const input = "EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nQUIT\n";
    const output = await run("openssl", [...args, ...verify, "-crlf", "-quiet"], input);
    expect(output).toContain("221 ");
    expect(senders).toEqual(["a@b.example"]);
  });

  withTool("swaks", "Net::SSLeay")("swaks -tls", async () => {
    await start({ starttls, requireTls: true });
    const server = ["--server", `127.0.0.1:${listener?.port}`];
    const tls = ["-tls", "--tls-verify", "--tls-ca-path", caFile];
    const output = await run("swaks", [...server, ...tls, "--from", "a@b.example", "--to", "c@d.example"]);
    expect(output).toContain("TLS started");
    expect(envelopes).toHaveLength(1);
  });
});
