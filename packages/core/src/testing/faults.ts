// What may happen to bytes on their way, as pure functions from steps to steps. It knows no stream and no clock; the
// wire carries the steps out. No fault corrupts, loses or reorders a byte before the end: TCP does not either.

/** One thing that happens on a wire, in order. */
export type WireStep =
  /** Bytes arrive, as one chunk. */
  | { readonly type: "bytes"; readonly bytes: Buffer }
  /** Nothing arrives for so many milliseconds of the pair's clock; `Infinity` for ever. */
  | { readonly type: "wait"; readonly milliseconds: number }
  /** The sender's turn of the event loop is over: what it wrote in one go has come. */
  | { readonly type: "turn" }
  /** FIN: the sender ended its side. Whatever comes after it is dropped. */
  | { readonly type: "end" }
  /** RST: both ends are reset. */
  | { readonly type: "reset" };

/** A fault for one direction. It is a description: the same one may be used for many pairs. */
export interface Fault {
  /** How it was made, for messages: `"drip(100)"`. */
  readonly name: string;
  /** Begins a run: the function it returns is given each step that comes, and says which go on. */
  start(): (step: WireStep) => Iterable<WireStep>;
}

/** Delivers at most `size` bytes at a time. */
export function splitEvery(size: number): Fault {
  return perChunk(`splitEvery(${size})`, () => (chunk) => pieces(chunk, size));
}

/** Cuts the stream at these absolute offsets, in bytes; between them chunks stay as they are. */
export function splitAt(...offsets: readonly number[]): Fault {
  return perChunk(`splitAt(${offsets.join(", ")})`, () => {
    let from = 0;
    return (chunk) => {
      const cuts = offsets.map((offset) => offset - from).filter((cut) => cut > 0 && cut < chunk.length);
      const edges = [0, ...cuts.toSorted((a, b) => a - b), chunk.length];
      from += chunk.length;
      return edges.slice(1).map((edge, index) => bytesStep(chunk.subarray(edges[index], edge)));
    };
  });
}

/** Joins up to `writes` writes of one turn of the event loop into one chunk, as Nagle's algorithm and busy readers do. */
export function merge(writes: number): Fault {
  return {
    name: `merge(${writes})`,
    start() {
      let held: Buffer[] = [];
      return function* join(step) {
        if (step.type === "bytes") held.push(step.bytes);
        if (held.length >= writes || (step.type !== "bytes" && held.length > 0)) {
          yield bytesStep(Buffer.concat(held));
          held = [];
        }
        if (step.type !== "bytes") yield step;
      };
    },
  };
}

/** Delivers one byte every so many milliseconds of the pair's clock. */
export function drip(milliseconds: number = 100): Fault {
  return perChunk(
    `drip(${milliseconds})`,
    () =>
      function* drops(chunk) {
        for (const piece of pieces(chunk, 1)) {
          yield piece;
          yield { type: "wait", milliseconds };
        }
      },
  );
}

/** After `offset` bytes nothing arrives for `milliseconds`, and the sender is held back. Default: for ever. */
export function stallAfter(offset: number, milliseconds: number = Infinity): Fault {
  return after(offset, `stallAfter(${offset}, ${milliseconds})`, { type: "wait", milliseconds });
}

/** Resets the connection, for both sides, once `offset` bytes have arrived. */
export function resetAfter(offset: number): Fault {
  return after(offset, `resetAfter(${offset})`, { type: "reset" });
}

/** Half-closes: the receiver sees the sender's end after `offset` bytes, and what is sent after that is dropped. */
export function endAfter(offset: number): Fault {
  return after(offset, `endAfter(${offset})`, { type: "end" });
}

/** Passes a step through faults, the first of them first. Lazily: a step is made when the one before it is done. */
export function through(
  runs: readonly ((step: WireStep) => Iterable<WireStep>)[],
  step: WireStep,
): Iterable<WireStep> {
  let steps: Iterable<WireStep> = [step];
  for (const run of runs) steps = flatMap(steps, run);
  return steps;
}

function* flatMap(
  steps: Iterable<WireStep>,
  run: (step: WireStep) => Iterable<WireStep>,
): Iterable<WireStep> {
  for (const step of steps) yield* run(step);
}

/** A fault that looks at bytes alone. */
function perChunk(name: string, start: () => (chunk: Buffer) => Iterable<WireStep>): Fault {
  return {
    name,
    start() {
      const cut = start();
      return (step) => (step.type === "bytes" ? cut(step.bytes) : [step]);
    },
  };
}

/** A fault that happens once, between two bytes. */
function after(offset: number, name: string, fault: WireStep): Fault {
  return {
    name,
    start() {
      let left = offset;
      let happened = false;
      return function* watch(step) {
        const length = step.type === "bytes" ? step.bytes.length : 0;
        if (happened || length < left) {
          left -= length;
          yield step;
          return;
        }
        happened = true;
        if (step.type !== "bytes") {
          yield fault;
          yield step;
          return;
        }
        if (left > 0) yield bytesStep(step.bytes.subarray(0, left));
        yield fault;
        if (left < length) yield bytesStep(step.bytes.subarray(left));
      };
    },
  };
}

function* pieces(chunk: Buffer, size: number): Iterable<WireStep> {
  for (let start = 0; start < chunk.length; start += size)
    yield bytesStep(chunk.subarray(start, start + size));
}

function bytesStep(bytes: Buffer): WireStep {
  return { type: "bytes", bytes };
}
