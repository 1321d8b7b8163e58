// Headers and texts as a test inbox shows them: what mailers write, decoded, and what they break, survived.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitMessage } from "../src/header.ts";
import { decodeHeaderText } from "../src/index.ts";
import { findText } from "../src/mime-text.ts";

function message(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"));
}

describe("a header", () => {
  test("has its fields in order, unfolded, found in any case of letters", () => {
    const { header, body } = splitMessage(
      message("Received: one", "received: two", "Subject: a", "\tlong", " subject ", "", "body: no field"),
    );
    expect(header.fields.map(({ name }) => name)).toEqual(["Received", "received", "Subject"]);
    expect(header.getAll("RECEIVED")).toEqual(["one", "two"]);
    expect(header.get("subject")).toBe("a\tlong subject");
    expect(header.get("body")).toBeUndefined();
    expect(body.toString()).toBe("body: no field");
  });

  test("may be empty, or all there is", () => {
    expect(splitMessage(message("", "body")).body.toString()).toBe("body");
    expect(splitMessage(message("", "body")).header.fields).toEqual([]);
    expect(splitMessage(message("Subject: alone")).header.get("Subject")).toBe("alone");
    expect(splitMessage(message("Subject: alone")).body).toHaveLength(0);
  });

  test("leaves out lines that are no field", () => {
    const { header } = splitMessage(message("no field", ": nameless", "with space: x", "Ok : y", ""));
    expect(header.fields).toEqual([{ name: "Ok", value: "y" }]);
  });

  test("is UTF-8, or else one character a byte", () => {
    expect(splitMessage(Buffer.from("Subject: café")).header.get("Subject")).toBe("café");
    expect(splitMessage(Buffer.from("Subject: café", "latin1")).header.get("Subject")).toBe("café");
  });
});

// RFC 2047 section 8, and what is seen in the wild.
test.each([
  ["=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"],
  ["=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik Fältström"],
  ["=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=", "םולש ןב ילטפנ"],
  ["(=?ISO-8859-1?Q?a?=)", "(a)"],
  ["(=?ISO-8859-1?Q?a?= b)", "(a b)"],
  ["(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"],
  ["(=?ISO-8859-1?Q?a?=    =?ISO-8859-1?Q?b?=)", "(ab)"],
  ["(=?ISO-8859-1?Q?a_b?=)", "(a b)"],
  ["(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"],
  ["=?utf-8*de?q?caf=c3=A9?=", "café"],
  // Cut in the middle of a character.
  ["=?UTF-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café"],
  ["=?UTF-8?B?w6k=?= and =?UTF-8?Q?=C3=A9?=", "é and é"],
  ["=?no-such-charset?Q?a?=", "=?no-such-charset?Q?a?="],
  ["=?utf-8?Q?a?= =?no-such-charset?Q?b?=", "=?utf-8?Q?a?= =?no-such-charset?Q?b?="],
  ["=?*en?Q?a?=", "=?*en?Q?a?="],
  ["=?utf-8?X?a?=", "=?utf-8?X?a?="],
  ["=?utf-8?Q?a b?=", "=?utf-8?Q?a b?="],
])("encoded words: %s", (text, decoded) => {
  expect(decodeHeaderText(text)).toBe(decoded);
});

describe("the text", () => {
  test("of a plain message, its transfer encoding and charset taken off", () => {
    expect(findText(message("Subject: x", "", "one", "two"), "plain")).toBe("one\ntwo");
    expect(
      findText(
        message(
          'Content-Type: text/plain; format=flowed; charset="ISO-8859-1"',
          "Content-Transfer-Encoding: Quoted-Printable",
          "",
          "caf=E9 =",
          "and =3D",
        ),
        "plain",
      ),
    ).toBe("café and =");
    expect(
      findText(
        message(
          "Content-Type: text/html; charset=utf-8",
          "Content-Transfer-Encoding: base64",
          "",
          "PGI+w6k8",
          "L2I+",
        ),
        "html",
      ),
    ).toBe("<b>é</b>");
  });

  test("ends without its soft line break, whose CRLF is the boundary's (RFC 2045 section 6.7)", () => {
    const part = ["Content-Transfer-Encoding: quoted-printable", "", "two=", "gether=20=\t"];
    expect(
      findText(message("Content-Type: multipart/mixed; boundary=b", "", "--b", ...part, "--b--"), "plain"),
    ).toBe("twogether ");
  });

  test("is the first in a multipart message that is no attachment, however deep", () => {
    const raw = message(
      'Content-Type: multipart/mixed; boundary="a"',
      "",
      "preamble",
      "--a",
      "Content-Disposition: attachment; filename=x.txt",
      "",
      "attached",
      "--a",
      "Content-Type: multipart/alternative; boundary=ab",
      "",
      "--ab",
      "",
      "plain",
      "--ab",
      "Content-Type: text/html",
      "",
      "<p>html</p>",
      "--ab--",
      "--a--",
      "--a",
      "",
      "after the end",
    );
    expect(findText(raw, "plain")).toBe("plain");
    expect(findText(raw, "html")).toBe("<p>html</p>");
  });

  test("is not there where there is none", () => {
    expect(findText(message("Content-Type: image/png", "", "x"), "plain")).toBeUndefined();
    expect(findText(message("Content-Type: multipart/mixed", "", "x"), "plain")).toBeUndefined();
    expect(findText(message("Content-Type: text/plain", "", "x"), "html")).toBeUndefined();
  });

  test("is not looked for without end", () => {
    const nested = (depth: number): string =>
      depth === 0
        ? "\r\nx"
        : `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n${nested(depth - 1)}`;
    expect(findText(Buffer.from(nested(8)), "plain")).toBe("x");
    expect(findText(Buffer.from(nested(9)), "plain")).toBeUndefined();
  });

  test("of anything at all is no crash", () => {
    const piece = fc.constantFrom(
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "Content-Type: text/plain; charset=utf-16\r\n",
      "Content-Transfer-Encoding: base64\r\n",
      "Subject: =?utf-8?Q?=C3?= =?\r\n",
      "\r\n",
      "--b\r\n",
      "--b--",
      "=\r\n",
      "=?=?=?",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 5 }))), (pieces) => {
        const raw = Buffer.from(pieces.join(""));
        findText(raw, "plain");
        expect(splitMessage(raw).body.length).toBeLessThanOrEqual(raw.length);
      }),
      { numRuns: 500 },
    );
  });
});
