// Our client towards a server that others wrote: npm's smtp-server, which nodemailer's authors make.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import type { SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, it } from "vitest";
import { ca, identity } from "./certificates.ts";
import { connectSmtp, sendMail } from "../src/index.ts";
import type { SmtpCredentials } from "../src/index.ts";

const trust = { ca, servername: "one.test" };
const password: SmtpCredentials = { username: "ann", password: "sécret" };
const token: SmtpCredentials = { username: "ann", token: "t0ken" };
const content = "Subject: hello\r\n\r\n.dots\r\n..\r\nend\r\n";
const mail = { from: "a@b.example", to: "c@d.example", data: content } as const;

/** What the server was told of a message. */
interface Taken {
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
}

let server: SMTPServer | undefined;

afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(resolve))));

async function foreign(taken: Taken[], options: SMTPServerOptions): Promise<number> {
  server = new SMTPServer({
    ...identity("one.test"),
    disableReverseLookup: true,
    onAuth(auth, _session, done) {
      const { method, username } = auth;
      const right =
        method === "XOAUTH2"
          ? auth.accessToken === "t0ken"
          : method === "CRAM-MD5"
            ? auth.validatePassword("sécret")
            : auth.password === "sécret";
      if (username === "ann" && right) done(null, { user: username });
      else done(new Error("wrong"));
    },
    onData(stream, { user, secure, envelope }, done) {
      void text(stream).then((body) => {
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        taken.push({ user, secure, from, to, content: body });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {
    // A client that it refuses is one to it.
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  return (server.server.address() as AddressInfo).port;
}

describe("npm's smtp-server", () => {
  it.each(["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"])(
    "takes mail behind STARTTLS and AUTH %s",
    async (method) => {
      const taken: Taken[] = [];
      const port = await foreign(taken, { authMethods: [method] });
      const auth = method === "XOAUTH2" ? token : password;
      await sendMail({ port, starttls: trust, auth, ...mail });
      expect(taken).toEqual([{ user: "ann", secure: true, from: mail.from, to: [mail.to], content }]);
    },
  );

  it.each(["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"])("refuses what is wrong by %s", async (method) => {
    const port = await foreign([], { authMethods: [method] });
    const auth =
      method === "XOAUTH2" ? { username: "ann", token: "other" } : { username: "ann", password: "other" };
    await expect(connectSmtp({ port, starttls: trust, auth })).rejects.toMatchObject({
      code: "auth-failed",
      reply: { code: 535 },
    });
  });

  it("takes mail over TLS from the first byte", async () => {
    const taken: Taken[] = [];
    const port = await foreign(taken, { secure: true, authOptional: true });
    await sendMail({ port, tls: trust, ...mail });
    expect(taken).toMatchObject([{ secure: true, content }]);
  });

  it("hears of no message that is larger than it says to take", async () => {
    const taken: Taken[] = [];
    const port = await foreign(taken, { size: 100, authOptional: true });
    await expect(
      sendMail({ port, starttls: trust, ...mail, data: "x".repeat(90).concat("\r\n").repeat(2) }),
    ).rejects.toMatchObject({ code: "refused", reply: { code: 552 } });
    expect(taken).toEqual([]);
  });
});
