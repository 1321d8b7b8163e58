// The clients of crowd.test.ts, as a process of their own: slow with a command, or slow with the content of a message.
import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";

export type Kind = "command" | "content";

/** Connects so many of each kind; sends a byte of each; or waits until all of a kind are closed. */
export interface Order {
  readonly connect?: { readonly port: number; readonly each: number };
  readonly drip?: boolean;
  readonly closed?: Kind;
}

/** The last reply that clients of a kind heard, and how many heard it. */
export type Told = Readonly<Record<string, number>>;

interface Client {
  readonly socket: Socket;
  /** All that the server said. */
  text: string;
}

const OPENING: Readonly<Record<Kind, string>> = {
  command: "EHLO a.example\r\nMAIL FROM:<",
  content: "EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
};
/** What the server has said when it has read the opening. */
const READY: Readonly<Record<Kind, RegExp>> = { command: /^250 /m, content: /^354 /m };
/** Connections at once, so that the listener's backlog holds them all. */
const ABREAST = 200;
const clients: Record<Kind, Client[]> = { command: [], content: [] };

async function open(port: number, kind: Kind): Promise<Client> {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  const client = { socket, text: "" };
  socket.on("error", () => {});
  socket.setEncoding("latin1").on("data", (text: string) => {
    client.text += text;
  });
  while (!client.text.startsWith("220 ")) await once(socket, "data");
  socket.write(OPENING[kind]);
  while (!READY[kind].test(client.text)) await once(socket, "data");
  return client;
}

async function closed(kind: Kind): Promise<Told> {
  const told: Record<string, number> = {};
  for (const { socket } of clients[kind]) {
    // Not by `once` of node:events: a reset is a close too.
    if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  }
  for (const { text } of clients[kind]) {
    const last = text.trimEnd().split("\r\n").at(-1)?.slice(0, "421 4.4.2".length) ?? "nothing";
    told[last] = (told[last] ?? 0) + 1;
  }
  return told;
}

async function obey({ connect, drip = false, closed: kind }: Order): Promise<Told | undefined> {
  if (connect !== undefined) {
    for (const each of ["command", "content"] as const) {
      while (clients[each].length < connect.each) {
        const count = Math.min(ABREAST, connect.each - clients[each].length);
        clients[each].push(
          ...(await Promise.all(Array.from({ length: count }, () => open(connect.port, each)))),
        );
      }
    }
  }
  if (drip)
    for (const { socket } of [...clients.command, ...clients.content])
      if (!socket.destroyed) socket.write("x");
  return kind === undefined ? undefined : closed(kind);
}

process.on("message", (order: Order) => {
  void obey(order).then((told = {}) => process.send?.(told));
});
