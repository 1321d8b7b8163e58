// Faults on purpose: each at its place, for whom the rule says, and the same again with the same seed.
import type { Clock } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { createTransport } from "nodemailer";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  createScramKeys,
  createTestInbox,
  FaultPolicy,
  greylist,
  sendMail,
  SmtpReply,
} from "../src/index.ts";
import type {
  ConnectRule,
  EhloRule,
  EndRule,
  FaultRule,
  FaultStage,
  MailRule,
  TestInbox,
} from "../src/index.ts";
import { OPEN, RawClient } from "./support.ts";

const NOT_NOW = { type: "reply", reply: new SmtpReply(451, "4.7.1", "Not now") } as const;
const DROP = { type: "drop" } as const;

function mail(
  inbox: TestInbox,
  to: string | readonly [string, ...string[]] = "bob@example.org",
): Promise<unknown> {
  return sendMail({ port: inbox.port, from: "ann@example.com", to, data: "Subject: x\n\nHello!\n" });
}

function inboxWith(...rules: readonly FaultRule[]): Promise<TestInbox> {
  return createTestInbox({ faults: new FaultPolicy(rules) });
}

describe("greylisting", () => {
  test("refuses the first attempt of sender and recipient, and takes the next", async () => {
    await using inbox = await inboxWith(greylist());
    await expect(mail(inbox)).rejects.toMatchObject({ reply: { code: 450, enhanced: "4.7.1" } });
    expect(inbox.messages).toEqual([]);
    await mail(inbox);
    await mail(inbox);
    expect(inbox.messages).toHaveLength(2);
    await expect(mail(inbox, "carol@example.org")).rejects.toMatchObject({ reply: { code: 450 } });
  });

  test("may take patience", async () => {
    await using inbox = await inboxWith(greylist({ attempts: 2 }));
    await expect(mail(inbox)).rejects.toMatchObject({ reply: { code: 450 } });
    await expect(mail(inbox)).rejects.toMatchObject({ reply: { code: 450 } });
    await mail(inbox);
    expect(inbox.messages).toHaveLength(1);
  });

  test("may have none at all, ever", async () => {
    const rule = greylist({ attempts: Infinity });
    expect(rule.attempt).toBeUndefined();
    await using inbox = await inboxWith(rule);
    for (let left = 3; left > 0; left--) {
      await expect(mail(inbox)).rejects.toMatchObject({ reply: { code: 450 } });
    }
  });

  test.each([Number.NaN, -1, 1.5])("does not take %d attempts", (attempts) => {
    expect(() => greylist({ attempts })).toThrow(expect.objectContaining({ code: "bad-argument" }));
  });

  test("is overcome by a program that sends again, as nodemailer's users write it", async () => {
    await using inbox = await inboxWith(greylist());
    const transport = createTransport({ host: inbox.host, port: inbox.port, secure: false });
    const letter = { from: "ann@example.com", to: "bob@example.org", subject: "again", text: "x" };
    const codes: unknown[] = [];
    for (let left = 3; left > 0; left--) {
      try {
        await transport.sendMail(letter);
        break;
      } catch (error) {
        codes.push((error as { responseCode?: number }).responseCode);
      }
    }
    transport.close();
    expect(codes).toEqual([450]);
    expect((await inbox.next({ subject: "again" })).envelope.to).toHaveLength(1);
  });
});

