// The echo protocol as a pure engine: whatever bytes come in are an event. It knows no socket.
import { ByteQueue } from "@tcpkit/core";
import type { Session, Span } from "@tcpkit/core";

/** Bytes to be sent back. TCP has no messages, so neither has echo: it takes whatever pieces arrive. */
export interface EchoEvent extends Span {
  readonly type: "data";
  readonly bytes: Uint8Array;
}

export class EchoSession implements Session<EchoEvent, Uint8Array> {
  readonly state = "open";
  readonly partial = false;
  readonly finished = false;
  readonly #queue = new ByteQueue();

  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): EchoEvent | undefined {
    const start = this.#queue.offset;
    const bytes = this.#queue.takeSome();
    return bytes && { type: "data", bytes, start, end: start + bytes.length };
  }

  send(reply: Uint8Array): Uint8Array {
    return reply;
  }

  end(): void {
    // RFC 862: the service goes on until the calling user ends the connection. The driver sees to that.
  }
}
