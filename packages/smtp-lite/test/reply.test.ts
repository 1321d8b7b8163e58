import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { joinReplyLines, parseReplyLine } from "../src/reply.ts";
import type { EnhancedFor, Envelope, Mail, Path, Recipient, Reply, SmtpHooks } from "../src/index.ts";
import { formatReply, replies, SmtpError, SmtpReply } from "../src/index.ts";

describe("replies (RFC 5321 section 4.2)", () => {
  it("parsing undoes formatting, with several lines and enhanced codes", () => {
    const text = fc.stringMatching(/^[A-Za-z][\t -~]{0,60}$/);
    const reply = fc
      .record({ code: fc.integer({ min: 200, max: 599 }), subject: fc.nat(9), detail: fc.nat(99) })
      .filter(({ code }) => code % 100 < 60 && Math.floor(code / 100) !== 3)
      .map(({ code, subject, detail }) => ({
        code,
        enhanced: `${Math.floor(code / 100)}.${subject}.${detail}`,
      }));
    fc.assert(
      fc.property(
        reply,
        text,
        fc.array(text, { maxLength: 4 }),
        fc.boolean(),
        (codes, first, more, enhanced) => {
          const lines: [string, ...string[]] = [first, ...more];
          const value: Reply = enhanced ? { ...codes, lines } : { code: codes.code, lines };
          const parsed = formatReply(value)
            .split("\r\n")
            .slice(0, -1)
            .map((line) => parseReplyLine(line));
          expect(parsed.map((line) => line?.last)).toEqual(
            lines.map((_, index) => index === lines.length - 1),
          );
          const [head, ...tail] = parsed.map((line) => line?.text ?? "");
          expect(joinReplyLines(parsed[0]?.code ?? 0, [head ?? "", ...tail])).toEqual(value);
        },
      ),
    );
  });

  it.each(["250 ok\n", "2500 x", "25 x", "650 x", "250_x", "", "ok"])("%j is no reply line", (line) => {
    expect(parseReplyLine(line)).toBeUndefined();
  });

  it("no text gets a line of its own, and no class differs from its code", () => {
    const bad: Reply[] = [
      { code: 550, enhanced: "5.1.1", lines: ["no\r\n250 yes"] },
      { code: 550, enhanced: "5.1.1", lines: ["no\n"] },
      { code: 550, enhanced: "5.1.1", lines: ["nö"] },
      { code: 550, enhanced: "4.1.1", lines: ["no"] },
      { code: 550, enhanced: "5.1", lines: ["no"] },
      { code: 199, lines: ["no"] },
      { code: 250.5, lines: ["no"] },
    ];
    for (const reply of bad) expect(() => formatReply(reply)).toThrow(SmtpError);
    expect(() => new SmtpReply(550, "5.1.1", "no\r\n250 yes")).toThrow(/printable/);
  });

  it("the ready-made ones can all be sent", () => {
    for (const reply of Object.values<Reply>(replies)) {
      expect(formatReply(reply)).toMatch(/^[2345][0-9]{2}/);
      if (reply.code !== 354) expect(reply.enhanced?.[0]).toBe(`${reply.code}`[0]);
    }
  });
});

describe("types make wrong states unrepresentable", () => {
  it("the enhanced code has the class of the reply code", () => {
    expectTypeOf<EnhancedFor<550>>().toEqualTypeOf<`5.${number}.${number}`>();
    expectTypeOf<EnhancedFor<451>>().toEqualTypeOf<`4.${number}.${number}`>();
    expectTypeOf<EnhancedFor<354>>().toBeNever();
    expectTypeOf(new SmtpReply(550, "5.1.1", "no").code).toEqualTypeOf<550>();
    // @ts-expect-error -- 4.1.1 does not go with 550
    expect(() => new SmtpReply(550, "4.1.1", "no")).toThrow(SmtpError);
    // @ts-expect-error -- a hook refuses; it does not say 250
    expect(() => new SmtpReply(250, "2.0.0", "yes")).toThrow(SmtpError);
    // @ts-expect-error -- a reply has at least one line
    expect(() => new SmtpReply(550, "5.1.1")).toThrow(SmtpError);
  });

  it("no RCPT without its MAIL, no message without a recipient", () => {
    expectTypeOf<NonNullable<SmtpHooks["onRcpt"]>>().parameters.toEqualTypeOf<[to: Recipient, mail: Mail]>();
    expectTypeOf<Envelope["to"]>().toEqualTypeOf<readonly [Recipient, ...Recipient[]]>();
    expectTypeOf<Envelope["from"]>().toEqualTypeOf<Path | null>();
    expectTypeOf<Mail>().not.toHaveProperty("to");
    expectTypeOf<Mail>().not.toHaveProperty("received");
    expectTypeOf<Envelope>().toExtend<Mail>();
    expectTypeOf<SmtpHooks>().toHaveProperty("onMessage");
    // @ts-expect-error -- without `onMessage` every message would be thrown away
    expectTypeOf<Pick<SmtpHooks, "onMail">>().toExtend<SmtpHooks>();
  });
});
