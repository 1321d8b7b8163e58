// A connection as Node's own kind of stream, for libraries that take one: a WebSocket library, a tunnel, `pipeline`.
import { Duplex } from "node:stream";
import { causeOf } from "./close-reason.ts";
import type { CloseReason } from "./close-reason.ts";
import type { Connection } from "./connection.ts";
import type { Driven } from "./driven.ts";
import { TcpError } from "./errors.ts";

/**
 * What is read and written goes through the connection: it is counted, tapped, and closes with one reason. Both ends close
 * by themselves, each when it has ended. The listener's drain waits for it up to the deadline, and then cuts it.
 */
export class ConnectionStream extends Duplex implements Driven {
  readonly #connection: Connection;
  /** A write waits until the peer has taken what came before. */
  #written: (() => void) | undefined;

  /** `head` has been received before: it is read first. `ended`: the peer has ended since. */
  constructor(connection: Connection, head: Uint8Array, ended: boolean) {
    // Destroyed with the connection, and not before what was written has left.
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#connection = connection;
    connection.driver = this;
    if (head.length > 0) this.push(head);
    if (ended) this.push(null);
    if (connection.closed) this.destroy();
  }

  onData(chunk: Buffer): void {
    if (!this.push(chunk)) this.#connection.pause();
  }

  onEnd(): void {
    this.push(null);
  }

  onDrain(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  onClose(reason: CloseReason): void {
    this.destroy(reason.kind === "ended" ? undefined : causeOf(reason));
  }

  flush(): void {
    // Nothing is collected here.
  }

  onGoodbye(): void {
    // Nobody here knows how to say it.
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const connection = this.#connection;
    if (!connection.closed)
      connection.destroy(error === null ? undefined : { kind: "aborted", cause: error });
    done(error);
  }

  #send(chunks: Buffer[], done: (error?: Error) => void): void {
    if (!this.#connection.writable) {
      done(new TcpError("closed", "the connection is closed", { blame: "remote" }));
    } else if (this.#connection.writeAll(chunks)) {
      done();
    } else {
      this.#written = done;
    }
  }
}
