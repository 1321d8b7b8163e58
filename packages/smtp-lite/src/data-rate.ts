// How fast a client sends a message. It knows bytes and a clock's readings; time that we need ourselves does not count.

/** A slow start is forgiven: nobody is judged before this, in milliseconds. */
const GRACE = 60_000;

export class DataRate {
  readonly #least: number;
  #bytes = 0;
  /** Milliseconds spent waiting for the client. */
  #waited = 0;
  #since: number;

  /** `least` is in bytes a second; `now` in milliseconds, when content may begin. */
  constructor(least: number, now: number) {
    this.#least = least;
    this.#since = now;
  }

  /** A piece has come. False: the client is too slow. */
  received(bytes: number, now: number): boolean {
    this.#bytes += bytes;
    this.#waited += now - this.#since;
    this.#since = now;
    return this.#waited < GRACE || this.#bytes * 1000 >= this.#least * this.#waited;
  }

  /** We have dealt with it, and wait again. */
  wait(now: number): void {
    this.#since = now;
  }
}
