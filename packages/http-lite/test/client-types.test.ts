// Misuse of the client that does not compile. `tsc` is the judge; the functions here are never called.
import type { Duplex } from "node:stream";
import { describe, expectTypeOf, it } from "vitest";
import { HttpClient, request } from "../src/index.ts";
import type {
  HttpClientResponse,
  HttpDeadlineName,
  HttpError,
  HttpRefused,
  HttpSwitched,
} from "../src/index.ts";

declare const client: HttpClient;

describe("a client", () => {
  it("is made with options that exist", () => {
    const _ = (): void => {
      void new HttpClient({ host: "one.test", tls: true, deadlines: { head: 1000 } });
      void new HttpClient({ socketPath: "/run/x", tls: { servername: "one.test" } });
      // @ts-expect-error -- the server's address; a target belongs to the request
      void new HttpClient({ path: "/" });
      // @ts-expect-error -- leave it out instead
      void new HttpClient({ tls: false });
      // @ts-expect-error -- deadlines.connect is for TLS as well
      void new HttpClient({ tls: { deadline: 5 } });
      // @ts-expect-error -- deadlines.idle
      void new HttpClient({ deadlines: { idel: 5 } });
      void new HttpClient({ maxConnections: 1, pipelining: 4 });
      // @ts-expect-error -- a number: 1 for none
      void new HttpClient({ pipelining: false });
      // @ts-expect-error -- maxConnections
      void new HttpClient({ maxSockets: 4 });
    };
  });

  it("sends requests as they may be", () => {
    const _ = async (): Promise<void> => {
      expectTypeOf(client.request()).resolves.toEqualTypeOf<HttpClientResponse>();
      await request({ port: 1, body: null });
      // @ts-expect-error -- the client knows where the server is
      await client.request({ port: 1 });
      // @ts-expect-error -- path
      await client.request({ url: "/" });
      // @ts-expect-error -- JSON.stringify() it
      await client.request({ body: { a: 1 } });
      // @ts-expect-error -- bytes or text in its pieces
      await client.request({ body: (async function* () {})() as AsyncGenerator<number> });
      // @ts-expect-error -- an AbortSignal
      await client.request({ signal: new AbortController() });
      // @ts-expect-error -- one connection is all there is
      await request({ port: 1, maxConnections: 2 });
      // @ts-expect-error -- deadline
      await client.close({ timeout: 5 });
    };
  });

  it("asks for another protocol, and has the caller look at what came of it", () => {
    const _ = async (): Promise<void> => {
      const answer = await client.upgrade({ protocols: ["echo"], body: "at hand" });
      expectTypeOf(answer).toEqualTypeOf<HttpSwitched | HttpRefused>();
      // @ts-expect-error -- it may have been refused
      answer.stream.end();
      if (answer.type === "switched") expectTypeOf(answer.stream).toEqualTypeOf<Duplex>();
      else expectTypeOf(answer.reply).toEqualTypeOf<HttpClientResponse>();
      // @ts-expect-error -- which protocols?
      await client.upgrade({ path: "/" });
      // @ts-expect-error -- nothing of a request for another protocol follows its head in pieces
      await client.upgrade({ protocols: ["echo"], body: (async function* () {})() });
      // @ts-expect-error -- host:port, as `target`
      await client.connect({ host: "a", port: 443 });
      // @ts-expect-error -- a tunnel has no path
      await client.connect({ target: "a:443", path: "/" });
    };
  });

  it("gives replies that are read, not written, and errors that tell which deadline", () => {
    const _ = (reply: HttpClientResponse, error: HttpError): void => {
      expectTypeOf(reply.body).toEqualTypeOf<AsyncIterable<Uint8Array>>();
      expectTypeOf(error.deadline).toEqualTypeOf<HttpDeadlineName | undefined>();
      // @ts-expect-error -- read-only
      reply.status = 500;
      // @ts-expect-error -- a promise
      expectTypeOf(reply.text().length).toBeNumber();
    };
  });
});
