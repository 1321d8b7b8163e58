// Between the kernel's accept and a program's `connection`: whom a proxy speaks for, who is admitted, who waits, who is
// turned away with what words, and TLS's handshake. It knows sockets; it knows no protocol but these two.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Address } from "./address.ts";
import { Admission } from "./admission.ts";
import type { AdmissionOptions, DropReason } from "./admission.ts";
import type { CloseReason } from "./close-reason.ts";
import { openingReason } from "./close-reason.ts";
import { sharedTimer } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import { freeDescriptors } from "./descriptors.ts";
import type { ProxyHeader } from "./proxy/header.ts";
import { receiveProxyHeader } from "./proxy/receive.ts";
import { trusted } from "./proxy/trust.ts";
import type { ProxyProtocolOptions } from "./proxy/trust.ts";
import { asServer, detailsOf, handshake } from "./tls/handshake.ts";
import { HANDSHAKE_DEADLINE } from "./tls/options.ts";
import type { TlsDetails, TlsOptions } from "./tls/options.ts";
import { SecureServer } from "./tls/secure-server.ts";

/** A protocol's own words for a connection that is turned away (`421 …`, `HTTP/1.1 503 …`); `undefined` for none. */
export type Refusal = (reason: DropReason) => string | Uint8Array | undefined;

export interface AcceptorOptions extends AdmissionOptions {
  /** What a client is told that is not admitted. Default: nothing; the connection just closes. */
  readonly refusal?: Refusal | undefined;
  /**
   * Take a PROXY protocol header, version 1 or 2, from these peers before anything else: the connection's `remote` is then
   * whom they speak for. Default: none; there are no headers.
   */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** Speak TLS from the first byte; `connection` is emitted after the handshake. Default: plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** The timer of deadlines, for tests with a fake clock. Default: the shared one. */
  readonly timer?: DeadlineTimer | undefined;
}

/** A client at the door: its socket, paused, and who it is. */
export interface Arrival {
  readonly socket: Socket;
  /** Whom to admit: the source that a trusted proxy's header gives, or else the same as `peer`. */
  readonly remote: Address | undefined;
  /** Where the socket comes from. */
  readonly peer: Address | undefined;
  readonly proxy: ProxyHeader | undefined;
  readonly tls: TlsDetails | undefined;
}

export interface AcceptorHooks {
  /** The client may come in: makes a connection of it. */
  readonly accepted: (arrival: Arrival) => void;
  /** The client was turned away. */
  readonly dropped: (remote: Address | undefined, reason: DropReason, closeReason?: CloseReason) => void;
}

/** How long a client that is turned away has to take our words, in milliseconds. */
const REFUSAL_LINGER = 1000;
/** Clients that are being told so at once; beyond that they are cut off silently, since telling costs descriptors. */
const MOST_REFUSALS = 256;

