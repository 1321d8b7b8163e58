// The clients of crowd.test.ts, as a process of their own: slow with their head, slow with their body, or idle.
import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";

export type Kind = "head" | "body" | "idle";

/** Connects so many of each kind; sends a byte of each head and body; or waits until all of a kind are closed. */
export interface Order {
  readonly connect?: { readonly port: number; readonly each: number };
  readonly drip?: boolean;
  readonly closed?: Kind;
}

/** What the clients of a kind were told, as status lines, and how many were told so. */
export type Told = Readonly<Record<string, number>>;

interface Client {
  readonly socket: Socket;
  /** All that the server said. */
  text: string;
}

const OPENING: Readonly<Record<Kind, string>> = {
  head: "GET /head HTTP/1.1\r\nHost: a\r\nX: ",
  body: "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
  idle: "GET /idle HTTP/1.1\r\nHost: a\r\n\r\n",
};
/** Connections at once, so that the listener's backlog holds them all. */
const ABREAST = 200;
const clients: Record<Kind, Client[]> = { head: [], body: [], idle: [] };

async function open(port: number, kind: Kind): Promise<Client> {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  const client = { socket, text: "" };
  socket.on("error", () => {});
  socket.setEncoding("latin1").on("data", (text: string) => {
    client.text += text;
  });
  await once(socket, "connect");
  socket.write(OPENING[kind]);
  // Idle is who has been served.
  if (kind === "idle") await once(socket, "data");
  return client;
}

async function closed(kind: Kind): Promise<Told> {
  const told: Record<string, number> = {};
  for (const { socket } of clients[kind]) {
    if (!socket.closed) await once(socket, "close");
  }
  for (const { text } of clients[kind]) {
    const statuses = text.match(/HTTP\/1\.1 \d{3}/g)?.join(", ") ?? "nothing";
    told[statuses] = (told[statuses] ?? 0) + 1;
  }
  return told;
}

async function obey({ connect, drip = false, closed: kind }: Order): Promise<Told | undefined> {
  if (connect !== undefined) {
    for (const each of ["head", "body", "idle"] as const) {
      while (clients[each].length < connect.each) {
        const count = Math.min(ABREAST, connect.each - clients[each].length);
        clients[each].push(
          ...(await Promise.all(Array.from({ length: count }, () => open(connect.port, each)))),
        );
      }
    }
  }
  if (drip)
    for (const { socket } of [...clients.head, ...clients.body]) if (!socket.destroyed) socket.write("x");
  return kind === undefined ? undefined : closed(kind);
}

process.on("message", (order: Order) => {
  void obey(order).then((told = {}) => process.send?.(told));
});
