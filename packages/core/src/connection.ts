// One TCP connection: typed events, one close reason, no footguns. It knows sockets; it knows no protocol.
import { EventEmitter } from "node:events";
import type { Address } from "./address.ts";
import { asBuffer } from "./bytes.ts";
import type { CloseReason } from "./close-reason.ts";
import { causeOf, openingReason, reasonOf } from "./close-reason.ts";
import type { ConnectionOptions, Ends } from "./connection-options.ts";
import { Deadline, sharedTimer } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import type { Driven } from "./driven.ts";
import { TcpError } from "./errors.ts";
import type { ConnectionEvents } from "./events.ts";
import { connectionTap } from "./observe/diagnostics.ts";
import type { Tap } from "./observe/record.ts";
import { secured } from "./observe/secure.ts";
import type { ProxyHeader } from "./proxy/header.ts";
import { asClient, asServer, detailsOf, handshake } from "./tls/handshake.ts";
import { HANDSHAKE_DEADLINE } from "./tls/options.ts";
import type { StartTls, TlsDetails } from "./tls/options.ts";
import { secureServer } from "./tls/secure-server.ts";
import { attach, detach, detachFlow, limitStall } from "./transport-events.ts";
import type { Transport } from "./transport.ts";

/** How long `close()` waits for the peer's FIN before it destroys the connection, in milliseconds. */
const LINGER = 2000;

let connections = 0;

/**
 * A connection *has* a socket; it is not one. It always reads, or is explicitly paused; a reset never ends the
 * process; a listener that throws ends this connection alone; and `close` comes exactly once, with one reason.
 */
export class Connection extends EventEmitter<ConnectionEvents> {
  /** Counts the connections of this process, from 1: the `conn` of the event log. */
  readonly id: number;
  readonly local: Address | undefined;
  /** Who is at the other end; behind a proxy that is trusted, who is at the other end of that (see `peer`). */
  readonly remote: Address | undefined;
  /** Where the TCP connection itself comes from: the proxy's address where there is one, else the same as `remote`. */
  readonly peer: Address | undefined;
  /** The PROXY protocol header that a trusted proxy sent first, with its TLVs. */
  readonly proxy: ProxyHeader | undefined;
  /** Keep our side open when the peer ends its own. */
  allowHalfOpen: boolean;
  /** @internal The protocol on top, which hears of everything before the listeners do; set by the driver. */
  driver: Driven | undefined;
  /** @internal Where it is among its listener's. */
  slot = -1;
  #transport: Transport;
  readonly #tap: Tap | undefined;
  readonly #onClosed: ((connection: Connection) => void) | undefined;
  readonly #timer: DeadlineTimer;
  readonly #service: string;
  #idle: Deadline | undefined;
  #idleTimeout = 0;
  #linger: Deadline | undefined;
  #reason: CloseReason | undefined;
  #tls: TlsDetails | undefined;
  /** A handshake is under way: nothing may be read or written beside it. */
  #securing = false;
  #closed = false;
  /** What still comes in is read and dropped. */
  #discarding = false;
  #ending = false;
  #peerEnded = false;
  /** The peer ended before we did. */
  #peerEndedFirst = false;
  #received = 0;
  #sent = 0;

  constructor(transport: Transport, options: ConnectionOptions = {}, ends: Ends = {}) {
    super({ captureRejections: true });
    connections += 1;
    this.id = connections;
    this.local = options.local;
    this.remote = ends.remote;
    this.peer = ends.proxy === undefined ? ends.remote : ends.peer;
    this.proxy = ends.proxy;
    this.allowHalfOpen = options.allowHalfOpen ?? false;
    this.#transport = transport;
    this.#tap = connectionTap(options.tap);
    this.#onClosed = options.onClosed;
    this.#timer = options.timer ?? sharedTimer;
    this.#service = options.service ?? "tcp";
    if (options.idleTimeout !== undefined) this.setTimeout(options.idleTimeout);
    this.#tls = ends.tls;
    attach(transport, this);
  }

