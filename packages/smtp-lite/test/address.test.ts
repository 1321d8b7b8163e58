import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePath } from "../src/address.ts";
import type { AddressRole } from "../src/index.ts";
import { formatPath, parsePath, SmtpError } from "../src/index.ts";

interface Vector {
  readonly text: string;
  readonly role: AddressRole;
  /** SMTPUTF8 is in force. */
  readonly utf8?: boolean;
  readonly address?: string;
  readonly localPart?: string;
  readonly domain?: string;
  /** The reply code and the enhanced code of the refusal. */
  readonly refused?: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/addresses.json", import.meta.url), "utf8"),
) as readonly Vector[];

describe("paths (RFC 5321 section 4.1.2)", () => {
  it.each(vectors)("$role $text", ({ text, role, utf8, refused, address, localPart, domain }) => {
    if (refused === undefined) {
      expect(parsePath(text, role, utf8)).toEqual({ address, localPart, domain });
      return;
    }
    try {
      expect.fail(`accepted: ${JSON.stringify(parsePath(text, role, utf8))}`);
    } catch (error) {
      if (!(error instanceof SmtpError)) throw error;
      expect(`${error.reply?.code} ${error.reply?.enhanced}`).toBe(refused);
    }
  });
});

describe("round trips", () => {
  const domain = fc.oneof(
    fc.constantFrom("x.example", "[127.0.0.1]", "[IPv6:2001:db8::1]", "a-b.c0.example"),
    fc.stringMatching(/^[a-z0-9]{1,20}(?:\.[a-z0-9]{1,20}){0,3}$/),
  );

  it("whatever ASCII a local part is made of, it comes back", () => {
    fc.assert(
      // 30 characters stay within 64 when each needs a backslash.
      fc.property(fc.stringMatching(/^[ -~]{0,30}$/), domain, (localPart, domain) => {
        const path = makePath(localPart, domain);
        expect(parsePath(formatPath(path), "recipient")).toEqual(path);
      }),
    );
  });

  it("any text is a path or a refusal with a reply, and a path formats to the same path", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("<", ">", "@", ".", '"', "\\", " ", "a", "1", "-", ":", ",", "[", "]", "é"),
        }),
        (text) => {
          try {
            const path = parsePath(`<${text}>`, "sender");
            expect(parsePath(formatPath(path), "sender")).toEqual(path);
          } catch (error) {
            expect(error).toBeInstanceOf(SmtpError);
            expect((error as SmtpError).reply?.code).toBeOneOf([501, 553]);
          }
        },
      ),
    );
  });
});
