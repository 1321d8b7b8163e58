// node:http, in the quickest way that its documentation offers: `data` events, and writes that mind backpressure.
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "./announce.ts";
import { PIECE, SIZE } from "./large-reply.ts";

function sendAll(response: ServerResponse): void {
  let left = SIZE;
  const more = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!response.write(PIECE)) {
        response.once("drain", more);
        return;
      }
    }
    response.end();
  };
  more();
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.writeHead(200, { "content-length": SIZE });
    sendAll(response);
    return;
  }
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on("end", () => response.end(String(length)));
});
server.listen(0, "127.0.0.1", 1024, () => announce((server.address() as AddressInfo).port));
