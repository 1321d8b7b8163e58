// LMTP, RFC 2033: as SMTP, but for LHLO and one reply for each recipient.
import { afterEach, describe, expect, it } from "vitest";
import type { Listener } from "@tcpkit/core";
import type { Envelope, Recipient, SmtpHooks } from "../src/index.ts";
import { serveSmtp, SmtpReply, SmtpSession } from "../src/index.ts";
import { acceptAll, RawClient } from "./support.ts";
import { run, withTool } from "./tools.ts";

let listener: Listener | undefined;
let envelopes: Envelope[] = [];

async function start(hooks: Partial<SmtpHooks> = {}): Promise<RawClient> {
  const onMessage: SmtpHooks["onMessage"] = (envelope) => void envelopes.push(envelope);
  listener = await serveSmtp({ onMessage, ...hooks }, { hostname: "mail.example", lmtp: true });
  return new RawClient(listener.port);
}

afterEach(async () => {
  envelopes = [];
  await listener?.close({ deadline: 0 });
});

const OPEN =
  "LHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<one@d.example>\r\nRCPT TO:<no@d.example>\r\nRCPT TO:<two@d.example>\r\n";

function refuseNo({ localPart }: Recipient): void {
  if (localPart === "no") throw new SmtpReply(550, "5.1.1", "no such user");
}

describe("LMTP", () => {
  it("LHLO takes the place of EHLO and HELO, which are unknown (section 4.1)", async () => {
    const client = await start();
    client.write("EHLO x\r\nHELO x\r\nMAIL FROM:<>\r\nLHLO x\r\nMAIL FROM:<>\r\nDATA\r\n");
    expect(await client.reply()).toBe("220 mail.example LMTP ready\r\n");
    expect(await client.codes(2)).toEqual(["500", "500"]);
    expect(await client.reply()).toBe("503 5.5.1 Say LHLO first\r\n");
    const lhlo = await client.reply();
    for (const keyword of ["PIPELINING", "ENHANCEDSTATUSCODES", "CHUNKING"]) expect(lhlo).toContain(keyword);
    // Section 4.2: 503 where SMTP may say 554.
    expect(await client.codes(2)).toEqual(["250", "503"]);
  });

  it("and SMTP does not know LHLO", async () => {
    listener = await serveSmtp({ onMessage: () => undefined });
    const client = new RawClient(listener.port);
    client.write("LHLO x\r\n");
    expect(await client.codes(2)).toEqual(["220", "502"]);
  });

  it("one reply for each recipient that was accepted, in order (section 4.2)", async () => {
    const client = await start({
      onRcpt: refuseNo,
      onMessage(envelope) {
        envelopes.push(envelope);
        const [, two] = envelope.to;
        return new Map([[two, new SmtpReply(452, "4.2.2", "mailbox full")]]);
      },
    });
    client.write(`${OPEN}DATA\r\n`);
    expect(await client.codes(7)).toEqual("220 250 250 250 550 250 354".split(" "));
    client.write("x\r\n.\r\nNOOP\r\n");
    expect(await client.reply()).toMatch(/^250 2\.0\.0 Accepted as /);
    expect(await client.reply()).toBe("452 4.2.2 mailbox full\r\n");
    expect(await client.reply()).toBe("250 2.0.0 Ok\r\n");
    expect(envelopes[0]?.received).toContain("with LMTP id");
  });

  it("by BDAT too: one a chunk, and for each recipient after the last", async () => {
    const client = await start({ onRcpt: refuseNo });
    client.write(`${OPEN}BDAT 3\r\na\r\nBDAT 0 LAST\r\nNOOP\r\n`);
    expect(await client.codes(10)).toEqual("220 250 250 250 550 250 250 250 250 250".split(" "));
    client.write("MAIL FROM:<>\r\nRCPT TO:<one@d.example>\r\nBDAT 0 LAST\r\nQUIT\r\n");
    expect(await client.codes(4)).toEqual(["250", "250", "250", "221"]);
  });

  it("a refused message is refused for each", async () => {
    const client = await start({
      onMessage() {
        throw new SmtpReply(550, "5.7.1", "not this one");
      },
    });
    client.write(`${OPEN}DATA\r\n`);
    await client.codes(7);
    client.write(".\r\nNOOP\r\n");
    expect(await client.codes(4)).toEqual(["550", "550", "550", "250"]);
  });

  it("the engine takes nothing more until each has its reply", () => {
    const session = new SmtpSession({ lmtp: true });
    const types: string[] = [];
    const pull = (): void => {
      for (let event = session.next(); event !== undefined; event = session.next()) {
        types.push(event.type);
        const reply = acceptAll(event);
        if (reply !== undefined) session.send(reply);
      }
    };
    pull();
    session.receive(Buffer.from(`${OPEN}DATA\r\n`));
    pull();
    session.receive(Buffer.from(".\r\nQUIT\r\n"));
    pull();
    expect(types.at(-1)).toBe("message-end");
    for (const _ of [2, 3]) session.send({ code: 250, enhanced: "2.0.0", lines: ["ok"] });
    pull();
    expect(types.at(-1)).toBe("quit");
  });
});

describe("real clients", () => {
  withTool("swaks")("swaks --protocol LMTP", async () => {
    await start();
    const server = ["--server", `127.0.0.1:${listener?.port}`, "--protocol", "LMTP"];
    await run("swaks", [...server, "--from", "a@b.example", "--to", "one@d.example,two@d.example"]);
    expect(envelopes[0]?.to.map(({ localPart }) => localPart)).toEqual(["one", "two"]);
  });

  withTool("python3")("Python's smtplib.LMTP", async () => {
    await start();
    const script = `
import smtplib
with smtplib.LMTP("127.0.0.1", ${listener?.port}) as lmtp:
    lmtp.sendmail("a@b.example", ["one@d.example"], "Subject: x\\n\\nx")
`;
    await run("python3", ["-c", script]);
    expect(envelopes).toHaveLength(1);
  });
});
