// Round trips: what one role sends, the other understands, however TCP cuts it.
import { outputText } from "@tcpkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpSession } from "../src/index.ts";
import type { HttpEvent, HttpReply } from "../src/index.ts";
import { plain } from "./play.ts";

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const fieldName = fc.stringMatching(/^x-[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(
  /^[\x21-\x7e\x80-\x9f\xa1-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/,
);
const fields = fc.array(fc.tuple(fieldName, value), { maxLength: 8 });
const target = fc.stringMatching(/^\/[\x21\x22\x24-\x7e]{0,30}$/);
const pieces = fc.array(fc.uint8Array({ minLength: 0, maxLength: 40 }), { maxLength: 6 });
const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });

/** Feeds text in pieces of the given sizes, again and again, and gathers the events. */
function feed(
  session: HttpSession,
  text: string,
  sizes: readonly number[],
  onEvent?: (event: HttpEvent) => void,
): HttpEvent[] {
  const events: HttpEvent[] = [];
  const pull = (): void => {
    for (let event = session.next(); event !== undefined; event = session.next()) {
      events.push(event);
      onEvent?.(event);
    }
  };
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    session.receive(Buffer.from(text.slice(at, at + size), "latin1"));
    at += size;
    pull();
  }
  session.end();
  pull();
  return events;
}

function write(session: HttpSession, replies: readonly HttpReply[]): string {
  return replies.map((reply) => outputText(session.send(reply))).join("");
}

function content(list: readonly Uint8Array[]): string {
  return Buffer.concat(list).toString("latin1");
}

describe("a message that one role formats and the other parses", () => {
  it("request: method, target, fields, body and trailers survive any cut", () => {
    const methods = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS");
    fc.assert(
      fc.property(
        methods,
        target,
        fields,
        pieces,
        fc.boolean(),
        cuts,
        (method, path, extra, body, chunked, sizes) => {
          const client = new HttpSession({ role: "client" });
          const text = content(body);
          const length: [string, string][] = chunked ? [] : [["Content-Length", String(text.length)]];
          const headers = [["Host", "a"], ...extra, ...length] as [string, string][];
          const wire = write(client, [
            { type: "request", method, target: path, headers, open: true },
            ...body.map((bytes): HttpReply => ({ type: "data", bytes })),
            { type: "end", trailers: chunked ? { "x-sum": "1" } : undefined },
          ]);
          const whole = plain(feed(new HttpSession(), wire, [wire.length]));
          const cut = plain(feed(new HttpSession(), wire, sizes));
          expect(cut).toEqual(whole);
          const frame = chunked ? " chunked" : text === "" ? "" : ` length ${text.length}`;
          expect(cut[0]?.text).toBe(`request ${method} ${path} 1.1${frame}`);
          expect(cut[0]?.fields.slice(1, 1 + extra.length)).toEqual(extra);
          const rest = cut.slice(1).map((event) => event.text);
          const end = chunked ? "end x-sum=1" : "end";
          expect(rest).toEqual(frame === "" ? [] : text === "" ? [end] : [`data ${text}`, end]);
        },
      ),
    );
  });

  it("reply: status, fields, body and trailers survive any cut", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 599 }),
        fields,
        pieces,
        fc.boolean(),
        cuts,
        (status, extra, body, old, sizes) => {
          const server = new HttpSession();
          server.receive(Buffer.from(old ? "GET / HTTP/1.0\r\n\r\n" : "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
          server.next();
          const wire = write(server, [
            { type: "response", status, headers: extra, open: true },
            ...body.map((bytes): HttpReply => ({ type: "data", bytes })),
            { type: "end" },
          ]);
          const ask = (): HttpSession => {
            const client = new HttpSession({ role: "client" });
            client.send({ type: "request", method: "GET", target: "/", headers: { host: "a" } });
            return client;
          };
          const cut = plain(feed(ask(), wire, sizes));
          expect(cut).toEqual(plain(feed(ask(), wire, [wire.length])));
          const bare = [204, 205, 304].includes(status);
          const text = content(body);
          expect(cut[0]?.text).toBe(`response ${status} 1.1${bare ? "" : old ? " close" : " chunked"}`);
          expect(cut[0]?.fields.filter(([name]) => name.startsWith("x-"))).toEqual(extra);
          expect(cut.slice(1).map((event) => event.text)).toEqual(
            bare ? [] : text === "" ? ["end"] : [`data ${text}`, "end"],
          );
        },
      ),
    );
  });

  it("never throws, whatever bytes come, and says the same for each cut", () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom(
          "GET",
          "POST",
          " ",
          "/",
          " HTTP/1.1",
          "\r\n",
          "\r",
          "\n",
          "Host: a",
          ":",
          "\t",
          "0",
          "5",
          ";",
        ),
        fc.constantFrom(
          "Transfer-Encoding: chunked\r\n",
          "Content-Length: 5\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\n",
          "\r\n\r\n",
        ),
        token,
        fc.string({
          unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
          maxLength: 4,
        }),
      ),
      { maxLength: 20 },
    );
    const reply = (session: HttpSession) => (event: HttpEvent) => {
      if (event.type === "error") session.send({ type: "response", status: event.error.status });
      const complete = event.type === "end" || (event.type === "request" && event.framing.type === "none");
      if (complete) session.send({ type: "response", status: 200 });
    };
    fc.assert(
      fc.property(soup, cuts, (parts, sizes) => {
        const text = parts.join("");
        const one = new HttpSession();
        const other = new HttpSession();
        const whole = plain(feed(one, text, [Math.max(1, text.length)], reply(one)));
        expect(plain(feed(other, text, sizes, reply(other)))).toEqual(whole);
        expect(one.finished).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
