// TLS in place, as STARTTLS begins it: a stream that somebody listens to gives way to an encrypted one over it. It knows
// streams; whose they are it does not know.
import type { TLSSocket } from "node:tls";
import type { Address } from "../address.ts";
import type { DeadlineTimer } from "../deadline.ts";
import { detach, detachFlow } from "../transport-events.ts";
import type { Transport } from "../transport.ts";
import { asClient, asServer, handshake } from "./handshake.ts";
import type { Begin } from "./handshake.ts";
import { HANDSHAKE_DEADLINE } from "./options.ts";
import type { StartTls } from "./options.ts";
import { secureServer } from "./secure-server.ts";

/** A handshake that may begin. */
export interface InPlace {
  readonly begin: Begin;
  /** How long it may take, in milliseconds. */
  readonly deadline: number;
}

/** What the options ask for, with `remote` at the other end. @throws TcpError `bad-option`. */
export function inPlace([role, options]: StartTls, remote: Address | undefined): InPlace {
  const host = remote?.kind === "tcp" ? remote.host : undefined;
  const begin = role === "server" ? asServer(secureServer(options)) : asClient(options ?? {}, host);
  return { begin, deadline: options?.deadline ?? HANDSHAKE_DEADLINE };
}

/**
 * Does the handshake. What was read and not yet emitted is dropped. Whoever listens to the stream hears nothing of it but
 * its end from here on, and nothing at all once the handshake is done.
 * @throws TcpError as `handshake`.
 */
export async function encrypt(
  plain: Transport,
  { begin, deadline }: InPlace,
  timer: DeadlineTimer,
): Promise<TLSSocket> {
  detachFlow(plain);
  while (plain.readableLength > 0) plain.read();
  plain.pause();
  const secure = await handshake(plain, begin, deadline, timer);
  detach(plain);
  plain.on("error", ignore);
  return secure;
}

function ignore(): void {
  // The TLS socket above it says the same.
}
