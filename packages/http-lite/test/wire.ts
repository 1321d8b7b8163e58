// A client that is nothing but a socket: what is sent and what came back, to the byte.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { once } from "node:events";
import type { Listener } from "@tcpkit/core";

export class Wire implements AsyncDisposable {
  readonly socket: Socket;
  text = "";
  #changed: (() => void) | undefined;

  constructor(listener: Listener) {
    this.socket = connect({ port: listener.port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.text += text;
      this.#changed?.();
    });
    this.socket.on("end", () => this.#changed?.());
    this.socket.on("close", () => this.#changed?.());
    this.socket.on("error", () => {
      // A reset is seen as `close`.
    });
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Resolves when what came back holds this. */
  async until(part: string | RegExp): Promise<string> {
    while (typeof part === "string" ? !this.text.includes(part) : !part.test(this.text)) {
      if (this.socket.readableEnded || this.socket.destroyed) {
        throw new Error(`ended without ${String(part)}: ${JSON.stringify(this.text)}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.text;
  }

  /** Resolves with all that came back when the server has ended its side. */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed)
      await Promise.race([once(this.socket, "end"), once(this.socket, "close")]);
    return this.text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    this.socket.destroy();
    await once(this.socket, "close");
  }
}

/** Resolves with a value that somebody else gives. */
export function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  return Promise.withResolvers<T>();
}
