// srvx on Node, with the same answer.
import { serve } from "srvx";
import { announce } from "./announce.ts";

const server = serve({
  fetch: (request) =>
    new URL(request.url).pathname === "/hello"
      ? new Response("Hello, World!", { headers: { "content-type": "text/plain", "content-length": "13" } })
      : new Response(null, { status: 404 }),
  port: 0,
  hostname: "127.0.0.1",
  silent: true,
});
await server.ready();
announce(Number(new URL(server.url ?? "").port));
