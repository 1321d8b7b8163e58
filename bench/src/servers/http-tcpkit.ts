// Ours, as anybody would use it: every default on.
import { serveHttp } from "@tcpkit/http-lite";
import { announce } from "./announce.ts";

const server = await serveHttp((request) =>
  request.path === "/hello"
    ? { status: 200, headers: { "content-type": "text/plain" }, body: "Hello, World!" }
    : { status: 404 },
);
announce(server.port);