describe("a reply", () => {
  test.each<FaultStage>(["connect", "ehlo", "mail", "rcpt", "data", "end"])(
    "at %s refuses there, for once, and nothing is kept",
    async (at) => {
      await using inbox = await inboxWith({ at, attempt: 1, fault: NOT_NOW });
      // A greeting can only be 421 or 554.
      const code = at === "connect" ? 421 : 451;
      await expect(mail(inbox)).rejects.toMatchObject({ reply: { code, lines: ["Not now"] } });
      expect(inbox.messages).toEqual([]);
      await mail(inbox);
      expect(inbox.messages).toHaveLength(1);
    },
  );

  test("at connect and EHLO it has no enhanced code (RFC 2034 section 4)", async () => {
    await using greeting = await inboxWith({ at: "connect", fault: NOT_NOW });
    expect(await new RawClient(greeting.port).rest()).toBe("421 Not now\r\n");
    await using inbox = await inboxWith({ at: "ehlo", fault: NOT_NOW });
    const client = new RawClient(inbox.port);
    await client.reply();
    expect(await client.write("EHLO x\r\n").reply()).toBe("451 Not now\r\n");
    expect(await client.write("HELO x\r\n").reply()).toBe("451 Not now\r\n");
  });

  test.each<FaultRule>([
    { at: "mail", attempt: 1, fault: NOT_NOW },
    { at: "rcpt", attempt: 1, fault: NOT_NOW },
    { at: "data", attempt: 1, fault: NOT_NOW },
    { at: "end", attempt: 1, fault: NOT_NOW },
  ])("at $at leaves the connection in good order: the next message on it is whole", async (rule) => {
    await using inbox = await inboxWith(rule);
    const client = new RawClient(inbox.port);
    await client.reply();
    const message = ["MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"];
    const say = async (line: string): Promise<string> =>
      (await client.write(`${line}\r\n`).reply()).slice(0, 3);
    expect(await say("EHLO client.example")).toBe("250");
    const codes: string[] = [];
    for (const line of message) codes.push(await say(line));
    if (codes.at(-1) === "354") codes.push(await say("first\r\n."));
    expect(codes.filter((code) => code === "451")).toHaveLength(1);
    // A refused RCPT alone leaves a sender behind.
    if (rule.at === "rcpt") await say("RSET");
    for (const line of message) codes.push(await say(line));
    expect(codes.at(-1)).toBe("354");
    expect(await say("second\r\n.")).toBe("250");
    const { envelope, raw } = await inbox.next();
    expect(raw.toString()).toBe("second\r\n");
    expect(envelope.to).toHaveLength(1);
    client.socket.destroy();
  });

  test("at the end of content that came by BDAT does the same", async () => {
    await using inbox = await inboxWith({ at: "end", attempt: 1, fault: NOT_NOW });
    const client = new RawClient(inbox.port);
    await client.reply();
    await client.write("EHLO client.example\r\n").reply();
    const message = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 3\r\nx\r\nBDAT 3 LAST\r\ny\r\n";
    expect(await client.write(message).codes(4)).toEqual(["250", "250", "250", "451"]);
    expect(await client.write(message).codes(4)).toEqual(["250", "250", "250", "250"]);
    expect(inbox.messages.map(({ raw }) => raw.toString())).toEqual(["x\r\ny\r\n"]);
    client.socket.destroy();
  });

  test("at auth comes before the password is looked at", async () => {
    const asked: string[] = [];
    const keys = createScramKeys("pencil");
    await using inbox = await createTestInbox({
      allowInsecureAuth: true,
      faults: new FaultPolicy([{ at: "auth", mechanism: "PLAIN", attempt: 1, fault: NOT_NOW }]),
      hooks: {
        onAuth(credentials) {
          asked.push(credentials.mechanism);
          return "checkKeys" in credentials ? credentials.checkKeys(keys) : credentials.refuse();
        },
      },
    });
    const client = new RawClient(inbox.port);
    const auth = `AUTH PLAIN ${Buffer.from("\0ann\0pencil").toString("base64")}\r\n`;
    await client.reply();
    await client.write("EHLO client.example\r\n").reply();
    expect(await client.write(auth).reply()).toBe("451 4.7.1 Not now\r\n");
    expect(asked).toEqual([]);
    expect(await client.write(auth).reply()).toMatch(/^235 /);
    expect(asked).toEqual(["PLAIN"]);
    client.socket.destroy();
  });

  test("of 421 closes", async () => {
    const busy = new SmtpReply(421, "4.3.2", "Going down");
    await using inbox = await inboxWith({ at: "mail", fault: { type: "reply", reply: busy } });
    const client = new RawClient(inbox.port);
    await client.reply();
    client.write("EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n");
    expect(await client.rest()).toMatch(/\r\n421 4\.3\.2 Going down\r\n$/);
  });
});

describe("a dropped connection", () => {
  test.each<FaultStage>(["connect", "ehlo", "mail", "rcpt", "data", "end"])(
    "at %s takes nothing",
    async (at) => {
      await using inbox = await inboxWith({ at, attempt: 1, fault: DROP });
      await expect(mail(inbox)).rejects.toMatchObject({ code: "connection-closed" });
      expect(inbox.messages).toEqual([]);
      await mail(inbox);
      expect(inbox.messages).toHaveLength(1);
    },
  );

  test("after the final dot loses the 250 of a message that was taken: it comes twice", async () => {
    await using inbox = await inboxWith({ at: "end", attempt: 1, fault: { type: "lose-reply" } });
    await expect(mail(inbox)).rejects.toMatchObject({ code: "connection-closed" });
    await mail(inbox);
    const [first, second] = [await inbox.next(), await inbox.next()];
    expect(second.raw).toEqual(first.raw);
  });
});