/** Admits sockets, holds them, or turns them away. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #timer: DeadlineTimer;
  readonly #admission: Admission;
  readonly #hooks: AcceptorHooks;
  readonly #trusts: (address: string | undefined) => boolean;
  /** Clients that wait for room, unread. */
  readonly #held = new Set<Arrival>();
  #secure: { readonly server: SecureServer; readonly deadline: number } | undefined;
  /** Sockets whose PROXY header or TLS handshake is awaited, and those that are being refused. */
  readonly #passing = new Set<Socket>();
  #refusals = 0;
  #closed = false;

  /** @throws TcpError `bad-option`. */
  constructor(options: AcceptorOptions, hooks: AcceptorHooks) {
    this.#options = options;
    this.#timer = options.timer ?? sharedTimer;
    this.#admission = new Admission(options, {
      now: () => performance.now(),
      freeDescriptors: () => this.#freeDescriptors(),
    });
    const { proxyProtocol } = options;
    this.#trusts = proxyProtocol === undefined ? () => false : trusted(proxyProtocol);
    this.#hooks = hooks;
    if (options.tls !== undefined) this.reloadTls(options.tls);
  }

  /** Handshakes from now on go by these options. @throws TcpError `bad-option`. */
  reloadTls(options: TlsOptions): void {
    this.#secure = { server: new SecureServer(options), deadline: options.deadline ?? HANDSHAKE_DEADLINE };
  }

  /** Takes a socket that the kernel has accepted, paused. */
  readonly accept = (socket: Socket): void => {
    const peer = addressOfPeer(socket);
    const arrival = { socket, remote: peer, peer, proxy: undefined, tls: undefined };
    if (this.#trusts(socket.remoteAddress)) void this.#identify(arrival);
    else this.#judge(arrival);
  };

  /** Turns away everybody who waits or is on the way in or out: the listener closes. */
  close(): void {
    this.#closed = true;
    for (const { socket } of this.#held) socket.destroy();
    for (const socket of this.#passing) socket.destroy();
  }

  /** Reads whom a trusted proxy speaks for. Until then nobody can be judged, but for descriptors. */
  async #identify(arrival: Arrival): Promise<void> {
    if (this.#freeDescriptors() < (this.#options.headroom ?? 64)) {
      this.#refuse(arrival, "descriptors");
      return;
    }
    const { socket, peer } = arrival;
    this.#pass(socket);
    let proxy: ProxyHeader;
    try {
      const deadline = this.#options.proxyProtocol?.deadline ?? 5000;
      proxy = await receiveProxyHeader(socket, deadline, this.#timer);
    } catch (error) {
      this.#fail(socket, peer, "proxy-header", error);
      return;
    } finally {
      this.#passing.delete(socket);
    }
    this.#judge({ socket, remote: proxy.endpoints?.source ?? peer, peer, proxy, tls: undefined });
  }

  #judge(arrival: Arrival): void {
    const address = hostOf(arrival.remote);
    const verdict = this.#admission.admit(address);
    if (verdict === "admit") this.#admit(arrival);
    else if (verdict === "hold") this.#hold(arrival);
    else this.#refuse(arrival, verdict);
  }

  #admit(arrival: Arrival): void {
    if (this.#secure !== undefined) void this.#handshake(arrival, this.#secure);
    else this.#hooks.accepted(arrival);
  }

  async #handshake(
    arrival: Arrival,
    { server, deadline }: { readonly server: SecureServer; readonly deadline: number },
  ): Promise<void> {
    const { socket, remote } = arrival;
    this.#pass(socket);
    let secure: TLSSocket;
    try {
      secure = await handshake(socket, asServer(server), deadline, this.#timer);
    } catch (error) {
      this.#fail(socket, remote, "handshake", error);
      this.release(remote);
      return;
    } finally {
      this.#passing.delete(socket);
    }
    this.#hooks.accepted({ ...arrival, socket: secure, tls: detailsOf(secure) });
  }

  /** A connection that was admitted is closed: there is room again. */
  release(remote: Address | undefined): void {
    this.#admission.release(hostOf(remote), false);
    if (this.#held.size > 0) this.#promote();
  }

  /** Unread, a client's impatience costs nothing but its own buffers. That it has gone is seen when its turn comes. */
  #hold(arrival: Arrival): void {
    this.#held.add(arrival);
  }

  #promote(): void {
    for (const arrival of this.#held) {
      if (!this.#admission.promote()) return;
      this.#held.delete(arrival);
      // One that was read for its PROXY header may be known to be gone.
      if (arrival.socket.destroyed) this.release(arrival.remote);
      else this.#admit(arrival);
    }
  }

  #fail(socket: Socket, remote: Address | undefined, reason: DropReason, error: unknown): void {
    socket.destroy();
    if (!this.#closed) this.#hooks.dropped(remote, reason, openingReason(error));
  }

  #refuse({ socket, remote }: Arrival, reason: DropReason): void {
    this.#hooks.dropped(remote, reason);
    // Under TLS nobody would understand them.
    const mute = reason === "descriptors" || this.#secure !== undefined;
    const words = mute ? undefined : this.#options.refusal?.(reason);
    if (words === undefined || this.#refusals >= MOST_REFUSALS) {
      socket.on("error", ignore);
      socket.destroy();
      return;
    }
    this.#pass(socket);
    this.#refusals += 1;
    socket.once("close", () => {
      this.#refusals -= 1;
      this.#passing.delete(socket);
    });
    // What the client sends is read and dropped, so that no reset eats the words before it has read them.
    socket.resume();
    socket.setTimeout(REFUSAL_LINGER, () => socket.destroy());
    socket.once("end", () => socket.destroy());
    socket.end(words, "latin1");
  }

  #pass(socket: Socket): void {
    socket.on("error", ignore);
    this.#passing.add(socket);
  }

  #freeDescriptors(): number {
    return freeDescriptors(this.#options.headroom ?? 64, performance.now());
  }
}

function ignore(): void {
  // The socket's `close` follows, and that is all that matters here.
}

function hostOf(address: Address | undefined): string | undefined {
  return address?.kind === "tcp" ? address.host : undefined;
}

/** Where a socket comes from; `undefined` on a Unix socket, or when the client has gone already. */
function addressOfPeer({ remoteAddress: host, remotePort: port }: Socket): Address | undefined {
  return host === undefined || port === undefined ? undefined : { kind: "tcp", host, port };
}
