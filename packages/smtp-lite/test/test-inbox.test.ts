// The test inbox: who waits is told, who comes late finds what came, and who waits in vain learns why.
import { createTransport } from "nodemailer";
import { describe, expect, expectTypeOf, test } from "vitest";
import { createTestInbox, sendMail, SmtpReply } from "../src/index.ts";
import type { InboxMessage, NextMessage, SmtpHooks, TestInbox, TestInboxOptions } from "../src/index.ts";

async function mail(
  inbox: TestInbox,
  to: string,
  subject: string,
  from: string | null = "ann@example.com",
): Promise<void> {
  await sendMail({ port: inbox.port, from, to, data: `Subject: ${subject}\n\nHello!\n` });
}

describe("next()", () => {
  test("is told of a message that comes later", async () => {
    await using inbox = await createTestInbox();
    const waiting = inbox.next({ to: "bob@example.org" });
    await mail(inbox, "carol@example.org", "not yours");
    await mail(inbox, "Bob@Example.org", "yours");
    const message = await waiting;
    expect(message.subject).toBe("yours");
    expect(message.envelope.from?.address).toBe("ann@example.com");
    expect(message.raw.toString()).toBe("Subject: yours\r\n\r\nHello!\r\n");
    expect(message.text).toBe("Hello!\n");
  });

  test("finds a message that came before, and gives it once", async () => {
    await using inbox = await createTestInbox();
    await mail(inbox, "bob@example.org", "one");
    await mail(inbox, "bob@example.org", "two");
    expect((await inbox.next()).subject).toBe("one");
    expect((await inbox.next()).subject).toBe("two");
    expect(inbox.messages.map(({ subject }) => subject)).toEqual(["one", "two"]);
    const third = inbox.next();
    await mail(inbox, "bob@example.org", "three");
    expect((await third).subject).toBe("three");
  });

  test("serves those who wait in order, each with a message of its own", async () => {
    await using inbox = await createTestInbox();
    const waiting = Promise.all([inbox.next(), inbox.next({ subject: /^b/ }), inbox.next()]);
    for (const subject of ["a", "c", "b"]) await mail(inbox, "bob@example.org", subject);
    expect((await waiting).map(({ subject }) => subject)).toEqual(["a", "b", "c"]);
  });

  test("chooses by recipient, sender and subject, all of them", async () => {
    await using inbox = await createTestInbox();
    await mail(inbox, "bob@example.org", "Hello", "ann@example.com");
    await mail(inbox, "bob@example.net", "Hello", "ann@example.com");
    await mail(inbox, "bob@example.org", "Bounce", null);
    await mail(inbox, "bob@example.org", "Hello again", "zoe@example.com");
    const find = async (wanted: NextMessage): Promise<number> => (await inbox.next(wanted)).cursor;
    expect(await find({ from: null })).toBe(3);
    expect(await find({ to: "@example.org", subject: /again$/ })).toBe(4);
    expect(await find({ to: "@EXAMPLE.NET", from: /^ann@/, subject: "Hello" })).toBe(2);
    expect(await find({ subject: "Hello" })).toBe(1);
  });

  test("takes nothing that came before a cursor", async () => {
    await using inbox = await createTestInbox();
    await mail(inbox, "bob@example.org", "old");
    const waiting = inbox.next({ to: "bob@example.org", after: inbox.cursor });
    await mail(inbox, "bob@example.org", "new");
    const message = await waiting;
    expect(message.subject).toBe("new");
    expect(message.cursor).toBe(2);
    expect((await inbox.next()).subject).toBe("old");
  });

  test("that waits in vain says what came instead", async () => {
    await using inbox = await createTestInbox();
    await mail(inbox, "bob@example.org", "Hello");
    await mail(inbox, "carol@example.org", "Other");
    await inbox.next({ subject: "Other" });
    await expect(inbox.next({ to: "bob@example.com", subject: /hello/, timeout: 1 })).rejects.toMatchObject({
      code: "timeout",
      message:
        'no message to "bob@example.com", subject /hello/: none came within 1 ms. The inbox has 2:\n' +
        '  #1 <ann@example.com> to <bob@example.org> "Hello"\n' +
        '  #2 <ann@example.com> to <carol@example.org> "Other" (given already)',
    });
    inbox.clear();
    await expect(inbox.next({ timeout: 1 })).rejects.toThrow(
      "no message at all: none came within 1 ms. The inbox is empty",
    );
  });

  test("ends when its signal aborts, and then takes no message", async () => {
    await using inbox = await createTestInbox();
    const stop = new AbortController();
    const waiting = inbox.next({ signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toMatchObject({ code: "aborted", cause: new Error("enough") });
    await expect(inbox.next({ signal: stop.signal })).rejects.toMatchObject({ code: "aborted" });
    await mail(inbox, "bob@example.org", "later");
    expect((await inbox.next()).subject).toBe("later");
  });

  test.each<[string, (inbox: TestInbox, stop: AbortController) => unknown]>([
    ["its signal", (_, stop) => stop.abort()],
    ["its listener", ({ listener }) => listener.close()],
  ])("ends when the server is ended by %s", async (_, end) => {
    const stop = new AbortController();
    await using inbox = await createTestInbox({ signal: stop.signal });
    const waiting = expect(inbox.next({ timeout: Infinity })).rejects.toMatchObject({ code: "aborted" });
    end(inbox, stop);
    await waiting;
    await expect(inbox.next()).rejects.toMatchObject({ code: "aborted" });
  });

  test("that waits in vain says which line of the test it was", async () => {
    await using inbox = await createTestInbox();
    const waitHere = async (): Promise<unknown> => inbox.next({ timeout: 1 });
    const { stack = "" } = await waitHere().then(
      () => new Error("a message came"),
      (error: Error) => error,
    );
    expect(stack).toMatch(
      /^SmtpError: no message at all: .* The inbox is empty\n +at waitHere .*test-inbox\.test\.ts/,
    );
  });

  test.each<NextMessage>([{ timeout: Number.NaN }, { timeout: -5 }, { after: Number.NaN }])(
    "has options that make sense: %j",
    async (wanted) => {
      await using inbox = await createTestInbox();
      await mail(inbox, "bob@example.org", "there");
      await expect(inbox.next(wanted)).rejects.toMatchObject({ code: "bad-argument", blame: "local" });
    },
  );

  test("ends when the inbox closes", async () => {
    const inbox = await createTestInbox();
    const waiting = expect(inbox.next()).rejects.toMatchObject({ code: "aborted" });
    await inbox.close();
    await waiting;
    await expect(inbox.next()).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("an inbox", () => {
  test("shows what nodemailer sends, decoded", async () => {
    await using inbox = await createTestInbox();
    const transport = createTransport({ host: inbox.host, port: inbox.port, secure: false });
    await transport.sendMail({
      from: "Ännchen <ann@example.com>",
      to: "bob@example.org",
      subject:
        "Ihre Bestätigung für heute: bitte öffnen Sie den Verweis, der in dieser Nachricht steht – danke!",
      text: "Öffnen Sie https://example.com/?code=12345678901234567890123456789012345678901234567890123456789\n.\n",
      html: "<p>Öffnen</p>",
      attachments: [{ filename: "a.txt", content: "attached" }],
    });
    transport.close();
    const message = await inbox.next({ subject: /^Ihre Bestätigung .* danke!$/ });
    expect(message.header.get("from")).toBe("Ännchen <ann@example.com>");
    expect(message.text).toBe(
      "Öffnen Sie https://example.com/?code=12345678901234567890123456789012345678901234567890123456789\n.\n",
    );
    expect(message.html).toBe("<p>Öffnen</p>");
  });

  test("keeps so many messages, and drops the oldest", async () => {
    await using inbox = await createTestInbox({ maxMessages: 2 });
    for (const subject of ["a", "b", "c"]) await mail(inbox, "bob@example.org", subject);
    expect(inbox.messages.map(({ cursor, subject }) => `${cursor} ${subject}`)).toEqual(["2 b", "3 c"]);
    expect(inbox.dropped).toBe(1);
    expect((await inbox.next()).subject).toBe("b");
  });

  test("keeps so many bytes, and takes no message that is bigger", async () => {
    const size = "Subject: a\r\n\r\nHello!\r\n".length;
    await using inbox = await createTestInbox({ maxBytes: 2 * size });
    for (const subject of ["a", "b", "c"]) await mail(inbox, "bob@example.org", subject);
    expect(inbox.messages.map(({ subject }) => subject)).toEqual(["b", "c"]);
    await expect(mail(inbox, "bob@example.org", "x".repeat(2 * size))).rejects.toMatchObject({
      reply: { code: 552 },
    });
    inbox.clear();
    expect(inbox.messages).toEqual([]);
    expect(inbox.cursor).toBe(3);
    await mail(inbox, "bob@example.org", "d");
    expect(inbox.messages.map(({ cursor }) => cursor)).toEqual([4]);
    expect(inbox.dropped).toBe(1);
  });

  test("shows what it has now: what was looked at before stays as it was", async () => {
    await using inbox = await createTestInbox();
    await mail(inbox, "bob@example.org", "a");
    const { messages } = inbox;
    expect(inbox.messages).toBe(messages);
    await mail(inbox, "bob@example.org", "b");
    expect(messages).toHaveLength(1);
    expect(inbox.messages).toHaveLength(2);
  });

  test.each<TestInboxOptions>([
    { maxMessages: 0 },
    { maxMessages: -1 },
    { maxMessages: 1.5 },
    { maxMessages: Number.NaN },
    { maxBytes: Number.NaN },
    { maxBytes: -1 },
    { hooks: { onRcpt: "nobody" as never } },
    { hooks: { onMessage: (() => undefined) as never } },
  ])("has options that make sense: %j", async (options) => {
    await expect(createTestInbox(options)).rejects.toMatchObject({ code: "bad-argument", blame: "local" });
  });

  test("asks hooks that are methods of a class", async () => {
    class Rules {
      readonly asked: string[] = [];
      onRcpt({ address }: { readonly address: string }): void {
        this.asked.push(address);
      }
    }
    const hooks = new Rules();
    await using strict = await createTestInbox({ hooks });
    await sendMail({ port: strict.port, from: "a@b.example", to: "c@d.example", data: "Subject: x\r\n\r\n" });
    expect(hooks.asked).toEqual(["c@d.example"]);
  });

  test("asks hooks of one's own", async () => {
    await using inbox = await createTestInbox({
      hooks: {
        onRcpt(to) {
          if (to.localPart === "nobody") throw new SmtpReply(550, "5.1.1", "no such user");
        },
      },
    });
    await expect(mail(inbox, "nobody@example.org", "x")).rejects.toMatchObject({ reply: { code: 550 } });
    await mail(inbox, "bob@example.org", "y");
    expect(inbox.messages).toHaveLength(1);
  });

  test("has types that fit", () => {
    expectTypeOf<Awaited<ReturnType<TestInbox["next"]>>>().toEqualTypeOf<InboxMessage>();
    const hooks: SmtpHooks = { onMessage: () => undefined };
    expectTypeOf(hooks).not.toExtend<TestInboxOptions["hooks"]>();
    expectTypeOf<Omit<SmtpHooks, "onMessage">>().toExtend<TestInboxOptions["hooks"]>();
  });
});
