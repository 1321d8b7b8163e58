// Starts a plain node:net server, as the peers in this folder are: on loopback, without Nagle's delay.
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { announce } from "./announce.ts";

/** Serves with `onConnection` on a free port and announces it. A connection that fails is dropped. */
export function listenRaw(onConnection: (socket: Socket) => void): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1", 1024, () => announce((server.address() as AddressInfo).port));
}
