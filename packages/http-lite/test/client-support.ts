// A client whose connections end in the test's hand: in memory, on a clock that the test moves.
import { DeadlineTimer } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";
import { fakeClock, pair } from "@tcpkit/core/testing";
import type { FakeClock, PairOptions } from "@tcpkit/core/testing";
import { HttpClient } from "../src/index.ts";
import type { HttpClientOptions } from "../src/index.ts";

/** The server's end of a connection: what it got, as text, and what it says, to the byte. */
export class End {
  readonly connection: Connection;
  text = "";
  #ended = false;
  #changed: (() => void) | undefined;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.on("data", (chunk) => {
      this.text += chunk.toString("latin1");
      this.#changed?.();
    });
    for (const name of ["end", "close"] as const) {
      connection.on(name, () => {
        this.#ended = true;
        this.#changed?.();
      });
    }
    connection.on("error", () => {
      // A reset is seen as `close`.
    });
  }

  /** Resolves with everything up to this, which is forgotten. */
  async until(part: string): Promise<string> {
    while (!this.text.includes(part)) {
      if (this.#ended) throw new Error(`ended without ${part}: ${JSON.stringify(this.text)}`);
      await this.#change();
    }
    const to = this.text.indexOf(part) + part.length;
    const text = this.text.slice(0, to);
    this.text = this.text.slice(to);
    return text;
  }

  /** A request without a body has come. */
  head(): Promise<string> {
    return this.until("\r\n\r\n");
  }

  send(text: string): this {
    this.connection.write(text, "latin1");
    return this;
  }

  /** Resolves when the client has ended its side, or everything. */
  async ended(): Promise<void> {
    while (!this.#ended) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}

/** A client in memory. `next()` resolves with the server's end of the next connection that it makes. */
export function memoryClient(
  options: HttpClientOptions = {},
  pairOptions: PairOptions = {},
): {
  client: HttpClient;
  clock: FakeClock;
  made: End[];
  next: () => Promise<End>;
} {
  const clock = fakeClock();
  const timer = new DeadlineTimer(clock);
  const made: End[] = [];
  let seen = 0;
  let wake: (() => void) | undefined;
  const connect = (): Promise<Connection> => {
    const { client, server } = pair({ ...pairOptions, connection: { timer }, clock });
    made.push(new End(server));
    wake?.();
    return Promise.resolve(client);
  };
  const next = async (): Promise<End> => {
    for (;;) {
      const end = made[seen];
      if (end !== undefined) {
        seen += 1;
        return end;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { client: new HttpClient({ connect, timer, ...options }), clock, made, next };
}

/** A reply with a body of its length. */
export function okWith(body: string, fields: string = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}
