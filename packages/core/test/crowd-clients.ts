// The clients of crowd.test.ts, as a process of their own: idle ones, and some that send a byte when they are told.
import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";

interface Order {
  readonly connect?: number;
  readonly idle?: number;
  readonly dripping?: number;
  readonly drip?: boolean;
}

/** Connections at once, so that the listener's backlog holds them all. */
const ABREAST = 200;
const dripping: Socket[] = [];

async function open(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(ABREAST, count - sockets.length) }, () =>
      createConnection({ port, host: "127.0.0.1", noDelay: true }).on("error", () => {}),
    );
    await Promise.all(some.map((socket) => once(socket, "connect")));
    for (const socket of some) socket.resume();
    sockets.push(...some);
  }
  return sockets;
}

async function obey({ connect, idle = 0, dripping: dripped = 0, drip = false }: Order): Promise<void> {
  if (connect !== undefined) {
    await open(connect, idle);
    dripping.push(...(await open(connect, dripped)));
  }
  if (drip) for (const socket of dripping) socket.write("x");
  process.send?.("done");
}

process.on("message", (order: Order) => void obey(order));
