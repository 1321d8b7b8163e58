// The ceiling of Node: what it can do at most when accepted sockets read into one buffer that all share, as core's fast
// read makes them do (packages/core/src/fast-read.ts), but without a copy. It is no server to use.
import { createServer, Socket } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { announce } from "./announce.ts";
import { ConstantAnswer } from "./constant-answer.ts";

/** The part of a server that is not documented. */
interface Inside {
  readonly _handle: { onconnection: (status: number, handle: object) => void };
}

const buffer = Buffer.allocUnsafeSlow(65_536);

function accept(_status: number, handle: object): void {
  const constant = new ConstantAnswer();
  const callback = (length: number): boolean => {
    const answer = constant.answer(buffer, length);
    if (answer !== "") socket.write(answer, "latin1");
    return true;
  };
  const socket = new Socket({ handle, allowHalfOpen: false, onread: { buffer, callback } } as object);
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
}

const server: Server = createServer();
server.listen(0, "127.0.0.1", 1024, () => {
  (server as unknown as Inside)._handle.onconnection = accept;
  announce((server.address() as AddressInfo).port);
});