  /** The tap that watches this connection, if one does. */
  get tap(): Tap | undefined {
    return this.#tap;
  }

  /** The timer of this connection's deadlines. */
  get timer(): DeadlineTimer {
    return this.#timer;
  }

  /** How it is encrypted; `undefined` while it is not. */
  get tls(): TlsDetails | undefined {
    return this.#tls;
  }

  /** Bytes received so far: the absolute offset after the last chunk. */
  get bytesReceived(): number {
    return this.#received;
  }

  /** Bytes given to `write` so far: the absolute offset of the next. */
  get bytesSent(): number {
    return this.#sent;
  }

  /** Bytes written that the kernel has not taken yet. */
  get bytesBuffered(): number {
    return this.#transport.writableLength;
  }

  /** True while `write` can still send. */
  get writable(): boolean {
    return !this.#ending && !this.#closed;
  }

  /** True while the peer can still send. */
  get readable(): boolean {
    return !this.#peerEnded && !this.#transport.destroyed;
  }

  /** True once fully closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Why it closed, or is being closed; `undefined` while that may still change. */
  get closeReason(): CloseReason | undefined {
    return this.#reason;
  }

  /** True while the peer is slow: stop writing until `drain`. */
  get congested(): boolean {
    return this.#transport.writableNeedDrain;
  }