describe("time", () => {
  test("is lost before a delayed reply, and the message comes all the same", async () => {
    const clock = new WaitedClock();
    const rules: FaultRule[] = [{ at: "end", fault: { type: "delay", milliseconds: 60_000 } }];
    await using inbox = await createTestInbox({ faults: new FaultPolicy(rules, { clock }) });
    const sent = mail(inbox);
    await clock.begun();
    expect(inbox.messages).toEqual([]);
    clock.advance(60_000);
    await sent;
    expect(inbox.messages).toHaveLength(1);
  });

  test("is lost between the bytes of a dripping reply", async () => {
    const clock = new WaitedClock();
    const rules: FaultRule[] = [{ at: "rcpt", fault: { type: "drip", milliseconds: 1000 } }];
    await using inbox = await createTestInbox({ faults: new FaultPolicy(rules, { clock }) });
    const client = new RawClient(inbox.port);
    await client.reply();
    client.write(OPEN);
    await client.codes(2);
    let received = "";
    let tell: (() => void) | undefined;
    client.socket.on("data", (text: string) => {
      received += text;
      tell?.();
    });
    const reply = "250 2.1.5 Recipient ok\r\n";
    for (let sent = 0; sent < reply.length; sent++) {
      await clock.begun();
      expect(received).toBe(reply.slice(0, sent));
      const news = new Promise<void>((resolve) => {
        tell = resolve;
      });
      clock.advance(1000);
      await news;
    }
    expect(await client.codes(2)).toEqual(["250", "354"]);
    expect(await client.write("x\r\n.\r\n").reply()).toMatch(/^250 /);
    client.socket.destroy();
  });

  test("is not wasted on a client that is gone", async () => {
    const clock = new WaitedClock();
    const rules: FaultRule[] = [{ at: "mail", fault: { type: "drip", milliseconds: 1000 } }];
    const inbox = await createTestInbox({ faults: new FaultPolicy(rules, { clock }) });
    const client = new RawClient(inbox.port);
    await client.reply();
    client.write(OPEN);
    await clock.begun();
    client.socket.destroy();
    // Nobody turns the clock any more: a wait that went on would keep this from ending.
    await inbox.close();
    expect(clock.timers).toBe(0);
  });
});

describe("LMTP, which has a reply for each recipient", () => {
  const opening =
    "LHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n";

  async function say(content: string, faults: FaultPolicy): Promise<{ inbox: TestInbox; client: RawClient }> {
    const inbox = await createTestInbox({ lmtp: true, faults });
    const client = new RawClient(inbox.port);
    client.write(opening);
    expect(await client.codes(6)).toEqual(["220", "250", "250", "250", "250", "354"]);
    client.write(content);
    return { inbox, client };
  }

  test("drips them all", async () => {
    const clock = new WaitedClock();
    const rule: FaultRule = { at: "end", fault: { type: "drip", milliseconds: 1000 } };
    const { inbox, client } = await say("x\r\n.\r\n", new FaultPolicy([rule], { clock }));
    await using _ = inbox;
    await clock.begun();
    const [{ envelope }] = [await inbox.next()];
    const reply = `250 2.0.0 Accepted as ${envelope.id}\r\n`;
    for (let sent = 0; sent < 2 * reply.length; sent++) {
      await clock.begun();
      clock.advance(1000);
    }
    expect([await client.reply(), await client.reply()]).toEqual([reply, reply]);
    expect(clock.now()).toBe(2 * reply.length * 1000);
    // And nothing is said twice.
    expect(await client.write("QUIT\r\n").rest()).toMatch(/^221 .*\r\n$/);
  });

  test("loses them all", async () => {
    const { inbox, client } = await say(
      "x\r\n.\r\n",
      new FaultPolicy([{ at: "end", fault: { type: "lose-reply" } }]),
    );
    await using _ = inbox;
    expect(await client.rest()).toBe("");
    expect(inbox.messages).toHaveLength(1);
  });
});

