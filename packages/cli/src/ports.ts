// Which port a service gets, and what to say when it gets none. It knows core's errors, no protocol.
import type { TcpErrorCode } from "@tcpkit/core";
import { defaultPorts } from "./commands.ts";
import type { ServiceName } from "./commands.ts";
import { CliError } from "./errors.ts";
import type { Listening, Open } from "./services/service.ts";

/** How many ports after a busy default are tried: enough for a few copies of this program. */
const TRIES = 50;

/**
 * Opens a service on the port asked for, or on its default or the next free one after that.
 * @throws CliError with exit code 1.
 */
export async function openOn(
  service: ServiceName,
  host: string,
  asked: number | undefined,
  open: Open,
): Promise<{ listener: Listening; wanted: number | undefined }> {
  const first = asked ?? defaultPorts[service];
  const last = asked ?? first + TRIES;
  for (let port = first; port <= last; port += 1) {
    try {
      const listener = await open(port);
      return { listener, wanted: port === first ? undefined : first };
    } catch (cause) {
      const busy = codeOf(cause) === "address-in-use";
      if (!busy || asked !== undefined) throw failure(cause, host, port);
    }
  }
  throw new CliError(1, "error.no-free-port", { service });
}

function failure(cause: unknown, host: string, port: number): CliError {
  if (cause instanceof CliError) return cause;
  switch (codeOf(cause)) {
    case "address-in-use":
      return new CliError(1, "error.port-busy", { host, port }, cause);
    case "permission-denied":
      return new CliError(1, "error.port-forbidden", { port }, cause);
    case "address-unavailable":
      return new CliError(1, "error.bad-host", { host }, cause);
    default: {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return new CliError(1, "error.cannot-listen", { host, port, reason }, cause);
    }
  }
}

/** By the stable word and not by the class: core is loaded only when a server starts. */
function codeOf(error: unknown): TcpErrorCode | undefined {
  return error instanceof Error && "code" in error ? (error.code as TcpErrorCode) : undefined;
}
