// Replies on their way out: joined while a turn lasts, written by one call, held back while the peer is slow.
import type { Connection } from "./connection.ts";
import { TcpError } from "./errors.ts";
import type { Output } from "./protocol.ts";

/** More than this many bytes collected in one turn are written before the next event is pulled. */
const TURN_LIMIT = 65_536;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: TcpError) => void;
}

/** Collects what a session sends. Strings are latin1: neighbours become one string, and so one write. */
export class Outbox {
  readonly #connection: Connection;
  readonly #stall: number;
  /** The last piece: text grows as long as text comes. Most turns have no other. */
  #last: string | Uint8Array = "";
  /** Those before it, if there are any. */
  #pieces: (string | Uint8Array)[] | undefined;
  #size = 0;
  /** The last write found room; asking the socket each time would cost more than the answer. */
  #ready = true;
  #waiters: Waiter[] | undefined;

  /** `stall` is how long the peer may take no byte, in milliseconds. */
  constructor(connection: Connection, stall: number) {
    this.#connection = connection;
    this.#stall = stall;
  }

  /** False while nothing more should be made: enough is collected that cannot leave. */
  get ready(): boolean {
    if (this.#size > TURN_LIMIT) this.flush();
    return this.#ready;
  }

  add(output: Output): void {
    if (typeof output === "string") {
      this.#size += output.length;
      if (typeof this.#last === "string") this.#last += output;
      else this.#begin(output);
    } else if (output instanceof Uint8Array) {
      this.#size += output.length;
      if (output.length > 0) this.#begin(output);
    } else {
      for (const piece of output) this.add(piece);
    }
  }

  /** Writes what was collected. Returns false while the peer is slow. */
  flush(): boolean {
    if (this.#size > 0) {
      const wasReady = this.#ready;
      this.#ready = this.#write();
      if (wasReady && !this.#ready) this.#limitStall(this.#stall);
    }
    return this.#ready;
  }

  /** Resolves when the write buffer has emptied. @throws TcpError `closed`. */
  drained(): Promise<void> {
    this.flush();
    if (!this.#connection.writable) return Promise.reject(closed());
    if (!this.#connection.congested) return Promise.resolve();
    return new Promise((onResolve, onReject) => {
      (this.#waiters ??= []).push({ resolve: onResolve, reject: onReject });
    });
  }

  onDrain(): void {
    this.#ready = true;
    this.#limitStall(0);
    this.#settle(resolve);
  }

  /** Nothing more will be sent. */
  close(): void {
    if (!this.#ready) this.#limitStall(0);
    this.#settle(reject);
  }

  #begin(piece: string | Uint8Array): void {
    if (this.#last.length > 0) (this.#pieces ??= []).push(this.#last);
    this.#last = piece;
  }

  #write(): boolean {
    const last = this.#last;
    const pieces = this.#pieces;
    this.#last = "";
    this.#size = 0;
    this.#pieces = undefined;
    // A connection that is gone takes nothing, and nothing will ever make it ready again.
    if (!this.#connection.writable) return true;
    return pieces === undefined
      ? this.#connection.write(last, "latin1")
      : this.#connection.writeAll([...pieces, last]);
  }

  /** Whoever waits is told how it went. */
  #settle(tell: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    waiters?.forEach(tell);
  }

  #limitStall(milliseconds: number): void {
    if (this.#stall !== Infinity) this.#connection.limitWriteStall(milliseconds);
  }
}

function resolve(waiter: Waiter): void {
  waiter.resolve();
}

function reject(waiter: Waiter): void {
  waiter.reject(closed());
}

function closed(): TcpError {
  return new TcpError("closed", "the connection closed before everything was sent", { blame: "remote" });
}
