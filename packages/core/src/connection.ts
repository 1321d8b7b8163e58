// One TCP connection: typed events, one close reason, no footguns. What one does with it is here, and what it hears in
// endpoint.ts. It knows sockets; it knows no protocol.
import { asBuffer } from "./bytes.ts";
import { openingReason } from "./close-reason.ts";
import type { CloseReason } from "./close-reason.ts";
import type { ConnectionOptions, Ends } from "./connection-options.ts";
import { Deadline } from "./deadline.ts";
import { Endpoint } from "./endpoint.ts";
import { TcpError } from "./errors.ts";
import { flowed, secured } from "./observe/observations.ts";
import { detailsOf } from "./tls/handshake.ts";
import { encrypt, inPlace } from "./tls/in-place.ts";
import type { StartTls, TlsDetails } from "./tls/options.ts";
import { attach } from "./transport-events.ts";
import type { Transport } from "./transport.ts";
import { WriteStall } from "./write-stall.ts";

/** How long `close()` waits for the peer's FIN before it destroys the connection, in milliseconds. */
const LINGER = 2000;

/**
 * A connection *has* a socket; it is not one. It always reads, or is explicitly paused; a reset never ends the
 * process; a listener that throws ends this connection alone; and `close` comes exactly once, with one reason.
 */
export class Connection extends Endpoint {
  #transport: Transport;
  readonly #onClosed: ((connection: Connection) => void) | undefined;
  #linger: Deadline | undefined;
  #stall: WriteStall | undefined;
  #tls: TlsDetails | undefined;
  /** A handshake is under way: nothing may be read or written beside it. */
  #securing = false;
  #ending = false;
  #sent = 0;

  constructor(transport: Transport, options: ConnectionOptions = {}, ends: Ends = {}) {
    super(options, ends);
    this.#transport = transport;
    this.#onClosed = options.onClosed;
    this.#tls = ends.tls;
    attach(transport, this);
  }

  /** How it is encrypted; `undefined` while it is not. */
  get tls(): TlsDetails | undefined {
    return this.#tls;
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
    return !this.#ending && !this.closed && !this.#transport.destroyed;
  }

  /** True while the peer can still send. */
  get readable(): boolean {
    return !this.peerEnded && !this.#transport.destroyed;
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
    if (this.#ending || this.closed || this.#securing) return this.#refuse();
    // What the protocol on top has collected goes first. Where that is what is written, nothing is collected any more.
    this.driver?.flush();
    if (this.tap !== undefined) this.#observeWrite(data, encoding);
    this.stir();
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
    if (!this.writable) return;
    // Nothing can be written during a handshake.
    if (!this.#securing) this.driver?.flush();
    this.#ending = true;
    this.tap?.observe({ kind: "end", conn: this.id, dir: "out" });
    this.#transport.end();
  }

  /**
   * Closes in good order: what was written leaves, our side ends, what still comes in is read and dropped (so that
   * no reset eats the last reply), and after at most `linger` milliseconds the connection is destroyed.
   */
  close(reason: CloseReason = { kind: "local" }, linger: number = LINGER): void {
    if (this.closed) return;
    this.settle(reason);
    this.end();
    this.discard();
    this.resume();
    this.#linger ??= new Deadline(this.timer, () => this.destroy());
    this.#linger.set(linger);
  }

  /** Closes at once; bytes not yet sent are lost. */
  destroy(reason: CloseReason = { kind: "aborted" }): void {
    this.settle(reason);
    this.#transport.destroy();
  }

  /** Closes at once by a TCP reset, so that the peer sees `ECONNRESET`. */
  reset(reason: CloseReason = { kind: "aborted" }): void {
    this.settle(reason);
    if (this.#transport.resetAndDestroy === undefined) this.#transport.destroy();
    else this.#transport.resetAndDestroy();
  }

  /**
   * Destroys the connection, with reason `timeout`, when the peer takes no byte of what is buffered for `milliseconds`, or up
   * to a quarter and 0.8 s longer; 0 turns it off. The kernel's progress counts, so a slow reader of a large write lives, under TLS too;
   * what the peer sends meanwhile does not count.
   */
  limitWriteStall(milliseconds: number): void {
    if (milliseconds === 0 || this.closed) this.#stall?.clear();
    else this.#watchStall().limit(milliseconds);
  }

  /**
   * Encrypts this connection from here on, in place, as STARTTLS does (RFC 3207, RFC 2595). Write the go-ahead before the
   * call; write nothing more until the promise resolves. Whatever plain text was read and not yet emitted is destroyed, and
   * what still comes is taken for the peer's handshake; what was emitted before, its owner must forget (`Peer.startTls` sees
   * to that). Afterwards the connection reads, whether it was paused or not. When the handshake fails, it is destroyed, with
   * reason `timeout` (deadline `handshake`), `reset` or `protocol`.
   * @throws TcpError `tls-failed`, `timeout`, `reset`; `bad-option`, `tls-active` or `closed` before anything was done.
   */
  async startTls(...how: StartTls): Promise<void> {
    if (this.#securing || this.#tls !== undefined) {
      throw new TcpError("tls-active", `connection ${this.id} is encrypted already, or about to be`);
    }
    if (!this.writable || this.peerEnded) {
      throw new TcpError("closed", `connection ${this.id} is closing: no TLS any more`, { blame: "remote" });
    }
    const begun = inPlace(how, this.remote);
    this.driver?.flush();
    const { congested } = this;
    this.#securing = true;
    try {
      const secure = await encrypt(this.#transport, begun, this.timer);
      this.#transport = secure;
      this.#tls = detailsOf(secure);
      this.tap?.observe(secured(this.id, this.#tls));
      attach(secure, this);
    } catch (error) {
      this.destroy(openingReason(error));
      if (error instanceof TcpError) this.report(error);
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
    this.tap?.observe({ kind: "pause", conn: this.id });
  }

  /** Reads again. */
  resume(): void {
    if (this.#securing || !this.#transport.isPaused()) return;
    this.#transport.resume();
    this.tap?.observe({ kind: "resume", conn: this.id });
  }

  /** @internal */
  protected override release(): void {
    this.#linger?.[Symbol.dispose]();
    this.#stall?.[Symbol.dispose]();
    this.#onClosed?.(this);
  }

  #watchStall(): WriteStall {
    const transport = this.#transport;
    return (this.#stall ??= new WriteStall(this.timer, this, transport.below ?? transport));
  }

  #refuse(): boolean {
    // The peer's going is nobody's mistake here; writing after one's own end() is.
    if (this.closed || this.peerEnded || this.#transport.destroyed) return false;
    if (this.#securing)
      throw new TcpError("tls-active", `write() during startTls() on connection ${this.id}`);
    throw new TcpError("write-after-end", `write() after end() on connection ${this.id}`);
  }

  #observeWrite(data: string | Uint8Array, encoding: BufferEncoding): void {
    const bytes = typeof data === "string" ? Buffer.from(data, encoding) : asBuffer(data);
    this.tap?.observe(flowed(this.id, "out", this.#sent, bytes));
  }
}
