// Lines on a standard stream: never unbounded, never a crash when the reader goes. It knows no wording.
import type { Writable } from "node:stream";

/** Lines wait in memory when the reader is slow; above this many bytes further ones are dropped and counted. */
const LIMIT = 1024 * 1024;

/** Writes lines to a stream. After the reader has gone (EPIPE) the server goes on, and lines are dropped. */
export class Lines {
  readonly #stream: Writable;
  readonly #onDropped: (lines: number) => string;
  #dropped = 0;
  #gone = false;

  /** `onDropped` makes the line that says how many were dropped. */
  constructor(stream: Writable, onDropped: (lines: number) => string) {
    this.#stream = stream;
    this.#onDropped = onDropped;
    stream.on("error", () => {
      this.#gone = true;
    });
    stream.on("drain", () => this.#sayDropped());
  }

  write(line: string): void {
    if (this.#gone) return;
    if (this.#stream.writableLength > LIMIT) this.#dropped += 1;
    else this.#stream.write(`${line}\n`);
  }

  /** Resolves when what was written has left, or cannot leave any more. */
  flushed(): Promise<void> {
    if (this.#gone || this.#stream.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.write("", () => resolve());
    });
  }

  #sayDropped(): void {
    if (this.#dropped === 0) return;
    const line = this.#onDropped(this.#dropped);
    this.#dropped = 0;
    this.write(line);
  }
}
