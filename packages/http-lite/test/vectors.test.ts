// Every rule of the wire, as data: fed whole, byte by byte, cut at every point, and with bytes behind it.
import { verifyDecoder } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import type { HttpEvent, HttpReply } from "../src/index.ts";
import { answer, clientSession, plain, serverSession, vectors } from "./play.ts";
import type { PlainEvent, Vector } from "./play.ts";

const SERVER = ["request-lines.json", "fields.json", "body-framing.json", "connections.json"];

describe.each(SERVER)("%s", (file) => {
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

describe("replies.json", () => {
  it.each(vectors("replies.json"))("$name ($ref)", (vector) => {
    const events = verifyDecoder<HttpEvent, HttpReply>({
      session: () => clientSession(vector),
      input: vector.input,
      normalise: plain,
    });
    check(vector, events as PlainEvent[]);
  });
});

function check(vector: Vector, events: readonly PlainEvent[]): void {
  expect(events.map((event) => event.text)).toEqual(vector.events);
  if (vector.fields !== undefined) expect(events[0]?.fields).toEqual(vector.fields);
  for (const { start, end } of events) {
    expect(start).toBeGreaterThanOrEqual(0);
    if (end >= 0) expect(start).toBeLessThanOrEqual(end);
    expect(start).toBeLessThanOrEqual(vector.input.length);
    expect(end).toBeLessThanOrEqual(vector.input.length);
  }
}
