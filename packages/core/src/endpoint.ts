// Our end of a TCP connection, as far as it hears: who is at the other end, what has come, and why it closed. It tells the
// protocol on top and the listeners. It knows no socket; what is done with one is connection.ts.
import { EventEmitter } from "node:events";
import type { Address } from "./address.ts";
import { reasonOf } from "./close-reason.ts";
import type { CloseReason } from "./close-reason.ts";
import type { ConnectionOptions, Ends } from "./connection-options.ts";
import { Deadline, sharedTimer } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import type { Driven } from "./driven.ts";
import { TcpError } from "./errors.ts";
import type { ConnectionEvents } from "./events.ts";
import { emit, tell } from "./isolation.ts";
import { connectionTap } from "./observe/diagnostics.ts";
import { closedBecause, flowed } from "./observe/observations.ts";
import type { Tap } from "./observe/record.ts";
import type { ProxyHeader } from "./proxy/header.ts";
import { keep } from "./read-buffers.ts";

/** For the EventEmitter: a listener whose promise is rejected has failed. */
const CAPTURE = { captureRejections: true };

let connections = 0;

/** The half of a connection that hears. Its other half, `Connection`, is what everybody uses. */
export abstract class Endpoint extends EventEmitter<ConnectionEvents> {
  /** Counts the connections of this process, from 1: the `conn` of the event log. */
  readonly id: number;
  readonly local: Address | undefined;
  /** Who is at the other end; behind a proxy that is trusted, who is at the other end of that (see `peer`). */
  readonly remote: Address | undefined;
  /** Where the TCP connection itself comes from: the proxy's address where there is one, else the same as `remote`. */
  readonly peer: Address | undefined;
  /** The PROXY protocol header that a trusted proxy sent first, with its TLVs. */
  readonly proxy: ProxyHeader | undefined;
  /** The tap that watches this connection, if one does. */
  readonly tap: Tap | undefined;
  /** The timer of this connection's deadlines. */
  readonly timer: DeadlineTimer;
  /** Keep our side open when the peer ends its own. */
  allowHalfOpen: boolean;
  /** @internal The protocol on top, which hears of everything before the listeners do; set by the driver. */
  driver: Driven | undefined;
  /** @internal Where it is among its listener's. */
  slot = -1;
  readonly #service: string;
  #idle: Deadline | undefined;
  #idleTimeout = 0;
  #reason: CloseReason | undefined;
  #closed = false;
  #discarding = false;
  #peerEnded = false;
  /** The peer ended before we did. */
  #peerEndedFirst = false;
  #received = 0;

  constructor(options: ConnectionOptions, ends: Ends) {
    super(CAPTURE);
    connections += 1;
    this.id = connections;
    this.local = options.local;
    this.remote = ends.remote;
    this.peer = ends.proxy === undefined ? ends.remote : ends.peer;
    this.proxy = ends.proxy;
    this.tap = connectionTap(options.tap);
    this.timer = options.timer ?? sharedTimer;
    this.allowHalfOpen = options.allowHalfOpen ?? false;
    this.#service = options.service ?? "tcp";
    if (options.idleTimeout !== undefined) this.setTimeout(options.idleTimeout);
  }

  /** Bytes received so far: the absolute offset after the last chunk. */
  get bytesReceived(): number {
    return this.#received;
  }

  /** True once fully closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Why it closed, or is being closed; `undefined` while that may still change. */
  get closeReason(): CloseReason | undefined {
    return this.#reason;
  }

  abstract get writable(): boolean;
  abstract end(): void;
  abstract destroy(reason?: CloseReason): void;
  /** @internal It is gone: the other half lets go of what it holds, before anybody hears of it. */
  protected abstract release(): void;

