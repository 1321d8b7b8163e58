// The body of a reply on its way to the caller. It knows no connection: whoever brings it hears when there is room again,
// and when nobody wants the rest.
//
// Not core's ByteStream, which holds one piece: here a short body is held whole, and its connection free, before it is read.
import { HttpError } from "../errors.ts";
import { NO_FIELDS } from "../fields.ts";
import type { HeaderMap } from "../fields.ts";
import { replyTooLarge } from "./failures.ts";

/** A body holds this many bytes, or one piece that is longer, before the server has to wait. A short one is read by itself. */
const ROOM = 128 * 1024;

/** Brings a body. */
export interface BodyOwner {
  /** What was held has been taken: the server is awaited again. */
  onRoom(): void;
  /** Nobody wants the rest. */
  onLeft(error: HttpError): void;
}

/** The bytes of one reply: pushed on one side, read on the other. */
export class ReplyBody implements AsyncIterable<Uint8Array> {
  /** Set at the end. */
  trailers: HeaderMap = NO_FIELDS;
  readonly #owner: BodyOwner;
  #pieces: Uint8Array[] = [];
  #held = 0;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  #read = false;
  /** Wakes the reader: there is something new. */
  #arrived: (() => void) | undefined;
  /** Wakes the driver: there is room again. */
  #room: (() => void) | undefined;

  constructor(owner: BodyOwner) {
    this.#owner = owner;
  }

  /** Holds a piece. The promise stands for no room: await it before the next. */
  push(bytes: Uint8Array): void | Promise<void> {
    if (this.#state !== "open") return undefined;
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    this.#wake();
    if (this.#held <= ROOM) return undefined;
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  end(trailers: HeaderMap): void {
    if (this.#state !== "open") return;
    this.trailers = trailers;
    this.#state = "ended";
    this.#wake();
  }

  /** What came before the error can still be read. */
  fail(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = error;
    this.#makeRoom();
    this.#wake();
  }

  /** Nobody wants the rest. Who reads it all the same fails. */
  leave(): void {
    const owed = this.#state === "open";
    const error = new HttpError("aborted", "the reply was discarded", { blame: "local" });
    this.#pieces = [];
    this.#state = "failed";
    this.#error = error;
    this.#makeRoom();
    this.#wake();
    if (owed) this.#owner.onLeft(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#begin();
    try {
      for (;;) {
        const pieces = this.#take();
        if (pieces === undefined) return;
        yield* pieces;
        if (pieces.length === 0) await this.#arrival();
      }
    } finally {
      if (this.#state === "open") this.leave();
    }
  }

  /** All of it. @throws HttpError `body-too-large` over `limit` bytes. */
  async gather(limit: number): Promise<Buffer> {
    this.#begin();
    const all: Uint8Array[] = [];
    let size = 0;
    for (let pieces = this.#take(); pieces !== undefined; pieces = this.#take()) {
      if (pieces.length === 0) await this.#arrival();
      for (const piece of pieces) {
        all.push(piece);
        size += piece.length;
      }
      if (size > limit) {
        this.leave();
        throw replyTooLarge(limit);
      }
    }
    return Buffer.concat(all, size);
  }

  #begin(): void {
    if (this.#read) throw new Error("a body can be read only once");
    this.#read = true;
  }

  /** What is held, maybe nothing yet; `undefined` behind the last piece. */
  #take(): Uint8Array[] | undefined {
    const pieces = this.#pieces;
    if (pieces.length > 0) {
      this.#pieces = [];
      this.#makeRoom();
      return pieces;
    }
    if (this.#state === "failed") throw this.#error;
    return this.#state === "ended" ? undefined : [];
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  #makeRoom(): void {
    this.#held = 0;
    const room = this.#room;
    if (room === undefined) return;
    this.#room = undefined;
    if (this.#state === "open") this.#owner.onRoom();
    room();
  }

  #wake(): void {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    arrived?.();
  }
}
