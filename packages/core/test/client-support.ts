// What the tests of the connecting side need: ports that answer or do not, and events that can be waited for.
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { listen } from "../src/index.ts";

/** A port on which nobody listens: somebody did a moment ago. */
export async function freePort(): Promise<number> {
  const listener = await listen();
  const { port } = listener;
  await listener.close();
  return port;
}

/** Whether this machine has IPv6 on loopback: containers often lack it. */
export async function hasIPv6(): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(0, "::1");
    await once(server, "listening");
    return (server.address() as AddressInfo).family === "IPv6";
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Keeps what an event brings: `on(name, mailbox.put)`, then await `next()` for each, in order. */
export class Mailbox<Value> {
  readonly #values: Value[] = [];
  readonly #readers: ((value: Value) => void)[] = [];

  readonly put = (value: Value): void => {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#values.push(value);
    else reader(value);
  };

  /** Values that nobody has taken yet. */
  get size(): number {
    return this.#values.length;
  }

  next(): Promise<Value> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#readers.push(resolve));
  }
}
