// The ceiling of documented Node: node:net that looks at a request's first line and Content-Length only, and takes both
// to come in one piece. It is no server to use.
import type { Socket } from "node:net";
import { listenRaw } from "./listen.ts";
import { PIECE, SIZE } from "./large-reply.ts";

const HEAD_END = "\r\n\r\n";

function sendAll(socket: Socket): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}${HEAD_END}`, "latin1");
  let left = SIZE;
  const more = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!socket.write(PIECE)) {
        if (left > 0) socket.once("drain", more);
        return;
      }
    }
  };
  more();
}

listenRaw((socket) => {
  /** Bytes of the body that are still to come. */
  let left = 0;
  let length = 0;
  socket.on("data", (chunk) => {
    let body = chunk.length;
    if (left === 0) {
      const end = chunk.indexOf(HEAD_END) + HEAD_END.length;
      const head = chunk.toString("latin1", 0, end);
      if (head.startsWith("GET ")) {
        sendAll(socket);
        return;
      }
      length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1]);
      left = length;
      body -= end;
    }
    left -= body;
    if (left > 0) return;
    const answer = String(length);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}${HEAD_END}${answer}`, "latin1");
  });
});
