// node:http, with the same answer.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "./announce.ts";

const server = createServer((request, response) => {
  if (request.url === "/hello") {
    // The length spares node:http the chunked coding, as it spares everybody here.
    response.writeHead(200, { "content-type": "text/plain", "content-length": 13 });
    response.end("Hello, World!");
  } else {
    response.writeHead(404).end();
  }
});
server.listen(0, "127.0.0.1", 1024, () => announce((server.address() as AddressInfo).port));
