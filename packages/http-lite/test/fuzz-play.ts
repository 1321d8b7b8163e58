// Feeds a session bytes in pieces, answers it, and checks after each step what must hold whatever the bytes are.
// It knows what may never happen, not what is right for one input: that is for the vectors.
import assert from "node:assert/strict";
import { outputText } from "@tcpkit/core/testing";
import { DEFAULT_LIMITS, DEFAULT_METHODS, HttpError, HttpSession } from "../src/index.ts";
import type { HttpEvent, HttpLimits, HttpReply, RequestEvent } from "../src/index.ts";
import { plain } from "./play.ts";
import type { PlainEvent } from "./play.ts";

export interface Situation {
  readonly role: "server" | "client";
  /** Small ones are reached by short inputs. */
  readonly limits: "default" | "small";
  /** When a server answers a request: when it is complete, or at once. */
  readonly answers: "at the end" | "at once";
  /**
   * A server hands the connection over to who offers another protocol, or asks for a tunnel. A client's last request offers
   * one, or, by GET, is a CONNECT.
   */
  readonly switches: boolean;
  /** By which a client asks. */
  readonly method: "GET" | "HEAD" | "POST";
  /** When all bytes have come, the peer ends its side, or is too slow, or we shut down and then it ends. */
  readonly ending: "end" | "timeout" | "drain";
}

const SMALL: HttpLimits = {
  ...DEFAULT_LIMITS,
  maxTargetBytes: 64,
  maxHeadBytes: 256,
  maxFields: 6,
  maxTrailerBytes: 128,
  maxChunkExtensionBytes: 32,
};
/** Requests that a client makes on one connection, one behind the other: only so do replies mean the same for each cut. */
const REQUESTS = 3;
/** What may stand before a head without being part of it (two empty lines and a half), and around a chunk's extension. */
const SLACK = 32;

export interface Played {
  readonly events: readonly PlainEvent[];
  readonly sent: string;
  /** What came behind a switch to another protocol: its bytes. */
  readonly rest: string;
}

/** Plays one conversation. @throws AssertionError when something happens that never may. */
export function play(situation: Situation, pieces: readonly Uint8Array[]): Played {
  const limits = situation.limits === "small" ? SMALL : DEFAULT_LIMITS;
  const methods = situation.switches ? [...DEFAULT_METHODS, "CONNECT"] : DEFAULT_METHODS;
  const session = new HttpSession({ role: situation.role, limits, methods, pipelining: REQUESTS });
  const held = Math.max(limits.maxHeadBytes, limits.maxChunkExtensionBytes + limits.maxTrailerBytes) + SLACK;
  const stream = Buffer.concat(pieces);
  const events: HttpEvent[] = [];
  let sent = "";
  let received = 0;
  let taken = 0;
  let declared = -1;
  let request: RequestEvent | undefined;

  const send = (reply: HttpReply): void => {
    if (!session.finished) sent += outputText(session.send(reply));
  };
  const ask = (): void => {
    const { method, switches } = situation;
    const body = method === "POST" ? "b" : undefined;
    for (let count = 1; count <= REQUESTS; count++) {
      const last = switches && count === REQUESTS;
      if (last && method === "GET") {
        send({ type: "request", method: "CONNECT", target: "a:443", headers: { host: "a:443" } });
      } else {
        const headers = { host: "a", upgrade: last ? "websocket" : undefined };
        send({ type: "request", method, target: "/", headers, body });
      }
    }
  };
  /** A body counts as complete only with as many bytes as were declared. */
  const count = (event: HttpEvent): void => {
    if (event.type === "request" || event.type === "response") {
      declared = event.framing.type === "length" ? event.framing.length : -1;
    } else if (event.type === "data" && declared >= 0) {
      declared -= event.bytes.length;
      assert.ok(declared >= 0, "more content than was declared");
    } else if (event.type === "end") {
      assert.ok(declared <= 0, "less content than was declared");
    }
  };
  const answer = (event: HttpEvent): void => {
    const complete = "framing" in event ? event.framing.type === "none" : event.type === "end";
    if (situation.role === "client") return;
    if (event.type === "error") {
      // Whoever answers at once has answered already, unless it was the head that is wrong.
      if (!session.finished && (situation.answers === "at the end" || session.state.endsWith("idle"))) {
        send({ type: "response", status: event.error.status });
      }
    } else if (situation.answers === "at the end" ? complete : event.type === "request") {
      const tunnel = request?.method === "CONNECT";
      const offer = request?.upgrade[0];
      if (!situation.switches || !complete || (!tunnel && offer === undefined)) {
        send({ type: "response", status: tunnel ? 403 : 200, body: "ok" });
      } else if (tunnel) {
        send({ type: "switch", status: 200 });
      } else {
        send({ type: "switch", status: 101, headers: { Upgrade: offer } });
      }
    }
  };
  const pull = (): void => {
    for (;;) {
      const event = session.next();
      if (event === undefined) break;
      events.push(event);
      // Each event but `end` and `error` takes a byte at least, and those come once a message.
      assert.ok(events.length <= 2 * stream.length + 2, "events without end");
      assert.ok(event.start <= event.end, "an event ends before it begins");
      assert.ok(event.start >= taken, "an event stands before the last one");
      assert.ok(event.end <= received, "an event stands behind what has come");
      taken = event.end;
      if (event.type === "error") {
        const { error } = event;
        assert.ok(error instanceof HttpError && error.blame === "remote", "not the peer's error");
        assert.equal(session.failure, error);
      } else {
        assert.equal(session.failure, undefined, "an event behind an error");
      }
      if (event.type === "request") request = event;
      count(event);
      answer(event);
    }
    const waits = !session.finished && session.failure === undefined && !session.state.startsWith("switched");
    if (waits) assert.ok(received - taken <= held, `${received - taken} bytes are held`);
  };

  if (situation.role === "client") ask();
  pull();
  for (const piece of pieces) {
    // A copy of its own, as from a socket: a decoder that looks behind its chunk is caught.
    session.receive(Buffer.from(piece));
    received += piece.length;
    pull();
    if (session.state === "switched/switched") {
      const rest = Buffer.from(session.rest());
      assert.deepEqual(
        rest,
        stream.subarray(taken, received),
        "a byte is lost on the way to the other protocol",
      );
      return { events: plain(events), sent, rest: stream.toString("latin1", taken) };
    }
  }
  if (situation.ending !== "end") session.notify(situation.ending);
  pull();
  if (situation.ending !== "timeout") session.end();
  pull();
  assert.ok(session.finished, `nothing more will come, and the session waits: ${session.state}`);
  return { events: plain(events), sent, rest: "" };
}

/** Cuts bytes into pieces of these sizes, taken again and again. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sizes[pieces.length % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