  /** Emits `timeout` after `milliseconds` without a read or a write; 0 turns it off. */
  setTimeout(milliseconds: number): void {
    this.#idleTimeout = milliseconds;
    if (milliseconds > 0) {
      this.#idle ??= new Deadline(this.timer, () => {
        this.tap?.observe({ kind: "timeout", conn: this.id });
        emit(this, "timeout");
      });
      this.#idle.set(milliseconds);
    } else {
      this.#idle?.clear();
    }
  }

  /** Ends this connection, and nothing else, because code of ours failed. */
  fail(cause: unknown): void {
    const message = `a handler of connection ${this.id} failed: ${String(cause)}`;
    const error = new TcpError("handler-failed", message, { cause });
    this.destroy({ kind: "local", cause: error });
    this.report(error);
    // A bug that nobody hears of is worse than a line on standard error.
    if (this.listenerCount("error") === 0) process.emitWarning(error);
  }

  /** @internal A promise that a listener returned was rejected. */
  [Symbol.for("nodejs.rejection")](error: unknown): void {
    this.fail(error);
  }

  /** @internal The client's connection is established. */
  connected(): void {
    const { id: conn, local, remote } = this;
    this.tap?.observe({ kind: "connect", conn, service: this.#service, local, remote });
    emit(this, "connect");
  }

  /** @internal */
  onRead(chunk: Buffer): void {
    if (this.tap !== undefined) {
      keep(chunk);
      this.tap.observe(flowed(this.id, "in", this.#received, chunk));
    }
    this.#received += chunk.length;
    if (this.#discarding) return;
    this.stir();
    // Before the protocol on top may give it back.
    const heard = this.listenerCount("data") > 0;
    if (heard) keep(chunk);
    try {
      this.driver?.onData(chunk);
      if (heard) this.emit("data", chunk);
    } catch (error) {
      this.fail(error);
    }
  }

  /** @internal */
  onPeerEnd(): void {
    this.#peerEnded = true;
    this.#peerEndedFirst = this.writable;
    this.tap?.observe({ kind: "end", conn: this.id, dir: "in" });
    tell(this, "onEnd");
    emit(this, "end");
    if (!this.allowHalfOpen) this.end();
  }

  /** @internal */
  onDrained(): void {
    this.tap?.observe({ kind: "drain", conn: this.id });
    tell(this, "onDrain");
    emit(this, "drain");
  }

  /** @internal */
  onStalled(): void {
    const message = `the peer of connection ${this.id} takes no more bytes`;
    const cause = new TcpError("timeout", message, { blame: "remote" });
    this.destroy({ kind: "timeout", deadline: "write", cause });
    this.report(cause);
  }

  /** @internal */
  onFailed(cause: Error): void {
    const { kind } = this.settle(reasonOf(cause));
    // Resets are everyday: where nobody listens, no error with its stack is made.
    if (this.tap === undefined && this.listenerCount("error") === 0) return;
    const code = kind === "reset" ? "reset" : "transport-failed";
    const message = `connection ${this.id} failed: ${cause.message}`;
    this.report(new TcpError(code, message, { blame: "remote", cause }));
  }

  /** @internal */
  onGone(): void {
    this.#closed = true;
    this.#idle?.[Symbol.dispose]();
    // Without an earlier reason it closed in good order, and whoever ended first closed it.
    const orderly = this.#peerEndedFirst ? "ended" : "local";
    const reason = this.settle({ kind: this.#peerEnded ? orderly : "aborted" });
    this.tap?.observe(closedBecause(this.id, reason));
    this.release();
    this.driver?.onClose(reason);
    emit(this, "close", reason);
  }

  /** @internal The peer has sent all it will. */
  protected get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** @internal What still comes is counted and dropped. */
  protected discard(): void {
    this.#discarding = true;
  }

  /** @internal It closes for this reason, unless there is an earlier one. Returns the one that counts. */
  protected settle(reason: CloseReason): CloseReason {
    return (this.#reason ??= reason);
  }

  /** @internal Something was read or written: puts `timeout` off. */
  protected stir(): void {
    if (this.#idleTimeout > 0) this.#idle?.set(this.#idleTimeout);
  }

  /** @internal Tells of an error those who want to know. */
  protected report(error: TcpError): void {
    this.tap?.observe({ kind: "error", conn: this.id, code: error.code, message: error.message });
    if (this.listenerCount("error") > 0) emit(this, "error", error);
  }
}
