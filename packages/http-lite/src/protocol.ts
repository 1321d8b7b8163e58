// HTTP/1.1 as `serve` and `drive` take it: a name, a session for each connection, and how its messages read.
import type { Protocol } from "@tcpkit/core";
import { describeEvent, describeReply } from "./describe.ts";
import { HttpSession } from "./session.ts";
import type { HttpSessionOptions } from "./session.ts";
import type { HttpEvent, HttpReply } from "./messages.ts";

/** The protocol with options of its own; `role` decides which end its sessions are. */
export function httpProtocol(options: HttpSessionOptions = {}): Protocol<HttpEvent, HttpReply> {
  return {
    name: "http",
    session: () => new HttpSession(options),
    describeEvent,
    describeReply,
  };
}
