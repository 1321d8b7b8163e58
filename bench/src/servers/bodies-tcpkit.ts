// Ours: counts what is posted, and streams a large reply.
import { serveHttp } from "@tcpkit/http-lite";
import { announce } from "./announce.ts";
import { pieces, SIZE } from "./large-reply.ts";

const server = await serveHttp(async (request) => {
  if (request.method === "GET") return { headers: { "content-length": SIZE }, body: pieces() };
  let length = 0;
  await request.consume((bytes) => {
    length += bytes.length;
  });
  return String(length);
});
announce(server.port);
