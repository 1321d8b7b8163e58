import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePath } from "../src/address.ts";
import { NO_PARAMETERS } from "../src/parameter-types.ts";
import { ReceivedCounter, receivedLine } from "../src/received.ts";

const mail = {
  id: "id1",
  remoteAddress: "192.0.2.1",
  remotePort: 5000,
  remoteName: undefined,
  tls: undefined,
  auth: undefined,
  helo: "client.example",
  extended: true,
  from: null,
  ...NO_PARAMETERS,
  to: [makePath("c", "d.example")],
} as const;
const date = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));

describe("the Received line (RFC 5321 section 4.4)", () => {
  it("says from, by, with, id, for and when", () => {
    expect(receivedLine(mail, mail.to, "mail.example", date)).toBe(
      "Received: from client.example ([192.0.2.1])\r\n\tby mail.example with ESMTP id id1\r\n\tfor <c@d.example>;\r\n\tFri, 02 Jan 2026 03:04:05 +0000\r\n",
    );
  });

  it("does not tell one recipient of another (section 7.2)", () => {
    const line = receivedLine(mail, [makePath("c", "d"), makePath("e", "f")], "mail.example", date);
    expect(line).not.toContain("for");
  });

  it.each([
    ["a name that is no domain", { helo: "(x) by evil;" }, "from [192.0.2.1] ([192.0.2.1])"],
    ["IPv6", { remoteAddress: "2001:db8::1" }, "from client.example ([IPv6:2001:db8::1])"],
    ["IPv4 in IPv6", { remoteAddress: "::ffff:192.0.2.9" }, "from client.example ([192.0.2.9])"],
    [
      "a name of the address",
      { remoteName: "host.example" },
      "from client.example (host.example [192.0.2.1])",
    ],
    ["HELO", { extended: false }, "with SMTP id"],
    ["SMTPUTF8 (RFC 6531 section 4.3)", { utf8: true }, "with UTF8SMTP id"],
  ])("%s", (_, change, expected) => {
    expect(receivedLine({ ...mail, ...change }, mail.to, "mail.example", date)).toContain(expected);
  });
});

describe("the count of Received lines", () => {
  it("takes in the header only, in any case, however it is cut", () => {
    const line = fc.constantFrom(
      "Received: x",
      "RECEIVED:x",
      "Received \t: x",
      "Received x",
      "\tReceived: folded",
      "Received-SPF: x",
      "X: Received: y",
      "Re",
      "",
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(60)), (lines, sizes) => {
        const header = lines.includes("") ? lines.slice(0, lines.indexOf("")) : lines;
        const counter = new ReceivedCounter();
        const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join(""));
        let at = 0;
        for (const size of sizes) counter.push(bytes.subarray(at, (at += size)));
        counter.push(bytes.subarray(at));
        expect(counter.count).toBe(header.filter((text) => /^received[ \t]*:/i.test(text)).length);
      }),
    );
  });
});
