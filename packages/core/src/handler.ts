// What a program brings to a protocol: a handler, and how long its peers may take. Types alone, no code.
import type { Duplex } from "node:stream";
import type { Connection } from "./connection.ts";
import type { StartTls } from "./tls/options.ts";

/** What a handler may return: a reply, nothing, or a promise of either. While it is pending nothing else is pulled. */
// oxlint-disable-next-line no-invalid-void-type -- a handler without a `return` is as good as one returning undefined
export type Handled<Reply> = Reply | undefined | void | Promise<Reply | undefined | void>;

/** Answers the events of one connection, one at a time. Returning synchronously costs no promise. */
export type Handler<Event, Reply> = (event: Event, peer: Peer<Reply>) => Handled<Reply>;

/** The other end, as a handler sees it. */
export interface Peer<Reply> {
  readonly connection: Connection;
  /**
   * Sends a reply besides the one that is returned. `false`: the peer is slow, or gone; await `drained()`. Replies of one turn
   * leave together, at its end, or before what the handler itself does to the connection by `write()`, `end()`, `close()` or
   * `startTls()`; `destroy()` and `reset()` may lose them.
   * @throws what the session throws for a reply that its state does not allow.
   */
  send(reply: Reply): boolean;
  /** Resolves when the peer has taken what was sent. @throws TcpError `closed` when it goes instead. */
  drained(): Promise<void>;
  /**
   * Begins TLS in place, for STARTTLS. In the server's role `send` the go-ahead first. The session forgets what it has not
   * pulled (`Session.forget`); nothing is pulled or may be sent until the handshake is done, whether the handler awaits that
   * or not. When it fails, the connection is destroyed.
   * @throws TcpError as `Connection.startTls`; `bad-option` for a session without `forget`.
   */
  startTls(...how: StartTls): Promise<void>;
  /**
   * Ends this protocol, and gives the connection to another one, as a stream that begins with what was received and not yet
   * pulled (`Session.rest`). What was sent leaves first. From here on deadlines and errors are the new owner's business; a
   * listener that drains waits for it up to its deadline.
   * @throws TcpError `bad-option` for a session without `rest`.
   */
  takeOver(): Duplex;
  /** Closes in good order, once the handler at work is done and all that was sent has left. */
  close(): void;
}

/** How long the driver waits for the peer, in milliseconds; `Infinity` for ever. */
export interface Deadlines {
  /** From the connection's opening to the peer's first byte. Default: as `idle`. */
  readonly firstByte?: number | undefined;
  /** Between messages: nothing has begun. Default: 5 minutes. */
  readonly idle?: number | undefined;
  /** From the first byte of a message to its event; more bytes do not restart it, events do. Default: 30 s. */
  readonly message?: number | undefined;
  /**
   * While the listener drains: how long a session that is `resting` may still get one more message, since the peer may have
   * sent it before it heard of our goodbye. Then the connection closes in good order. The drain's own deadline should be
   * longer. Default: 0, at once.
   */
  readonly goodbye?: number | undefined;
  /** While the peer takes no byte of what we send. Default: 60 s. */
  readonly write?: number | undefined;
}

export interface DriveOptions {
  readonly deadlines?: Deadlines | undefined;
  /**
   * Events are pulled, and the connection is read, although the peer takes nothing of what we send. For a client, whose handler
   * does not answer events: a server may refuse an upload in the middle and read no more of it, or not read on before its
   * replies are taken (RFC 2920, section 3.1). A handler's promise still holds the peer back; what it sends, the handler has to
   * bound itself. Until all is taken, `idle` does not run. Default: false; a server reads no more while its replies pile up.
   */
  readonly pullWhileSlow?: boolean | undefined;
}
