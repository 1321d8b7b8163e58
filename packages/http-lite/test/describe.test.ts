// How messages read in the event log: where each piece stands, and that no secret is shown.
import { EventLog } from "@tcpkit/core";
import type { Span } from "@tcpkit/core";
import { outputText } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { describeEvent, describeReply, HttpSession, serveHttp } from "../src/index.ts";
import type { HttpReply } from "../src/index.ts";
import { Wire } from "./wire.ts";

const BEFORE = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD =
  "POST /a?b HTTP/1.1\r\nHost: a\r\nauthorization:  Basic c2VjcmV0 \r\nCookie: id=secret\r\nX: \x85\r\nContent-Length: 2\r\n\r\n";

describe("a request in the log", () => {
  const session = new HttpSession();
  session.receive(Buffer.from(`${BEFORE + HEAD}hi`, "latin1"));
  session.next();
  session.send({ type: "response", status: 200 });
  const event = session.next();
  if (event === undefined) throw new Error("no event");
  const description = describeEvent(event);
  const wire = BEFORE + HEAD;

  it("names its pieces by absolute offsets", () => {
    const tokens = (description.tokens ?? []).map(({ name, start, end }) => [name, wire.slice(start, end)]);
    expect(tokens).toEqual([
      ["method", "POST"],
      ["target", "/a?b"],
      ["version", "HTTP/1.1"],
      ["field-name", "Host"],
      ["field-value", "a"],
      ["field-name", "authorization"],
      ["field-value", "Basic c2VjcmV0"],
      ["field-name", "Cookie"],
      ["field-value", "id=secret"],
      ["field-name", "X"],
      ["field-value", "\x85"],
      ["field-name", "Content-Length"],
      ["field-value", "2"],
    ]);
  });

  it("hides credentials and control characters, and says where the secrets stand", () => {
    expect(description.text).toBe(
      "POST /a?b HTTP/1.1 | Host: a | authorization: [redacted] | Cookie: [redacted] | X: ? | Content-Length: 2",
    );
    const secrets = (description.secrets ?? []).map(({ start, end }) => wire.slice(start, end));
    expect(secrets).toEqual(["Basic c2VjcmV0", "id=secret"]);
  });

  it("goes on with its body and its end", () => {
    expect(describeEvent(session.next()!).text).toBe("2 bytes of body");
    expect(describeEvent(session.next()!).text).toBe("end of body");
  });
});

describe("a reply in the log", () => {
  const BEFORE_REPLY = 1000;

  function logged(
    reply: HttpReply,
    session: HttpSession,
  ): { text: string; tokens: unknown; secrets: unknown } {
    const output = session.send(reply);
    const wire = outputText(output);
    const { text, tokens = [], secrets = [] } = describeReply(reply, output, BEFORE_REPLY);
    const cut = ({ start, end }: Span): string => wire.slice(start - BEFORE_REPLY, end - BEFORE_REPLY);
    return { text, tokens: tokens.map((token) => [token.name, cut(token)]), secrets: secrets.map(cut) };
  }

  function asked(input: string): HttpSession {
    const session = new HttpSession({ methods: ["GET", "CONNECT"] });
    session.receive(Buffer.from(input));
    session.next();
    return session;
  }

  it("names its pieces as they left, and hides cookies but not challenges", () => {
    const headers = { "Set-Cookie": ["a=secret", "b=secret"], "WWW-Authenticate": 'Basic realm="x"', X: "" };
    expect(logged({ type: "response", status: 401, headers, body: "no" }, asked(BEFORE))).toEqual({
      text: 'HTTP/1.1 401 Unauthorized | Content-Length: 2 | Content-Type: text/plain; charset=utf-8 | Set-Cookie: [redacted] | Set-Cookie: [redacted] | WWW-Authenticate: Basic realm="x" | X: ',
      tokens: [
        ["version", "HTTP/1.1"],
        ["status", "401"],
        ["reason", "Unauthorized"],
        ["field-name", "Content-Length"],
        ["field-value", "2"],
        ["field-name", "Content-Type"],
        ["field-value", "text/plain; charset=utf-8"],
        ["field-name", "Set-Cookie"],
        ["field-value", "a=secret"],
        ["field-name", "Set-Cookie"],
        ["field-value", "b=secret"],
        ["field-name", "WWW-Authenticate"],
        ["field-value", 'Basic realm="x"'],
        ["field-name", "X"],
        ["field-value", ""],
      ],
      secrets: ["a=secret", "b=secret"],
    });
  });

  it("is the same with a body apart from its head, and without a reason", () => {
    const body = Buffer.alloc(100_000, "X: y\r\n");
    expect(logged({ type: "response", status: 299, body }, asked(BEFORE))).toMatchObject({
      text: "HTTP/1.1 299 | Content-Length: 100000",
      secrets: [],
    });
  });

  it("is a request in the client's role, with its credentials hidden", () => {
    const session = new HttpSession({ role: "client" });
    const headers = { Host: "a", Authorization: "Basic c2VjcmV0" };
    const reply = { type: "request", method: "GET", target: "/a?b", headers } as const;
    expect(logged(reply, session)).toEqual({
      text: "GET /a?b HTTP/1.1 | Host: a | Authorization: [redacted]",
      tokens: [
        ["method", "GET"],
        ["target", "/a?b"],
        ["version", "HTTP/1.1"],
        ["field-name", "Host"],
        ["field-value", "a"],
        ["field-name", "Authorization"],
        ["field-value", "Basic c2VjcmV0"],
      ],
      secrets: ["Basic c2VjcmV0"],
    });
  });

  it("tells of a switch, with a head or without one", () => {
    const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
    expect(logged({ type: "switch", status: 200 }, asked(connect)).text).toBe("HTTP/1.1 200 OK");
    expect(logged({ type: "switch" }, asked(connect)).text).toBe("nothing is sent");
  });
});

it("a server's log tells where the secrets of each reply stand in the bytes that left", async () => {
  const log = new EventLog();
  const secrets: Span[] = [];
  let bytes = "";
  log.read((record) => {
    if (!("dir" in record) || record.dir !== "out") return;
    if (record.kind === "message") secrets.push(...(record.secrets ?? []));
    else if (record.kind === "data") bytes += Buffer.from(record.bytes).toString("latin1");
  });
  await using http = await serveHttp(
    ({ path }) => ({ headers: { "Set-Cookie": `id=${path}` }, body: path }),
    {
      tap: log,
    },
  );
  await using wire = new Wire(http);
  wire.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await wire.ended();
  expect(secrets.map(({ start, end }) => bytes.slice(start, end))).toEqual(["id=/one", "id=/two"]);
});

it("an error in the log", () => {
  const session = new HttpSession();
  session.receive(Buffer.from("GET /\n"));
  const error = session.next();
  expect(describeEvent(error!).text).toBe(
    "400 bare-lf: a line ends with CRLF, not with LF alone (nc: option -C), at offset 5",
  );
});
