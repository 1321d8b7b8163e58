// A body on its way from the driver to a handler: bytes pushed on one side, iterated on the other.
// It holds one piece at a time; the pushing side waits until that has been taken.

/**
 * An async iterable of bytes under backpressure. One producer pushes, one consumer iterates. `push` returns a
 * promise as long as the consumer has not taken the piece, so that a driver which awaits it stops reading.
 */
export class ByteStream implements AsyncIterable<Uint8Array> {
  #piece: Uint8Array | undefined;
  #state: "open" | "ended" | "failed" | "discarded" = "open";
  #error: unknown;
  /** Wakes the producer: its piece has been taken. */
  #taken: (() => void) | undefined;
  /** Wakes the consumer: there is something new. */
  #arrived: (() => void) | undefined;
  #iterated = false;
  readonly #onStart: (() => void) | undefined;

  /** `onStart` is called when the consumer first asks for bytes (HTTP sends `100 Continue` then). */
  constructor(onStart?: () => void) {
    this.#onStart = onStart;
  }

  /** True once nobody will read the rest: pushed bytes are dropped. */
  get discarded(): boolean {
    return this.#state === "discarded";
  }

  /** True once the consumer has asked for the first bytes. */
  get started(): boolean {
    return this.#iterated;
  }

  /** Hands a piece over. Returns a promise while it has not been taken; await it before the next `push`. */
  push(bytes: Uint8Array): void | Promise<void> {
    if (this.#state !== "open" || bytes.length === 0) return undefined;
    if (this.#piece !== undefined)
      throw new Error("push() before the last piece was taken: await its promise");
    this.#piece = bytes;
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

  /** The pieces in order. @throws what was given to `fail`. @throws Error when iterated a second time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#iterated) throw new Error("a body can be read only once");
    this.#iterated = true;
    this.#onStart?.();
    try {
      for (;;) {
        const piece = this.#piece;
        if (piece !== undefined) {
          this.#piece = undefined;
          yield piece;
          // Released only now, when the consumer has come back: what it did with the piece is done.
          this.#release();
        } else if (this.#state === "failed") {
          throw this.#error;
        } else if (this.#state !== "open") {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#arrived = resolve;
          });
        }
      }
    } finally {
      this.discard();
    }
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
