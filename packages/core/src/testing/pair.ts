// Two connections joined in memory: no port, no kernel, the same code.
import { Duplex, duplexPair } from "node:stream";
import { Connection } from "../connection.ts";
import type { ConnectionOptions } from "../connection.ts";

export interface PairOptions {
  /** Options of both connections. */
  readonly connection?: ConnectionOptions;
  /** What happens to bytes on their way, in both directions. Default: nothing. */
  readonly faults?: Fault;
}

/** Cuts bytes on their way into other chunks, as a network may. */
export type Fault = (chunk: Buffer) => Iterable<Buffer>;

/** Delivers at most `size` bytes at a time. */
export function splitEvery(size: number): Fault {
  return function* split(chunk) {
    for (let start = 0; start < chunk.length; start += size) yield chunk.subarray(start, start + size);
  };
}

/**
 * A client's and a server's connection, joined in memory. What one writes, the other gets as `data`; when one is
 * destroyed before both have ended, the other is reset.
 */
export function pair(options: PairOptions = {}): { client: Connection; server: Connection } {
  const [left, right] = duplexPair({ allowHalfOpen: true });
  left.once("close", () => cutOff(left, right));
  right.once("close", () => cutOff(right, left));
  const wire = (side: Duplex): Connection =>
    new Connection(options.faults === undefined ? side : faulty(side, options.faults), options.connection);
  return { client: wire(left), server: wire(right) };
}

/** What a kernel would do for the other side of a connection that is gone. */
function cutOff(gone: Duplex, other: Duplex): void {
  if (other.destroyed || (gone.writableFinished && other.writableFinished)) return;
  other.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
}

/** The same end of the wire, with what arrives cut by `fault`. */
function faulty(side: Duplex, fault: Fault): Duplex {
  const cut = new Duplex({
    allowHalfOpen: true,
    read: () => void side.resume(),
    write: (chunk: Buffer, encoding, done) => void side.write(chunk, encoding, done),
    final: (done) => void side.end(done),
    destroy(error, done) {
      side.destroy();
      done(error);
    },
  });
  side.on("data", (chunk: Buffer) => {
    for (const piece of fault(chunk)) if (!cut.push(piece)) side.pause();
  });
  side.on("end", () => cut.push(null));
  side.on("error", (error) => cut.destroy(error));
  side.on("close", () => {
    if (!side.readableEnded) cut.destroy();
  });
  return cut;
}
