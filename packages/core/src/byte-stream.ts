// A body on its way from the driver to a handler: bytes pushed on one side, read on the other. It holds one piece at a
// time; the pushing side waits until that has been taken.
import { isPromise } from "./is-promise.ts";
import { keep } from "./read-buffers.ts";

/** Borrows a piece: it is looked at until the function returns, or the promise that it returns is resolved. */
export type Borrower = (bytes: Uint8Array) => void | Promise<void>;

/**
 * Bytes under backpressure. One producer pushes; one consumer reads, in one of two ways: it iterates, and may keep each piece,
 * or it `consume`s, and only borrows them. `push` returns a promise as long as the consumer has not taken the piece, so that a
 * driver which awaits it stops reading.
 */
export class ByteStream implements AsyncIterable<Uint8Array> {
  #piece: Uint8Array | undefined;
  #state: "open" | "ended" | "failed" | "discarded" = "open";
  #error: unknown;
  /** Takes the next piece as soon as it is pushed. */
  #borrower: Borrower | undefined;
  /** Pending while a piece is borrowed. */
  #borrowed: void | Promise<void> = undefined;
  /** Wakes the producer: its piece has been taken. */
  #taken: (() => void) | undefined;
  /** Wakes the consumer: there is something new. */
  #arrived: (() => void) | undefined;
  #started = false;
  readonly #onStart: (() => void) | undefined;
  readonly #onUnused: ((bytes: Uint8Array) => void) | undefined;

  /**
   * `onStart` is called when the consumer first asks for bytes (HTTP sends `100 Continue` then). `onUnused` is called with each
   * piece that the consumer has only borrowed, when that is over, or never got: where the producer holds no part of it either,
   * it may be given to `recycle`.
   */
  constructor(onStart?: () => void, onUnused?: (bytes: Uint8Array) => void) {
    this.#onStart = onStart;
    this.#onUnused = onUnused;
  }

  /** True once nobody will read the rest: pushed bytes are dropped. */
  get discarded(): boolean {
    return this.#state === "discarded";
  }

  /** True once the consumer has asked for the first bytes. */
  get started(): boolean {
    return this.#started;
  }

  /** Hands a piece over. Returns a promise while it has not been taken; await it before the next `push`. */
  push(bytes: Uint8Array): void | Promise<void> {
    if (bytes.length === 0) return undefined;
    if (this.#state !== "open") {
      this.#onUnused?.(bytes);
      return undefined;
    }
    if (this.#piece !== undefined || this.#borrowed !== undefined)
      throw new Error("push() before the last piece was taken: await its promise");
    if (this.#borrower === undefined) {
      this.#piece = bytes;
    } else {
      this.#borrowed = this.#lend(this.#borrower, bytes);
      // Taken at once: no promise, neither here nor there.
      if (this.#borrowed === undefined) return undefined;
    }
    const taken = new Promise<void>((resolve) => {
      this.#taken = resolve;
    });
    this.#wake();
    return taken;
  }

  /** The body is complete. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#wake();
  }

  /** The body will never be complete: the consumer's loop throws `error`. */
  fail(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = error;
    this.#piece = undefined;
    this.#release();
    this.#wake();
  }

  /** Nobody will read the rest: what is held and what still comes is dropped. */
  discard(): void {
    if (this.#state === "open" || this.#piece !== undefined) this.#state = "discarded";
    this.#piece = undefined;
    this.#release();
    this.#wake();
  }

  /**
   * Gives the pieces to `borrower`, in order, and resolves at the end. A piece is lent until `borrower` returns, or its promise
   * is resolved: afterwards its memory may hold something else. The next one comes then. Where `borrower` returns no promise,
   * a piece costs none.
   * @throws what was given to `fail`, once no piece is borrowed any more; what `borrower` throws. @throws Error when read before.
   */
  async consume(borrower: Borrower): Promise<void> {
    this.#start();
    try {
      for (;;) {
        const piece = this.#piece;
        if (piece !== undefined) {
          this.#piece = undefined;
          this.#borrowed = this.#lend(borrower, piece);
        }
        if (this.#borrowed !== undefined) {
          await this.#borrowed;
          this.#borrowed = undefined;
        }
        this.#release();
        if (this.#isOver()) return;
        this.#borrower = borrower;
        await this.#arrival();
        this.#borrower = undefined;
      }
    } finally {
      this.discard();
    }
  }

  /** The pieces in order. @throws what was given to `fail`. @throws Error when read before. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#start();
    try {
      for (;;) {
        const piece = this.#piece;
        if (piece !== undefined) {
          this.#piece = undefined;
          keep(piece);
          yield piece;
          // Released only now, when the consumer has come back: what it did with the piece is done.
          this.#release();
        } else if (this.#isOver()) {
          return;
        } else {
          await this.#arrival();
        }
      }
    } finally {
      this.discard();
    }
  }

  #start(): void {
    if (this.#started) throw new Error("a body can be read only once");
    this.#started = true;
    this.#onStart?.();
  }

  /** No piece comes any more. @throws what was given to `fail`. */
  #isOver(): boolean {
    if (this.#state === "failed") throw this.#error;
    return this.#state !== "open";
  }

  #lend(borrower: Borrower, bytes: Uint8Array): void | Promise<void> {
    try {
      const borrowed = borrower(bytes);
      if (isPromise(borrowed)) return borrowed.then(() => this.#onUnused?.(bytes));
    } catch (error) {
      return Promise.reject(error);
    }
    this.#onUnused?.(bytes);
    return undefined;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  #release(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  #wake(): void {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    arrived?.();
  }
}
