// Several requests of a session in the client's role before the first reply: what may be sent, and which reply is whose.
// What comes to them, cut in every way, is in vectors/pipelines.json.
import { outputText } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpSession } from "../src/index.ts";
import type { HttpReply, HttpSessionOptions, RequestReply } from "../src/index.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

function client(options: HttpSessionOptions = {}): HttpSession {
  return new HttpSession({ role: "client", pipelining: 3, ...options });
}

function ask(session: HttpSession, request: Partial<RequestReply> = {}): string {
  return outputText(
    session.send({ type: "request", method: "GET", target: "/", headers: { host: "a" }, ...request }),
  );
}

/** Receives bytes, and pulls what they make. */
function hear(session: HttpSession, text: string): string[] {
  session.receive(Buffer.from(text, "latin1"));
  return pull(session);
}

function pull(session: HttpSession): string[] {
  const events: string[] = [];
  for (let event = session.next(); event !== undefined; event = session.next()) {
    events.push(event.type === "error" ? event.error.code : event.type);
  }
  return events;
}

const wrongState: unknown = expect.objectContaining({ code: "wrong-state" });

describe("requests before the first reply", () => {
  it("are as many as were allowed, and more when replies come", () => {
    const session = client();
    for (const target of ["/1", "/2", "/3"]) expect(ask(session, { target })).toContain(`GET ${target} HTTP`);
    expect(session.state).toBe("idle/done");
    expect(() => ask(session)).toThrow(wrongState);
    expect(hear(session, OK)).toEqual(["response"]);
    expect([session.state, session.resting]).toEqual(["idle/done", false]);
    ask(session);
    expect(() => ask(session)).toThrow(wrongState);
    expect(hear(session, OK + OK + OK)).toEqual(["response", "response", "response"]);
    expect([session.state, session.resting]).toEqual(["idle/idle", true]);
  });

  it("is one unless more were allowed", () => {
    const session = new HttpSession({ role: "client" });
    ask(session);
    expect(() => ask(session)).toThrow(wrongState);
  });

  it.each<[string, Partial<RequestReply>]>([
    ["one that says close (RFC 9112 §9.6)", { headers: { host: "a", connection: "close" } }],
    ["an offer of another protocol", { headers: { host: "a", upgrade: "echo" } }],
    ["CONNECT", { method: "CONNECT", target: "a:443" }],
    ["one that is not complete", { method: "POST", open: true }],
  ])("do not stand behind %s", (_name, last) => {
    const session = client();
    ask(session, last);
    expect(() => ask(session)).toThrow(wrongState);
  });

  it("do not stand behind one of those that stands behind others", () => {
    const session = client();
    ask(session);
    ask(session, { headers: { host: "a", connection: "close" } });
    expect(() => ask(session)).toThrow(wrongState);
    expect(hear(session, OK)).toEqual(["response"]);
    expect(() => ask(session)).toThrow(wrongState);
    expect([...hear(session, OK), session.finished]).toEqual(["response", true]);
  });

  it("are complete in themselves behind another one", () => {
    const session = client();
    ask(session);
    expect(() => ask(session, { method: "POST", open: true })).toThrow(wrongState);
    expect(ask(session, { method: "POST", body: "x" })).toMatch(/\r\n\r\nx$/);
  });

  it("are no more once a reply has said close", () => {
    const session = client();
    ask(session);
    hear(session, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
    expect(() => ask(session)).toThrow(wrongState);
    expect([...hear(session, "hello"), session.finished]).toEqual(["data", "end", true]);
  });

  it("on drain are answered, and take no others behind them", () => {
    const session = client();
    ask(session);
    ask(session);
    session.notify("drain");
    expect(() => ask(session)).toThrow(wrongState);
    expect([...hear(session, OK + OK), session.finished]).toEqual(["response", "response", true]);
  });
});

describe("a reply that came before its request was sent", () => {
  it("is none, at rest", () => {
    const session = client();
    session.receive(Buffer.from(OK));
    ask(session);
    expect(pull(session)).toEqual(["unexpected-bytes"]);
  });

  it("is none, behind the replies to others", () => {
    const session = client();
    ask(session);
    ask(session);
    // Three replies to two requests, in one piece: the third is there before the third request.
    session.receive(Buffer.from(OK + OK + OK));
    expect(session.next()?.type).toBe("response");
    ask(session);
    expect(pull(session)).toEqual(["response", "unexpected-bytes"]);
    expect(session.finished).toBe(true);
  });

  it("is none, though only its first byte came before", () => {
    const session = client();
    ask(session);
    session.receive(Buffer.from(`${OK}H`));
    ask(session);
    expect([...pull(session), session.failure?.offset]).toEqual(["response", "unexpected-bytes", OK.length]);
  });

  it("is another one's, in the middle of which the request was sent", () => {
    const session = client();
    ask(session);
    expect(hear(session, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")).toEqual(["response", "data"]);
    ask(session);
    expect(hear(session, `lf${OK}`)).toEqual(["data", "end", "response"]);
  });
});

describe("another protocol", () => {
  const offer = { headers: { host: "a", Upgrade: "echo/1, other" } };

  it("is offered with the connection option", () => {
    expect(ask(client(), offer)).toBe(
      "GET / HTTP/1.1\r\nhost: a\r\nUpgrade: echo/1, other\r\nConnection: Upgrade\r\n\r\n",
    );
  });

  it.each<[string, Partial<RequestReply>]>([
    ["what is no protocol", { headers: { host: "a", upgrade: "a b" } }],
    ["two versions of one", { headers: { host: "a", upgrade: "a/1/2" } }],
    ["the option without an offer", { headers: { host: "a", connection: "upgrade" } }],
    ["an offer with a body that follows", { ...offer, open: true }],
    ["CONNECT without a port", { method: "CONNECT", target: "a" }],
    ["CONNECT to a path", { method: "CONNECT", target: "/" }],
    ["CONNECT with a body", { method: "CONNECT", target: "a:443", body: "x" }],
    ["CONNECT with a body that follows", { method: "CONNECT", target: "a:443", open: true }],
    ["CONNECT with an offer", { method: "CONNECT", target: "a:443", ...offer }],
  ])("is not asked for by %s, and nothing has been sent", (_name, request) => {
    const session = client();
    expect(() => ask(session, request)).toThrow(expect.objectContaining({ code: "bad-request" }));
    expect(session.state).toBe("idle/idle");
    ask(session);
  });

  it("ends HTTP in both directions", () => {
    const session = client();
    ask(session, offer);
    const accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n";
    session.receive(Buffer.from(`${accept}rest`));
    expect(session.next()).toMatchObject({ type: "response", status: 101, switches: true, persists: false });
    expect([session.state, session.partial, session.finished]).toEqual(["switched/switched", false, false]);
    expect(() => ask(session)).toThrow(wrongState);
    expect(session.next()).toBeUndefined();
    expect(Buffer.from(session.rest()).toString()).toBe("rest");
  });
});

describe("what a request must not say is the request's fault, not a reply's", () => {
  const chunks = { type: "end" } as const;
  it.each<[string, Partial<RequestReply>, HttpReply?]>([
    ["LF in a value", { headers: { host: "a", x: "a\nb" } }],
    ["CR in a name", { headers: { host: "a", "x\r": "a" } }],
    ["Content-Length twice", { headers: { host: "a", "content-length": ["1", "1"] } }],
    ["Transfer-Encoding", { headers: { host: "a", "transfer-encoding": "chunked" } }],
    ["another connection option", { headers: { host: "a", connection: "x" } }],
    ["a trailer that would change framing", { open: true }, { ...chunks, trailers: { Host: "b" } }],
    ["LF in a trailer", { open: true }, { ...chunks, trailers: { x: "a\nb" } }],
  ])("%s", (_name, request, end) => {
    const session = client();
    const send = (): void => {
      ask(session, request);
      if (end !== undefined) session.send(end);
    };
    expect(send).toThrow(expect.objectContaining({ code: "bad-request", blame: "local" }));
  });
});
