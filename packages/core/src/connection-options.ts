// How a connection is made: what a program may choose, and what a listener or a client tells it. Types alone, no code.
import type { Address } from "./address.ts";
import type { Connection } from "./connection.ts";
import type { DeadlineTimer } from "./deadline.ts";
import type { Tap } from "./observe/record.ts";
import type { ProxyHeader } from "./proxy/header.ts";
import type { TlsDetails } from "./tls/options.ts";

export interface ConnectionOptions {
  /** Emit `timeout` after this long without a read or a write, in milliseconds. Default: never. */
  readonly idleTimeout?: number | undefined;
  /** Keep our side open when the peer ends its own; then end it yourself. Default: false. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Sees every event and byte. Default: none. */
  readonly tap?: Tap | undefined;
  /** A name for the event log. Default: `"tcp"`. */
  readonly service?: string | undefined;
  /** The timer for deadlines, for tests with a fake clock. Default: the shared one. */
  readonly timer?: DeadlineTimer | undefined;
  /** @internal */
  readonly local?: Address | undefined;
  /** @internal Called once it is closed, right before `close` is emitted. */
  readonly onClosed?: ((connection: Connection) => void) | undefined;
}

/** Who is at the ends of one connection, and what was said before it began: a listener or a client knows. */
export interface Ends {
  readonly remote?: Address | undefined;
  readonly peer?: Address | undefined;
  readonly proxy?: ProxyHeader | undefined;
  readonly tls?: TlsDetails | undefined;
}
