// Every rule of the wire, as data: fed whole, byte by byte, cut at every point, and with bytes behind it.
import { verifyDecoder } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import type { HttpEvent, HttpReply, HttpSession } from "../src/index.ts";
import {
  answer,
  clientSession,
  plain,
  REPLY_VECTORS,
  REQUEST_VECTORS,
  serverSession,
  vectors,
} from "./play.ts";
import type { PlainEvent, Vector } from "./play.ts";

describe.each(REQUEST_VECTORS)("%s", (file) => {
  it.each(vectors(file))("$name ($ref)", (vector) => {
    const events = verifyDecoder<HttpEvent, HttpReply>({
      session: () => serverSession(vector),
      input: vector.input,
      reply: answer,
      normalise: plain,
    });
    check(vector, events as PlainEvent[]);
  });

  it.each(
    vectors(file).filter(
      (vector) => !vector.events.includes("error incomplete 400") && vector.events.length > 0,
    ),
  )("$name, with bytes behind it", (vector) => {
    const events = verifyDecoder<HttpEvent, HttpReply>({
      session: () => serverSession(vector),
      input: vector.input,
      reply: answer,
      normalise: plain,
      end: false,
      trailing: "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n",
    });
    check(vector, events as PlainEvent[]);
  });
});

describe.each(REPLY_VECTORS)("%s", (file) => {
  it.each(vectors(file))("$name ($ref)", (vector) => {
    const sessions: HttpSession[] = [];
    const events = verifyDecoder<HttpEvent, HttpReply>({
      session: () => {
        const session = clientSession(vector);
        sessions.push(session);
        return session;
      },
      input: vector.input,
      normalise: plain,
    });
    check(vector, events as PlainEvent[]);
    const switched = sessions.filter(({ state }) => state === "switched/switched");
    expect(switched).toHaveLength(vector.rest === undefined ? 0 : sessions.length);
    for (const session of switched) {
      expect(Buffer.from(session.rest()).toString("latin1")).toBe(vector.rest);
    }
  });
});

function check(vector: Vector, events: readonly PlainEvent[]): void {
  expect(events.map((event) => event.text)).toEqual(vector.events);
  if (vector.fields !== undefined) expect(events[0]?.fields).toEqual(vector.fields);
  if (vector.offers !== undefined) {
    expect(events.findLast(({ text }) => text.startsWith("request"))?.offers).toEqual(vector.offers);
  }
  for (const { start, end } of events) {
    expect(start).toBeGreaterThanOrEqual(0);
    if (end >= 0) expect(start).toBeLessThanOrEqual(end);
    expect(start).toBeLessThanOrEqual(vector.input.length);
    expect(end).toBeLessThanOrEqual(vector.input.length);
  }
}
