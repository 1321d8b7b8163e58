// h3 on Node, with the same answer.
import { H3, serve } from "h3";
import { announce } from "./announce.ts";

const app = new H3().get("/hello", (event) => {
  event.res.headers.set("content-type", "text/plain");
  return "Hello, World!";
});
const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
announce(Number(new URL(server.url ?? "").port));