describe("a rule", () => {
  test("is for whom it says", async () => {
    await using inbox = await inboxWith(
      { at: "rcpt", to: "slow@example.org", fault: NOT_NOW },
      { at: "rcpt", to: "@example.net", from: /^ann@/, fault: NOT_NOW },
      { at: "mail", from: null, fault: NOT_NOW },
      { at: "ehlo", name: "nobody.example", fault: NOT_NOW },
      { at: "connect", remoteAddress: "192.0.2.1", fault: DROP },
      { at: "end", to: "late@example.org", fault: NOT_NOW },
    );
    const data = "Subject: x\n\nx\n";
    const from = "ann@example.com";
    const { port } = inbox;
    await expect(
      sendMail({ port, from, to: ["bob@example.org", "slow@example.org", "x@example.net"], data }),
    ).resolves.toMatchObject({
      accepted: ["bob@example.org"],
      refused: [{ address: "slow@example.org" }, { address: "x@example.net" }],
    });
    await sendMail({ port, from: "zoe@example.com", to: "x@example.net", data });
    await expect(sendMail({ port, from: null, to: "bob@example.org", data })).rejects.toMatchObject({
      code: "refused",
    });
    await expect(mail(inbox, ["bob@example.org", "late@example.org"])).rejects.toMatchObject({
      reply: { code: 451 },
    });
    expect(inbox.messages).toHaveLength(2);
  });

  test("counts its own attempts, and the first that applies is the one", async () => {
    const policy = new FaultPolicy([
      { at: "mail", attempt: [2, 3], fault: NOT_NOW },
      { at: "mail", attempt: 1, fault: { type: "reply", reply: new SmtpReply(450, "4.0.0", "First") } },
    ]);
    await using inbox = await createTestInbox({ faults: policy });
    const codes: unknown[] = [];
    for (let left = 4; left > 0; left--) {
      codes.push(
        await mail(inbox).then(
          () => 250,
          (error: { reply?: { code: number } }) => error.reply?.code,
        ),
      );
    }
    expect(codes).toEqual([450, 451, 451, 250]);
    expect(policy.applied.map(({ attempt, subject }) => `${attempt} ${subject}`)).toEqual([
      "1 127.0.0.1 <ann@example.com>",
      "2 127.0.0.1 <ann@example.com>",
      "3 127.0.0.1 <ann@example.com>",
    ]);
  });

  test("with a probability does the same again with the same seed, whatever the order", async () => {
    const addresses = Array.from({ length: 40 }, (_, index) => `user${index}@example.org`);
    const refused = async (seed: number, order: readonly string[]): Promise<string[]> => {
      const faults = new FaultPolicy([{ at: "rcpt", probability: 0.5, fault: NOT_NOW }], { seed });
      await using inbox = await createTestInbox({ faults });
      const [first = "", ...rest] = order;
      const result = (await mail(inbox, [first, ...rest])) as { refused: { address: string }[] };
      return result.refused.map(({ address }) => address).toSorted();
    };
    const once = await refused(7, addresses);
    expect(once.length).toBeGreaterThan(5);
    expect(once.length).toBeLessThan(35);
    expect(await refused(7, addresses.toReversed())).toEqual(once);
    expect(await refused(8, addresses)).not.toEqual(once);
  });

  test.each<[string, FaultRule]>([
    ["attempt", { at: "mail", attempt: 0, fault: DROP }],
    ["attempt", { at: "mail", attempt: [1, 1.5], fault: DROP }],
    ["probability", { at: "mail", probability: 2, fault: DROP }],
    ["milliseconds", { at: "mail", fault: { type: "delay", milliseconds: -1 } }],
    ["milliseconds", { at: "mail", fault: { type: "drip", milliseconds: Infinity } }],
    ["milliseconds", { at: "mail", fault: { type: "delay" } as never }],
    ["at", { at: "rctp" as never, fault: DROP }],
    ["at", greylist as never],
    ["fault", { at: "rcpt", fault: { type: "dorp" as never } }],
    ["fault", { at: "rcpt", fault: undefined as never }],
    ["reply", { at: "rcpt", fault: { type: "reply", reply: { code: 250, lines: ["Ok"] } as never } }],
    ["lose-reply", { at: "rcpt", fault: { type: "lose-reply" } as never }],
  ])("has a %s that makes sense", (name, rule) => {
    expect(() => new FaultPolicy([rule])).toThrow(expect.objectContaining({ code: "bad-argument" }));
    expect(() => new FaultPolicy([rule])).toThrow(name);
  });

  test("of a stage has what is known there, and no more", () => {
    expectTypeOf<ConnectRule>().not.toHaveProperty("from");
    expectTypeOf<EhloRule>().not.toHaveProperty("from");
    expectTypeOf<MailRule>().not.toHaveProperty("to");
    expectTypeOf<EndRule>().toHaveProperty("to");
    const rules: readonly FaultRule[] = [
      // @ts-expect-error -- no recipient is known at MAIL
      { at: "mail", to: "bob@example.org", fault: DROP },
      // @ts-expect-error -- nobody has been named yet
      { at: "connect", from: "ann@example.com", fault: DROP },
      // @ts-expect-error -- nothing is kept at RCPT of which a reply could be lost
      { at: "rcpt", fault: { type: "lose-reply" } },
      // @ts-expect-error -- a fault refuses; what accepts is the server's
      { at: "rcpt", fault: { type: "reply", reply: { code: 250, lines: ["Ok"] } } },
    ];
    expect(rules).toHaveLength(4);
  });
});

/** A clock in the test's hand, which tells when somebody has begun to wait on it. */
class WaitedClock implements Clock {
  readonly #clock = fakeClock();
  #wake: (() => void) | undefined;

  get timers(): number {
    return this.#clock.timers;
  }

  now(): number {
    return this.#clock.now();
  }

  every(milliseconds: number, callback: () => void): () => void {
    const stop = this.#clock.every(milliseconds, callback);
    this.#wake?.();
    return stop;
  }

  advance(milliseconds: number): void {
    this.#clock.advance(milliseconds);
  }

  async begun(): Promise<void> {
    while (this.timers === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
