// What the fuzzer sends: messages put together from valid and invalid parts, vectors, and both of them damaged.
// It knows bytes (one character each), not what a session should make of them.
import fc from "fast-check";
import { REPLY_VECTORS, REQUEST_VECTORS, vectors } from "./play.ts";

/** One of the usual ones mostly, now and then one of the others. */
function mostly(weight: number, usual: readonly string[], others: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );
}

/** Parts one behind the other. */
function sequence(...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((texts) => texts.join(""));
}

function several(part: fc.Arbitrary<string>, maxLength: number, minLength = 0): fc.Arbitrary<string> {
  return fc.array(part, { minLength, maxLength }).map((texts) => texts.join(""));
}

const eol = mostly(100, ["\r\n"], ["\n", "\r", "\r\r\n", "\r\n\r\n", ""]);
const space = mostly(60, [" "], ["  ", "\t", "", " \t"]);
const version = mostly(
  40,
  ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
  ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.10", "HTTP/1", "HTTP/1,1", ""],
);
const method = mostly(
  40,
  ["GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"],
  ["CONNECT", "TRACE", "get", "BREW", "", "G(T", "A".repeat(33), "G\0T"],
);
const target = mostly(
  40,
  ["/", "/a?b=c", "/%41", "http://b.example:80/p"],
  ["*", "a:443", "", "/a b", "/a#b", "/\0", "/\xe9", "http://u@b/", "ftp://b/", "a/b", `/${"a".repeat(80)}`],
);
const emptyLines = mostly(20, [""], ["\r\n", "\r\n\r\n", "\r\n\r\n\r\n", "\n", "\r", " "]);

const colon = mostly(60, [": ", ":"], [" : ", "", "::", "\t:"]);
const name = mostly(
  40,
  ["X", "Y-Z", "Cookie", "set-cookie", "__proto__", "Accept"],
  ["", "X Y", "\xe9", "X\0", "N".repeat(70), " X"],
);
const value = mostly(
  40,
  ["", "a", " a \t", "a, b", '"q"', "\xa0"],
  ["\0", "a\rb", "a\nb", "\x0b", "v".repeat(300)],
);
const host = mostly(
  40,
  ["Host: a", "host:a:80", "HOST: [::1]:8080"],
  ["", "Host:", "Host: a, b", "Host: u@a", "Host : a", "Host: a\r\nHost: a", "Host: a/b", "Host: a\xa0"],
);
const option = mostly(
  40,
  [
    "Connection: close",
    "Connection: keep-alive",
    "Connection: upgrade\r\nUpgrade: websocket",
    "Upgrade: h2c",
    "Expect: 100-continue",
  ],
  ["Connection: a b", `Connection: ${",".repeat(12)}close`, "Expect: 200-ok", "Connection:\r\n close"],
);
const field = fc.oneof(
  { arbitrary: sequence(name, colon, value), weight: 4 },
  { arbitrary: option, weight: 1 },
);

const digits = "0123456789abcdef";
const content = fc.nat({ max: 20 }).map((length) => digits.repeat(2).slice(0, length));
const extension = mostly(12, ["", "", ";a", ';b="c d"'], [";", ";=", ";a b", `;${"e".repeat(50)}`, ";a\n"]);
const chunk = fc
  .tuple(content, extension, eol, eol, mostly(20, ["ok"], ["0x", "+", "short", "long", "ffffffff", "empty"]))
  .map(([data, more, afterSize, afterData, how]) => {
    const size = data.length + (how === "short" ? 1 : how === "long" ? -1 : 0);
    const written =
      how === "empty" ? "" : how === "ffffffff" ? "ffffffffffffff" : Math.max(size, 0).toString(16);
    const prefix = how === "0x" || how === "+" ? how : "";
    return `${prefix}${written}${more}${afterSize}${data}${afterData}`;
  });
const trailers = several(
  sequence(
    mostly(20, ["X: y", "X-Sum:1"], ["Host: a", "Content-Length: 1", "X : y", " X: y", "T".repeat(200)]),
    eol,
  ),
  3,
);
const chunked = sequence(
  several(chunk, 4),
  mostly(20, ["0", "00"], ["", "0;a", "0x0", "-0"]),
  eol,
  trailers,
  eol,
);

