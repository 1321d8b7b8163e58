// Telling those who listen to a connection, so that one that throws ends this connection and nothing else.
import type { Endpoint } from "./endpoint.ts";
import type { ConnectionEvents } from "./events.ts";

/** Tells the protocol on top. */
export function tell(endpoint: Endpoint, what: "onEnd" | "onDrain"): void {
  try {
    endpoint.driver?.[what]();
  } catch (error) {
    endpoint.fail(error);
  }
}

/** Emits an event. */
export function emit<Name extends keyof ConnectionEvents>(
  endpoint: Endpoint,
  name: Name,
  ...args: ConnectionEvents[Name]
): void {
  if (endpoint.listenerCount(name) === 0) return;
  try {
    // The generic name keeps TypeScript from seeing that the arguments fit it.
    (endpoint.emit as (name: string, ...args: unknown[]) => boolean).call(endpoint, name, ...args);
  } catch (error) {
    endpoint.fail(error);
  }
}