  /**
   * Sends bytes, or text in UTF-8 unless another encoding is named. Returns `false` when the write buffer is over
   * its high-water mark (wait for `drain`), or when the connection is gone and nothing was sent (see `writable`).
   * @throws TcpError `write-after-end` when this side called `end()` before; `tls-active` during `startTls()`.
   */
  write(data: string | Uint8Array, encoding: BufferEncoding = "utf8"): boolean {
    if (this.#ending || this.#closed || this.#securing) return this.#refuse();
    if (this.#tap !== undefined) this.#observeWrite(data, encoding);
    if (this.#idleTimeout > 0) this.#idle?.set(this.#idleTimeout);
    this.#sent +=
      typeof data === "string" && encoding !== "latin1" ? Buffer.byteLength(data, encoding) : data.length;
    return typeof data === "string" ? this.#transport.write(data, encoding) : this.#transport.write(data);
  }

  /** Sends several pieces by one system call; strings are latin1, one byte a character. Otherwise as `write`. */
  writeAll(pieces: readonly (string | Uint8Array)[]): boolean {
    this.#transport.cork();
    let writable = true;
    for (const piece of pieces) writable = this.write(piece, "latin1");
    this.#transport.uncork();
    return writable;
  }

  /** Ends our side once everything written has left; the peer may still send. */
  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#tap?.observe({ kind: "end", conn: this.id, dir: "out" });
    this.#transport.end();
  }

  /**
   * Closes in good order: what was written leaves, our side ends, what still comes in is read and dropped (so that
   * no reset eats the last reply), and after at most `linger` milliseconds the connection is destroyed.
   */
  close(reason: CloseReason = { kind: "local" }, linger: number = LINGER): void {
    if (this.#closed) return;
    this.#reason ??= reason;
    this.end();
    this.#discarding = true;
    this.resume();
    this.#linger ??= new Deadline(this.#timer, () => this.destroy());
    this.#linger.set(linger);
  }

  /** Closes at once; bytes not yet sent are lost. */
  destroy(reason: CloseReason = { kind: "aborted" }): void {
    this.#reason ??= reason;
    this.#transport.destroy();
  }

  /** Closes at once by a TCP reset, so that the peer sees `ECONNRESET`. */
  reset(reason: CloseReason = { kind: "aborted" }): void {
    this.#reason ??= reason;
    if (this.#transport.resetAndDestroy === undefined) this.#transport.destroy();
    else this.#transport.resetAndDestroy();
  }

  /**
   * Destroys the connection, with reason `timeout`, when the peer takes no byte of what is buffered for
   * `milliseconds`; 0 turns it off. The kernel's progress counts, so a slow reader of a large write lives.
   */
  limitWriteStall(milliseconds: number): void {
    limitStall(this.#transport, milliseconds);
  }

  /**
   * Encrypts this connection from here on, in place, as STARTTLS does (RFC 3207, RFC 2595). Write the go-ahead before the
   * call; write nothing more until the promise resolves. Whatever plain text was read and not yet emitted is destroyed, and
   * what still comes is taken for the peer's handshake; what was emitted before, its owner must forget (`Peer.startTls` sees
   * to that). Afterwards the connection reads, whether it was paused or not. When the handshake fails, it is destroyed, with
   * reason `timeout` (deadline `handshake`), `reset` or `protocol`.
   * @throws TcpError `tls-failed`, `timeout`, `reset`; `bad-option`, `tls-active` or `closed` before anything was done.
   */
  async startTls(...[role, options]: StartTls): Promise<void> {
    if (this.#securing || this.#tls !== undefined) {
      throw new TcpError("tls-active", `connection ${this.id} is encrypted already, or about to be`);
    }
    if (!this.writable || this.#peerEnded) {
      throw new TcpError("closed", `connection ${this.id} is closing: no TLS any more`, { blame: "remote" });
    }
    const host = this.remote?.kind === "tcp" ? this.remote.host : undefined;
    const begin = role === "server" ? asServer(secureServer(options)) : asClient(options ?? {}, host);
    const plain = this.#transport;
    const { congested } = this;
    this.#securing = true;
    detachFlow(plain);
    discardInput(plain);
    try {
      const deadline = options?.deadline ?? HANDSHAKE_DEADLINE;
      const secure = await handshake(plain, begin, deadline, this.#timer);
      detach(plain);
      plain.on("error", ignore);
      this.#transport = secure;
      this.#tls = detailsOf(secure);
      this.#tap?.observe(secured(this.id, this.#tls));
      attach(secure, this);
    } catch (error) {
      this.destroy(openingReason(error));
      if (error instanceof TcpError) this.#report(error);
      throw error;
    } finally {
      this.#securing = false;
    }
    if (congested) this.onDrained();
  }

  /** Stops reading: the peer is held back by TCP's own flow control. */
  pause(): void {
    if (this.#securing || this.#transport.isPaused()) return;
    this.#transport.pause();
    this.#tap?.observe({ kind: "pause", conn: this.id });
  }

  /** Reads again. */
  resume(): void {
    if (this.#securing || !this.#transport.isPaused()) return;
    this.#transport.resume();
    this.#tap?.observe({ kind: "resume", conn: this.id });
  }

  /** Emits `timeout` after `milliseconds` without a read or a write; 0 turns it off. */
  setTimeout(milliseconds: number): void {
    this.#idleTimeout = milliseconds;
    if (milliseconds > 0) {
      this.#idle ??= new Deadline(this.#timer, () => this.#onTimeout());
      this.#idle.set(milliseconds);
    } else {
      this.#idle?.clear();
    }
  }

  /** Ends this connection, and nothing else, because code of ours failed. */
  fail(cause: unknown): void {
    const error = new TcpError(
      "handler-failed",
      `a handler of connection ${this.id} failed: ${String(cause)}`,
      {
        cause,
      },
    );
    this.destroy({ kind: "local", cause: error });
    this.#report(error);
    // A bug that nobody hears of is worse than a line on standard error.
    if (this.listenerCount("error") === 0) process.emitWarning(error);
  }

  /** @internal A promise that a listener returned was rejected. */
  [Symbol.for("nodejs.rejection")](error: unknown): void {
    this.fail(error);
  }

  /** @internal The client's connection is established. */
  connected(): void {
    this.#tap?.observe({
      kind: "connect",
      conn: this.id,
      service: this.#service,
      local: this.local,
      remote: this.remote,
    });
    this.#emit("connect");
  }

  /** @internal */
  onRead(chunk: Buffer): void {
    if (this.#tap !== undefined) {
      const span = { start: this.#received, end: this.#received + chunk.length };
      this.#tap.observe({ kind: "data", conn: this.id, dir: "in", span, bytes: chunk });
    }
    this.#received += chunk.length;
    if (this.#discarding) return;
    if (this.#idleTimeout > 0) this.#idle?.set(this.#idleTimeout);
    try {
      this.driver?.onData(chunk);
      this.emit("data", chunk);
    } catch (error) {
      this.fail(error);
    }
  }

  /** @internal */
  onPeerEnd(): void {
    this.#peerEnded = true;
    this.#peerEndedFirst = !this.#ending;
    this.#tap?.observe({ kind: "end", conn: this.id, dir: "in" });
    this.#tell("onEnd");
    this.#emit("end");
    if (!this.allowHalfOpen) this.end();
  }

  /** @internal */
  onDrained(): void {
    this.#tap?.observe({ kind: "drain", conn: this.id });
    this.#tell("onDrain");
    this.#emit("drain");
  }

  /** @internal */
  onFailed(cause: Error): void {
    this.#reason ??= reasonOf(cause);
    // Resets are everyday: where nobody listens, no error with its stack is made.
    if (this.#tap === undefined && this.listenerCount("error") === 0) return;
    const code = this.#reason.kind === "reset" ? "reset" : "transport-failed";
    this.#report(
      new TcpError(code, `connection ${this.id} failed: ${cause.message}`, { blame: "remote", cause }),
    );
  }

  /** @internal */
  onGone(): void {
    this.#closed = true;
    this.#idle?.[Symbol.dispose]();
    this.#linger?.[Symbol.dispose]();
    // Without an earlier reason it closed in good order, and whoever ended first closed it.
    const orderly = this.#peerEndedFirst ? "ended" : "local";
    const reason = (this.#reason ??= { kind: this.#peerEnded ? orderly : "aborted" });
    const cause = causeOf(reason)?.message;
    this.#tap?.observe({
      kind: "close",
      conn: this.id,
      reason: reason.kind,
      ...(cause === undefined ? {} : { cause }),
    });
    this.#onClosed?.(this);
    this.driver?.onClose(reason);
    this.#emit("close", reason);
  }

  /** @internal */
  onStalled(): void {
    const cause = new TcpError("timeout", `the peer of connection ${this.id} takes no more bytes`, {
      blame: "remote",
    });
    this.destroy({ kind: "timeout", deadline: "write", cause });
    this.#report(cause);
  }

  #onTimeout(): void {
    this.#tap?.observe({ kind: "timeout", conn: this.id });
    this.#emit("timeout");
  }

  #report(error: TcpError): void {
    this.#tap?.observe({ kind: "error", conn: this.id, code: error.code, message: error.message });
    if (this.listenerCount("error") > 0) this.#emit("error", error);
  }

  #tell(what: "onEnd" | "onDrain"): void {
    try {
      this.driver?.[what]();
    } catch (error) {
      this.fail(error);
    }
  }

  #emit<Name extends keyof ConnectionEvents>(name: Name, ...args: ConnectionEvents[Name]): void {
    try {
      // The generic name keeps TypeScript from seeing that the arguments fit it.
      (this.emit as (name: string, ...args: unknown[]) => boolean).call(this, name, ...args);
    } catch (error) {
      this.fail(error);
    }
  }

  #refuse(): boolean {
    // The peer's going is nobody's mistake here; writing after one's own end() is.
    if (this.#closed || this.#peerEnded || this.#transport.destroyed) return false;
    if (this.#securing)
      throw new TcpError("tls-active", `write() during startTls() on connection ${this.id}`);
    throw new TcpError("write-after-end", `write() after end() on connection ${this.id}`);
  }

  #observeWrite(data: string | Uint8Array, encoding: BufferEncoding): void {
    const bytes = typeof data === "string" ? Buffer.from(data, encoding) : asBuffer(data);
    const span = { start: this.#sent, end: this.#sent + bytes.length };
    this.#tap?.observe({ kind: "data", conn: this.id, dir: "out", span, bytes });
  }
}

/** Drops what was read and not emitted, and stops reading. */
function discardInput(transport: Transport): void {
  while (transport.readableLength > 0) transport.read();
  transport.pause();
}

function ignore(): void {
  // The TLS socket above it says the same.
}
