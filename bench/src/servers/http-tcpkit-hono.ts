// Ours with Hono, through `fetchHandler`.
import { fetchHandler, serveHttp } from "@tcpkit/http-lite";
import { announce } from "./announce.ts";
import { app } from "./hono-app.ts";

const server = await serveHttp(fetchHandler(app.fetch));
announce(server.port);
