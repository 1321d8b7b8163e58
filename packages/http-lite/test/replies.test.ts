// What a session sends, to the byte, and what it refuses to send.
import { outputText } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpError, HttpSession } from "../src/index.ts";
import type { HttpReply, HttpSessionOptions } from "../src/index.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const OLD = "GET / HTTP/1.0\r\n\r\n";
const OLD_KEPT = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

/** A server session that has received bytes and given all their events. */
function after(input: string, options: HttpSessionOptions = {}): HttpSession {
  const session = new HttpSession(options);
  session.receive(Buffer.from(input, "latin1"));
  while (session.next() !== undefined);
  return session;
}

function sent(session: HttpSession, ...replies: HttpReply[]): string {
  return replies.map((reply) => outputText(session.send(reply))).join("");
}

const streamed: HttpReply[] = [
  { type: "response", status: 200, open: true },
  { type: "data", bytes: "hello" },
  { type: "data", bytes: "" },
  { type: "data", bytes: Buffer.from("!") },
  { type: "end", trailers: { "X-Sum": "1" } },
];

describe("a reply's bytes", () => {
  it.each<[string, string, HttpReply[], string]>([
    [
      "text is UTF-8 with its length",
      GET,
      [{ type: "response", status: 200, body: "héllo €" }],
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nh\xc3\xa9llo \xe2\x82\xac",
    ],
    [
      "bytes stay bytes",
      GET,
      [{ type: "response", status: 200, headers: { "Content-Type": "x/y" }, body: Uint8Array.of(0, 255) }],
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: x/y\r\n\r\n\x00\xff",
    ],
    [
      "no body has a length of zero",
      GET,
      [{ type: "response", status: 404 }],
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    ],
    [
      "HEAD: the length of what GET would give, no content (RFC 9110 §9.3.2)",
      HEAD,
      [{ type: "response", status: 200, headers: { "content-type": "a/b" }, body: "hello" }],
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-type: a/b\r\n\r\n",
    ],
    [
      "HEAD: a declared length without a body",
      HEAD,
      [{ type: "response", status: 200, headers: { "content-length": 7 } }],
      "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
    ],
    [
      "HEAD: a streamed reply has its framing field and no chunks",
      HEAD,
      streamed,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    [
      "204 has neither content nor length (RFC 9110 §8.6)",
      GET,
      [{ type: "response", status: 204, body: "x" }],
      "HTTP/1.1 204 No Content\r\n\r\n",
    ],
    [
      "204 has no Transfer-Encoding (RFC 9112 §6.1)",
      GET,
      [{ ...streamed[0], status: 204 } as HttpReply, ...streamed.slice(1)],
      "HTTP/1.1 204 No Content\r\n\r\n",
    ],
    [
      "205 has no content (RFC 9110 §15.3.6)",
      GET,
      [{ type: "response", status: 205, body: "x" }],
      "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    ],
    [
      "304 has no content (RFC 9110 §15.4.5)",
      GET,
      [{ type: "response", status: 304, headers: { ETag: '"x"' } }],
      'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    ],
    [
      "a streamed reply is chunked, and an empty piece is no last chunk",
      GET,
      streamed,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n",
    ],
    [
      "to HTTP/1.0 a streamed reply ends with the connection (RFC 9112 §6.1)",
      OLD_KEPT,
      streamed,
      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello!",
    ],
    [
      "with a declared length it is sent as it is",
      GET,
      [{ ...streamed[0], headers: { "Content-Length": 6 } } as HttpReply, ...streamed.slice(1)],
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!",
    ],
    [
      "HTTP/1.0 is closed",
      OLD,
      [{ type: "response", status: 200, body: "" }],
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ],
    [
      "HTTP/1.0 that asked for it is kept",
      OLD_KEPT,
      [{ type: "response", status: 200 }],
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    ],
    [
      "the program may close",
      GET,
      [{ type: "response", status: 200, headers: { connection: "Close" } }],
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ],
    [
      "several lines of one name, in order",
      GET,
      [{ type: "response", status: 200, headers: { "Set-Cookie": ["a=1", "b=2"], skipped: undefined } }],
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
    ],
    [
      "interim replies come first",
      GET,
      [
        { type: "informational", status: 103, headers: [["Link", "</a>"]] },
        { type: "response", status: 200 },
      ],
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ["no interim reply to HTTP/1.0 (RFC 9110 §15.2)", OLD, [{ type: "informational", status: 103 }], ""],
    [
      "a status without a known reason",
      GET,
      [{ type: "response", status: 299 }],
      "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
    ],
  ])("%s", (_name, input, replies, expected) => {
    expect(sent(after(input), ...replies)).toBe(expected);
  });

  it("has the date it is given, unless the program gives its own", () => {
    const date = (): string => "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n";
    expect(sent(after(GET, { date }), { type: "response", status: 200 })).toContain("OK\r\nDate: Tue, 15");
    const own = sent(after(GET, { date }), { type: "response", status: 200, headers: { date: "x" } });
    expect(own).not.toContain("1994");
  });

  it("is one string when small, so that the driver can join it with its neighbours", () => {
    expect(typeof after(GET).send({ type: "response", status: 200, body: "hello" })).toBe("string");
  });
});

describe("what is refused, before a byte is made", () => {
  it.each<[string, HttpReply]>([
    ["LF in a value", { type: "response", status: 200, headers: { a: "b\nc: d" } }],
    ["CR in a value", { type: "response", status: 200, headers: { a: "b\r" } }],
    ["NUL in a value", { type: "response", status: 200, headers: { a: "\0" } }],
    ["a character above one byte in a value", { type: "response", status: 200, headers: { a: "€" } }],
    ["CR in a value of pairs", { type: "response", status: 200, headers: [["a", "b\r\n"]] }],
    ["LF in a name", { type: "response", status: 200, headers: { "a\nb": "c" } }],
    ["an empty name", { type: "response", status: 200, headers: { "": "c" } }],
    ["a space in a name", { type: "response", status: 200, headers: { "a b": "c" } }],
    ["LF in a reason", { type: "response", status: 200, reason: "OK\nX: y" }],
    ["an interim status as the final one", { type: "response", status: 100 }],
    ["a status of four digits", { type: "response", status: 2000 }],
    ["a status that is no whole number", { type: "response", status: 200.5 }],
    ["Transfer-Encoding", { type: "response", status: 200, headers: { "transfer-encoding": "chunked" } }],
    [
      "a body that is neither text nor bytes",
      { type: "response", status: 200, body: {} as unknown as string },
    ],
    ["a length that is no number", { type: "response", status: 200, headers: { "content-length": "1, 1" } }],
    [
      "a length that is not the body's",
      { type: "response", status: 200, headers: { "content-length": 3 }, body: "ab" },
    ],
    [
      "a Connection option that is not offered",
      { type: "response", status: 200, headers: { connection: "upgrade" } },
    ],
    ["101 as an interim reply", { type: "informational", status: 101 }],
    [
      "an interim reply with a length",
      { type: "informational", status: 103, headers: { "content-length": 1 } },
    ],
    ["data before a head", { type: "data", bytes: "x" }],
    ["an end before a head", { type: "end" }],
    ["a request from a server", { type: "request", method: "GET", target: "/", headers: { host: "a" } }],
  ])("%s", (_name, reply) => {
    const session = after(GET);
    expect(() => session.send(reply)).toThrow(HttpError);
    // The exchange is as it was: a proper reply is still possible.
    expect(sent(session, { type: "response", status: 500 })).toMatch(/^HTTP\/1\.1 500 /);
  });

  it("more or less content than was declared", () => {
    const open: HttpReply = { type: "response", status: 200, headers: { "content-length": 2 }, open: true };
    const more = after(GET);
    more.send(open);
    expect(() => more.send({ type: "data", bytes: "abc" })).toThrow(/longer/);
    const less = after(GET);
    less.send(open);
    less.send({ type: "data", bytes: "a" });
    expect(() => less.send({ type: "end" })).toThrow(/1 bytes less/);
  });

  it("a trailer that would change framing", () => {
    const session = after(GET);
    session.send({ type: "response", status: 200, open: true });
    expect(() => session.send({ type: "end", trailers: { "Content-Length": 1 } })).toThrow(HttpError);
  });

  it("a second reply to one request, and a reply to none", () => {
    const session = after(GET);
    session.send({ type: "response", status: 200 });
    expect(() => session.send({ type: "response", status: 200 })).toThrow(/no request awaits/);
  });

  it.each<[string, HttpReply]>([
    [
      "LF in the target",
      { type: "request", method: "GET", target: "/ HTTP/1.1\r\nX: y", headers: { host: "a" } },
    ],
    ["a space in the target", { type: "request", method: "GET", target: "/a b", headers: { host: "a" } }],
    ["an empty target", { type: "request", method: "GET", target: "", headers: { host: "a" } }],
    ["LF in the method", { type: "request", method: "GET\n", target: "/", headers: { host: "a" } }],
    ["CRLF in Host", { type: "request", method: "GET", target: "/", headers: { host: "a\r\nX: y" } }],
    ["no Host", { type: "request", method: "GET", target: "/" }],
    ["two Hosts", { type: "request", method: "GET", target: "/", headers: { host: "a", Host: "b" } }],
  ])("in the client's role: %s", (_name, reply) => {
    expect(() => new HttpSession({ role: "client" }).send(reply)).toThrow(HttpError);
  });
});

describe("the end of a connection", () => {
  it("announces that it will close when the rest of a body is too long to be dropped", () => {
    const input = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc";
    const session = after(input, { limits: { maxDiscardBytes: 100 } });
    expect(sent(session, { type: "response", status: 413 })).toContain("Connection: close");
    expect(session.finished).toBe(true);
  });

  it("drops the unread rest of a short body, and goes on", () => {
    const session = after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    expect(sent(session, { type: "response", status: 200 })).not.toContain("close");
    session.receive(Buffer.from(`cde${GET}`));
    const types = Array.from({ length: 3 }, () => session.next()?.type);
    expect(types).toEqual(["data", "end", "request"]);
  });

  it("drops an endless body only up to the bound", () => {
    const session = after("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", {
      limits: { maxDiscardBytes: 10 },
    });
    session.send({ type: "response", status: 200 });
    session.receive(Buffer.from("14\r\n01234567890123456789\r\n"));
    while (session.next() !== undefined);
    expect(session.finished).toBe(true);
  });

  it("closes after a final reply to a client that still waits for 100 (RFC 9110 §10.1.1)", () => {
    const session = after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    expect(sent(session, { type: "response", status: 403 })).toContain("Connection: close");
    expect(session.finished).toBe(true);
  });

  it("does not close when 100 was sent", () => {
    const session = after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    expect(sent(session, { type: "informational", status: 100 })).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(sent(session, { type: "response", status: 200 })).not.toContain("close");
  });

  it("on drain finishes at once when idle", () => {
    const session = after("");
    session.notify("drain");
    expect(session.finished).toBe(true);
  });

  it("on drain answers the request in hand with Connection: close", () => {
    const session = after(GET);
    session.notify("drain");
    expect(session.finished).toBe(false);
    expect(sent(session, { type: "response", status: 200 })).toContain("Connection: close");
    expect(session.finished).toBe(true);
  });

  it("on drain answers a request that has begun", () => {
    const session = after("GET / HT");
    session.notify("drain");
    expect(session.finished).toBe(false);
    session.receive(Buffer.from("TP/1.1\r\nHost: a\r\n\r\n"));
    expect(session.next()?.type).toBe("request");
    expect(sent(session, { type: "response", status: 200 })).toContain("Connection: close");
  });

  it("on a timeout says 408 once a request has begun, and nothing before", () => {
    const idle = after("");
    idle.notify("timeout");
    expect(idle.next()).toBeUndefined();
    expect(idle.finished).toBe(true);
    const begun = after("GET /");
    begun.notify("timeout");
    expect(begun.next()).toMatchObject({ type: "error", error: { status: 408, code: "timeout" } });
    expect(sent(begun, { type: "response", status: 408 })).toContain("Connection: close");
    expect(begun.finished).toBe(true);
  });

  it("says whether something has begun", () => {
    const session = new HttpSession();
    expect(session.partial).toBe(false);
    session.receive(Buffer.from("G"));
    expect(session.next()).toBeUndefined();
    expect(session.partial).toBe(true);
    session.receive(Buffer.from("ET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    session.next();
    expect(session.partial).toBe(false);
    session.send({ type: "response", status: 200 });
    expect(session.partial).toBe(false);
  });
});