/** A framing field, and a body that goes with it, or nearly. */
const framed: fc.Arbitrary<readonly [field: string, body: string]> = fc.oneof(
  { arbitrary: fc.constant(["", ""] as const), weight: 4 },
  {
    arbitrary: fc
      .tuple(
        mostly(25, ["Content-Length: "], ["content-length:", "Content-Length: +", "Content-Length: 0x"]),
        content,
      )
      .map(([start, body]) => [`${start}${body.length}\r\n`, body] as const),
    weight: 4,
  },
  {
    arbitrary: fc.tuple(
      mostly(
        25,
        ["Transfer-Encoding: chunked\r\n"],
        [
          "transfer-encoding:CHUNKED\r\n",
          "Transfer-Encoding: gzip, chunked\r\n",
          "Transfer-Encoding: chunked, chunked\r\n",
          "Transfer-Encoding : chunked\r\n",
          "Transfer-Encoding: \x0bchunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        ],
      ),
      chunked,
    ),
    weight: 4,
  },
  // What says one thing and sends another.
  {
    arbitrary: fc.tuple(
      fc.constantFrom(
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 9007199254740993\r\n",
        "",
      ),
      fc.oneof(content, chunked),
    ),
    weight: 1,
  },
);

function message(startLine: fc.Arbitrary<string>, first: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      startLine,
      eol,
      first,
      eol,
      several(sequence(field, eol), 4),
      framed,
      mostly(60, ["\r\n"], ["\n", "\r", ""]),
    )
    .map(([line, end, firstField, firstEnd, fields, [framing, body], last]) => {
      const opening = firstField === "" ? "" : firstField + firstEnd;
      return line + end + opening + fields + framing + last + body;
    });
}

const requestLine = sequence(emptyLines, method, space, target, space, version);
const requests = several(message(requestLine, host), 4, 1);

const status = mostly(
  40,
  ["200", "200", "404", "204", "304", "100", "103"],
  ["101", "101", "20", "2000", "abc", "", "099"],
);
const reason = mostly(40, [" OK", " ", " Not Found"], ["", "OK", " \0", ` ${"r".repeat(600)}`]);
const statusLine = sequence(version, space, status, reason);
const replies = several(message(statusLine, fc.constantFrom("", "Server: a")), 4, 1);

function inputsOf(files: readonly string[]): fc.Arbitrary<string> {
  const inputs = files.flatMap((file) => vectors(file)).map(({ input }) => input);
  return fc.constantFrom(...inputs.filter((input) => input !== ""));
}

/** One damage, at places given as parts of the whole (0 to 1), so that it fits any input. */
function edit(from: fc.Arbitrary<string>): fc.Arbitrary<(text: string) => string> {
  const place = fc.nat({ max: 9999 }).map((part) => part / 10_000);
  const at = (text: string, part: number): number => Math.floor(part * text.length);
  const char = fc.oneof(
    fc.constantFrom("\r", "\n", " ", "\t", ":", ";", ",", "0", "\0", "\x7f", "\xff"),
    fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
  );
  return fc.oneof(
    // Flip a bit.
    fc.tuple(place, fc.nat({ max: 7 })).map(([part, bit]) => (text: string) => {
      const index = at(text, part);
      const flipped = String.fromCharCode((text.charCodeAt(index) || 0) ^ (1 << bit));
      return text.slice(0, index) + flipped + text.slice(index + 1);
    }),
    // Insert a byte.
    fc.tuple(place, char).map(([part, extra]) => (text: string) => {
      return text.slice(0, at(text, part)) + extra + text.slice(at(text, part));
    }),
    // Leave a byte out.
    place.map((part) => (text: string) => text.slice(0, at(text, part)) + text.slice(at(text, part) + 1)),
    // Repeat a piece.
    fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(([part, length]) => (text: string) => {
      const start = at(text, part);
      return text.slice(0, start + length) + text.slice(start);
    }),
    // Go on in the middle of another input.
    fc.tuple(place, from, place).map(([part, other, otherPart]) => (text: string) => {
      return text.slice(0, at(text, part)) + other.slice(at(other, otherPart));
    }),
    // Break off.
    place.map((part) => (text: string) => text.slice(0, at(text, part))),
  );
}

function damaged(from: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(from, fc.array(edit(from), { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) => edits.reduce((damagedText, change) => change(damagedText), text));
}

/** Bytes for a server, one character each. */
export const toServer: fc.Arbitrary<string> = inputs(requests, inputsOf(REQUEST_VECTORS));
/** Bytes for a client, one character each. */
export const toClient: fc.Arbitrary<string> = inputs(replies, inputsOf(REPLY_VECTORS));

function inputs(made: fc.Arbitrary<string>, known: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: made, weight: 4 },
    { arbitrary: damaged(known), weight: 4 },
    { arbitrary: damaged(made), weight: 2 },
  );
}
