// A protocol, a handler and a port: the whole of a server.
import { drive } from "./driver.ts";
import type { DriveOptions, Handler } from "./handler.ts";
import { createListener } from "./listener.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import type { Protocol, Span } from "./protocol.ts";

export interface ServeOptions extends ListenOptions, DriveOptions {}

/**
 * Serves a protocol: each connection gets a session of its own, and each event one call of the handler.
 * @throws TcpError as `listen`.
 */
export async function serve<Event extends Span, Reply>(
  protocol: Protocol<Event, Reply>,
  handler: Handler<Event, Reply>,
  options: ServeOptions = {},
): Promise<Listener> {
  const listener = createListener({ service: protocol.name, ...options });
  listener.on("connection", (connection) => {
    drive(connection, protocol, handler, options);
  });
  return listener.listen();
}
