// Serves echo: the session, a handler of one line, and a port.
import { serve } from "@tcpkit/core";
import type { Listener, Protocol, ServeOptions } from "@tcpkit/core";
import { EchoSession } from "./session.ts";
import type { EchoEvent } from "./session.ts";

/** The echo protocol (RFC 862). */
export const echo: Protocol<EchoEvent, Uint8Array> = { name: "echo", session: () => new EchoSession() };

/**
 * Serves the echo protocol (RFC 862): what a client sends comes back, byte for byte, until it ends.
 * @throws TcpError as `listen` of `@tcpkit/core`.
 */
export function serveEcho(options: ServeOptions = {}): Promise<Listener> {
  return serve(echo, (event) => event.bytes, options);
}
