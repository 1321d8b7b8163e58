export { EchoSession } from "./session.ts";
export type { EchoEvent } from "./session.ts";
export { echo, serveEcho } from "./server.ts";
