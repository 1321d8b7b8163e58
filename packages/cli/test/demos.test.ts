import { describe, expect, it } from "vitest";
import { Mailbox, MailboxFull } from "../src/demos/mailbox.ts";
import { pattern } from "../src/demos/pattern.ts";
import { Summary } from "../src/demos/summary.ts";
import { printable } from "../src/printable.ts";

describe("the mailbox", () => {
  const draftOf = (mailbox: Mailbox, size: number): ReturnType<Mailbox["draft"]> => {
    const draft = mailbox.draft();
    for (let left = size; left > 0; left -= 1000) draft.add(Buffer.alloc(Math.min(left, 1000), "m"));
    return draft;
  };

  it("keeps what was put in, whatever the pieces", () => {
    const mailbox = new Mailbox();
    const draft = mailbox.draft();
    for (const piece of ["Subject: ", "", "one\r\n", "\r\n", "body"]) draft.add(Buffer.from(piece));
    draft.keep();
    expect(mailbox.mails.map(String)).toEqual(["Subject: one\r\n\r\nbody"]);
  });

  it("copies: the chunk that a piece came in may be used again", () => {
    const mailbox = new Mailbox();
    const draft = mailbox.draft();
    const chunk = Buffer.from("first");
    draft.add(chunk);
    chunk.fill("x");
    draft.keep();
    expect(mailbox.mails.map(String)).toEqual(["first"]);
  });

  it("is bounded in count: the oldest go first", () => {
    const mailbox = new Mailbox({ count: 3, bytes: 1e6 });
    for (const name of "abcde") {
      const draft = mailbox.draft();
      draft.add(Buffer.from(name));
      draft.keep();
    }
    expect(mailbox.mails.map(String)).toEqual(["c", "d", "e"]);
    expect(mailbox.bytes).toBe(3);
  });

  it("is bounded in bytes, kept mails and drafts together", () => {
    const mailbox = new Mailbox({ count: 1000, bytes: 100_000 });
    for (let round = 0; round < 50; round += 1) {
      draftOf(mailbox, 20_000).keep();
      expect(mailbox.bytes).toBeLessThanOrEqual(100_000);
    }
    expect(mailbox.mails.length).toBeGreaterThan(2);
    expect(mailbox.mails.every((mail) => mail.length === 20_000)).toBe(true);
  });

  it("refuses a mail that fits in no way, and has its room back", () => {
    const mailbox = new Mailbox({ count: 10, bytes: 10_000 });
    const many = draftOf(mailbox, 5000);
    const large = mailbox.draft();
    expect(() => large.add(Buffer.alloc(9000))).toThrow(MailboxFull);
    large.drop();
    many.drop();
    expect(mailbox.bytes).toBe(0);
    draftOf(mailbox, 4000).keep();
    expect(mailbox.mails).toHaveLength(1);
  });
});

describe("the summary of a mail", () => {
  const cases: readonly [header: string, subject: string][] = [
    ["Subject: hello", "hello"],
    ["From: a@b\r\nSUBJECT :hello", "hello"],
    ["Subject: one\r\n two\r\n\tthree\r\nTo: c@d", "one two three"],
    ["Subject: a\u0007\u001b[31m\u009bb\u202ec", "a[31mbc"],
    ["Subject: =?utf-8?B?5L2g5aW9?= =?utf-8?Q?_=21?=", "你好 !"],
    ["Subject: =?iso-8859-1?q?gr=FC=DFe?=", "grüße"],
    // A character cut in two, and a language.
    ["Subject: =?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café"],
    ["Subject: =?utf-8*en?Q?tea?=", "tea"],
    ["Subject: =?utf-8?B?G1szMW0=?=", "[31m"],
    ["Subject: =?no-such-charset?B?5L2g?=", "=?no-such-charset?B?5L2g?="],
    ["Subject: 你好", "你好"],
    ["Subject:", ""],
    ["X-Subject: no", ""],
    ["To: a@b\r\n\r\nSubject: of the body", ""],
    [`Subject: ${"s".repeat(500)}`, `${"s".repeat(200)}…`],
  ];
  it.each(cases)("%j", (header, subject) => {
    const bytes = Buffer.from(`${header}\r\n\r\nbody`);
    const whole = new Summary();
    whole.add(bytes);
    expect(whole).toMatchObject({ subject, size: bytes.length });
    const split = new Summary();
    for (const byte of bytes) split.add(Uint8Array.of(byte));
    expect(split).toMatchObject({ subject, size: bytes.length });
  });

  it("looks at the beginning of an endless header only", () => {
    const summary = new Summary();
    const line = Buffer.from(`X-Long: ${"x".repeat(990)}\r\n`);
    for (let count = 0; count < 1000; count += 1) summary.add(line);
    summary.add(Buffer.from("Subject: too late\r\n\r\n"));
    expect(summary.subject).toBe("");
    expect(summary.size).toBeGreaterThan(1_000_000);
  });
});

it("the pattern is as long as it says, and goes on over the borders of its pieces", async () => {
  for (const count of [0, 1, 251, 64_255, 64_256, 64_257, 200_000]) {
    let at = 0;
    let wrong = 0;
    for await (const piece of pattern(count)) for (const byte of piece) if (byte !== at++ % 251) wrong += 1;
    expect({ at, wrong }).toEqual({ at: count, wrong: 0 });
  }
});

it("printable text keeps letters, also those outside ASCII", () => {
  expect(printable("Grüße, 你好 👋\r\n\t\u0000\u007f\u2029")).toBe("Grüße, 你好 👋");
});
