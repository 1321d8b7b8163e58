// One end of a connection in memory: it reads what the other end wrote, after the faults of its direction have been
// at it. It knows streams and a clock; which faults there are it does not know.
import { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import { assertNever } from "../errors.ts";
import { through } from "./faults.ts";
import type { Fault, WireStep } from "./faults.ts";

export interface WireOptions {
  /** What happens to the bytes that this end reads. */
  readonly faults: readonly Fault[];
  /** The clock that the faults wait by. */
  readonly clock: Clock;
  /** Resets both ends. */
  readonly reset: () => void;
}

/**
 * One end of the wire over a `side` of `stream.duplexPair()`. It takes one chunk at a time and reads no more until that
 * is delivered, so a stalled wire holds its sender back.
 */
export class Wire extends Duplex {
  /** The other end: it counts what arrives here. */
  peer: Wire | undefined;
  readonly #side: Duplex;
  readonly #runs: readonly ((step: WireStep) => Iterable<WireStep>)[];
  readonly #clock: Clock;
  readonly #reset: () => void;
  /** Bytes written here that have arrived at the other end. */
  #arrived = 0;
  /** What has come and not yet passed the faults: one chunk, turn and end at most. */
  readonly #came: WireStep[] = [];
  /** What the faults have made of the last step, as far as it is not yet done. */
  #steps: Iterator<WireStep> = [].values();
  #running = false;
  #room = true;
  /** Nothing arrives any more: what still comes is dropped. */
  #ended = false;
  #stopWaiting: (() => void) | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(side: Duplex, options: WireOptions) {
    super({ allowHalfOpen: true });
    this.#side = side;
    this.#runs = options.faults.map((fault) => fault.start());
    this.#clock = options.clock;
    this.#reset = options.reset;
    side.on("data", (bytes: Buffer) => this.#take({ type: "bytes", bytes }));
    side.on("end", () => this.#take({ type: "end" }));
    // As in a kernel, a reset overtakes what is on its way.
    side.on("error", (error) => this.destroy(error));
    // A fault at offset 0 happens although nothing is sent.
    this.#awaitTurn();
  }

  /** As a socket's: all that was written, arrived or not. */
  get bytesWritten(): number {
    return this.#arrived + this.writableLength;
  }

  override _read(): void {
    this.#room = true;
    this.#run();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Why the other side is gone says more than that it is.
    this.#side.write(chunk, encoding, (error) => done(error ? (this.#side.errored ?? error) : null));
  }

  override _final(done: () => void): void {
    this.#side.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#stopWaiting?.();
    // Closed after its end, it still delivers what was sent, as a kernel does. Anything else is a reset.
    if (error === null && this.#side.writableEnded) this.#side.resume();
    else this.#reset();
    done(error);
  }

  #take(step: WireStep): void {
    if (this.destroyed) {
      // Nobody is here any more to read it.
      if (step.type === "bytes") this.#reset();
      return;
    }
    this.#came.push(step);
    if (step.type === "bytes") this.#awaitTurn();
    this.#run();
  }

  #awaitTurn(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#take({ type: "turn" });
    });
  }

  #run(): void {
    // A chunk is delivered inside push(), and whoever takes it may ask for more at once.
    if (this.#running) return;
    this.#running = true;
    while (this.#room && this.#stopWaiting === undefined && !this.destroyed) {
      const { value, done } = this.#steps.next() as IteratorResult<WireStep, undefined>;
      if (done !== true) {
        this.#carryOut(value);
        continue;
      }
      const step = this.#came.shift();
      if (step === undefined) break;
      this.#steps = through(this.#runs, step)[Symbol.iterator]();
    }
    this.#running = false;
    if (this.destroyed) return;
    if (this.#came.length === 0 && this.#room && this.#stopWaiting === undefined) this.#side.resume();
    else this.#side.pause();
  }

  #carryOut(step: WireStep): void {
    switch (step.type) {
      case "bytes":
        if (!this.#ended) this.#deliver(step.bytes);
        break;
      case "wait":
        this.#wait(step.milliseconds);
        break;
      case "turn":
        break;
      case "end":
        if (!this.#ended) this.push(null);
        this.#ended = true;
        break;
      case "reset":
        this.#ended = true;
        this.#reset();
        break;
      default:
        assertNever(step);
    }
  }

  #deliver(bytes: Buffer): void {
    if (this.peer !== undefined) this.peer.#arrived += bytes.length;
    this.#room = this.push(bytes);
  }

  #wait(milliseconds: number): void {
    if (this.#ended || milliseconds === 0) return;
    if (milliseconds === Infinity) {
      this.#stopWaiting = () => {};
      return;
    }
    const stop = this.#clock.every(milliseconds, () => {
      stop();
      this.#stopWaiting = undefined;
      this.#run();
    });
    this.#stopWaiting = stop;
  }
}
