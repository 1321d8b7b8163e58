// A body that is given by pieces: where they come from, and how they leave. It knows no message.
import { setImmediate as turn } from "node:timers/promises";
import type { Peer } from "@tcpkit/core";
import type { HttpReply } from "./messages.ts";

type Piece = Uint8Array | string;
type Pieces = AsyncIterable<Piece> | Iterable<Piece>;
/** A body as a program gives it: whole, or by pieces; `null` and `undefined` for none. */
export type Body = string | Uint8Array | Pieces | null | undefined;

/** One that is not asynchronous gives its pieces at once. */
export type Source = AsyncIterator<Piece> | Iterator<Piece>;

/** What a source gives when it is asked. */
export type Next = Promise<IteratorResult<Piece>> | IteratorResult<Piece>;

/**
 * After so many pieces everybody else has a turn: other clients, and the news that this one has gone, which nothing that is
 * always ready to go on would ever let through.
 */
const TURN = 64;

/** What gives a body's pieces; `undefined` for one that is at hand. */
export function sourceOf(body: Pieces): Source;
export function sourceOf(body: Body): Source | undefined;
export function sourceOf(body: Body): Source | undefined {
  if (!isGivenByPieces(body)) return undefined;
  return isAsync(body) ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
}

/** Strings and bytes can be iterated as well, but are whole bodies. */
export function isGivenByPieces(body: Body): body is Pieces {
  if (typeof body !== "object" || body === null || ArrayBuffer.isView(body)) return false;
  return Symbol.asyncIterator in body || Symbol.iterator in body;
}

/**
 * Sends what a source gives, beginning with `first`, each piece when there is room for it: `ready` says whether there is. It
 * returns at the end, or when the rest is not `wanted` any more.
 */
export async function sendPieces(
  source: Source,
  first: Next,
  peer: Peer<HttpReply>,
  ready: boolean,
  wanted: () => boolean = always,
): Promise<void> {
  if (!ready) await peer.drained();
  let sent = 0;
  for (let next = first; ; next = source.next()) {
    // What is there at once is not awaited: that would be a promise for each piece.
    const { done, value } = isPromise(next) ? await next : next;
    if (done === true || !wanted()) return;
    if (!peer.send({ type: "data", bytes: value })) await peer.drained();
    sent += 1;
    if (sent % TURN === 0) await turn();
    if (!wanted()) return;
  }
}

function always(): boolean {
  return true;
}

/** Tells a source that nobody wants the rest. It may be busy, and it may fail: nobody awaits that. */
export function giveUp(source: Source | undefined): void {
  try {
    const returned = source?.return?.();
    if (isPromise(returned)) returned.then(undefined, () => undefined);
  } catch {
    // A generator whose `finally` throws, or that is at work just now.
  }
}

export function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}

function isAsync(pieces: Pieces): pieces is AsyncIterable<Piece> {
  return Symbol.asyncIterator in (pieces as object);
}
