// Limits and deadlines as a program gives them: what stands for the default, and what is refused.
import { DeadlineTimer } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpClient, HttpSession, serveHttp } from "../src/index.ts";
import type { HttpClientOptions, HttpServerOptions, HttpSessionOptions } from "../src/index.ts";
import { memoryClient } from "./client-support.ts";
import { Wire } from "./wire.ts";

const REFUSED = { name: "HttpError", code: "bad-request", blame: "local" };
/** The types forbid `undefined` where optional properties are exact; in most programs they are not. */
const limits = {
  maxHeadBytes: undefined,
  maxBodyBytes: undefined,
} as unknown as HttpSessionOptions["limits"];

describe("undefined stands for the default", () => {
  it("in the limits of a session", () => {
    const session = new HttpSession({ limits });
    session.receive(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}`));
    expect(session.next()).toMatchObject({ type: "error", error: { code: "head-too-large" } });
  });

  it("in the limits of a server", async () => {
    await using http = await serveHttp(async (request) => String((await request.bytes()).length), { limits });
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
    expect(await wire.until("\r\n")).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("in the deadlines of a server", async () => {
    const clock = fakeClock();
    const deadlines = { message: undefined, idle: undefined, firstByte: undefined };
    await using http = await serveHttp(() => "x", { deadlines, timer: new DeadlineTimer(clock) });
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET");
    await wire.until("\r\n\r\nx");
    clock.advance(9900);
    expect(http.connections.size).toBe(1);
    expect(wire.text).not.toContain("408");
    clock.advance(400);
    expect(await wire.ended()).toContain("HTTP/1.1 408 ");
  });

  it("in the deadlines of a client", async () => {
    const deadlines = { head: undefined } as unknown as HttpClientOptions["deadlines"];
    const { client, next, clock } = memoryClient({ deadlines, limits });
    const reply = client.request();
    await (await next()).head();
    clock.advance(30_200);
    await expect(reply).rejects.toMatchObject({ code: "timeout", deadline: "head" });
  });
});

describe("what bounds nothing, or not as it says, is refused", () => {
  const counts = [Number.NaN, -1, 1.5, -Infinity, "10", null];
  const times = [Number.NaN, -1, -Infinity, "10", null];

  it.each(counts)("a limit of %s", async (maxBodyBytes) => {
    const bad = { limits: { maxBodyBytes } } as HttpSessionOptions & HttpServerOptions & HttpClientOptions;
    await expect(serveHttp(() => "x", bad)).rejects.toMatchObject(REFUSED);
    expect(() => new HttpClient(bad)).toThrow(expect.objectContaining(REFUSED));
    expect(() => new HttpSession(bad)).toThrow(expect.objectContaining(REFUSED));
  });

  it.each(times)("a deadline of %s", async (idle) => {
    const bad = { deadlines: { idle } } as HttpServerOptions & HttpClientOptions;
    await expect(serveHttp(() => "x", bad)).rejects.toMatchObject(REFUSED);
    expect(() => new HttpClient(bad)).toThrow(expect.objectContaining(REFUSED));
  });

  it("and told by its name", () => {
    expect(() => new HttpSession({ limits: { maxFields: Number.NaN } })).toThrow(/maxFields .*NaN/);
  });

  it("a number of waiting requests that is none", () => {
    expect(() => new HttpClient({ maxWaiting: Number.NaN })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
  });
});

it("Infinity is no bound, and a part of a millisecond is time", async () => {
  const none = Infinity;
  const unbounded = {
    maxTargetBytes: none,
    maxHeadBytes: none,
    maxFields: none,
    maxTrailerBytes: none,
    maxChunkExtensionBytes: none,
    maxBodyBytes: none,
    maxDiscardBytes: none,
  };
  const deadlines = { idle: none, message: none, write: none, goodbye: 0.5 };
  await using http = await serveHttp(
    async (request) => `${request.target.length} ${(await request.bytes()).length}`,
    { limits: unbounded, deadlines },
  );
  await using client = new HttpClient({ port: http.port, limits: unbounded, deadlines: { head: none } });
  const body = [Buffer.alloc(1_000_000), Buffer.alloc(1_000_000)];
  const path = `/${"p".repeat(40_000)}`;
  const headers = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x-${index}`, "y"]));
  const reply = await client.request({ method: "POST", path, headers, body });
  expect(await reply.text()).toBe("40001 2000000");
});

it("limits are those that an object has when a session is made of it", () => {
  const limits = { maxFields: 1 };
  const head = "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";
  const typeOf = (): string | undefined => {
    const session = new HttpSession({ limits });
    session.receive(Buffer.from(head));
    return session.next()?.type;
  };
  expect(typeOf()).toBe("error");
  limits.maxFields = 2;
  expect(typeOf()).toBe("request");
});
