// Between the kernel's accept and a program's `connection`: who is admitted, who waits, who is turned away, and with
// what words. It knows sockets; it knows no protocol.
import type { Socket } from "node:net";
import { Admission } from "./admission.ts";
import type { AdmissionOptions, DropReason } from "./admission.ts";
import type { Connection } from "./connection.ts";
import { freeDescriptors } from "./descriptors.ts";

/** A protocol's own words for a connection that is turned away (`421 …`, `HTTP/1.1 503 …`); `undefined` for none. */
export type Refusal = (reason: DropReason) => string | Uint8Array | undefined;

export interface AcceptorHooks {
  /** The socket, still paused, may be used: makes a connection of it. */
  readonly accepted: (socket: Socket) => Connection;
  /** The socket was turned away. */
  readonly dropped: (socket: Socket, reason: DropReason) => void;
}

/** How long a client that is turned away has to take our words, in milliseconds. */
const REFUSAL_LINGER = 1000;
/** Clients that are being told so at once; beyond that they are cut off silently, since telling costs descriptors. */
const MOST_REFUSALS = 256;

/** Admits sockets, holds them, or turns them away. */
export class Acceptor {
  readonly #admission: Admission;
  readonly #refusal: Refusal | undefined;
  readonly #hooks: AcceptorHooks;
  /** Sockets that wait for room, unread, and their addresses. */
  readonly #held = new Map<Socket, string | undefined>();
  readonly #refused = new Set<Socket>();

  /** @throws TcpError `bad-option`. */
  constructor(options: AdmissionOptions, refusal: Refusal | undefined, hooks: AcceptorHooks) {
    const now = (): number => performance.now();
    const { headroom = 64 } = options;
    this.#admission = new Admission(options, {
      now,
      freeDescriptors: () => freeDescriptors(headroom, now()),
    });
    this.#refusal = refusal;
    this.#hooks = hooks;
  }

  /** Takes a socket that the kernel has accepted, paused. */
  readonly accept = (socket: Socket): void => {
    const { remoteAddress } = socket;
    const verdict = this.#admission.admit(remoteAddress);
    if (verdict !== "admit" && verdict !== "hold") {
      this.#refuse(socket, verdict);
      return;
    }
    if (verdict === "admit") this.#admit(socket, remoteAddress);
    else this.#hold(socket, remoteAddress);
  };

  /** Turns away everybody who waits or is being told: the listener closes. */
  close(): void {
    for (const socket of this.#held.keys()) socket.destroy();
    for (const socket of this.#refused) socket.destroy();
  }

  #admit(socket: Socket, address: string | undefined): void {
    const connection = this.#hooks.accepted(socket);
    connection.once("close", () => {
      this.#admission.release(address, false);
      this.#promote();
    });
  }

  /** Unread, a client's impatience costs nothing but its own buffers. That it has gone is seen when its turn comes. */
  #hold(socket: Socket, address: string | undefined): void {
    this.#held.set(socket, address);
  }

  #promote(): void {
    for (const [socket, address] of this.#held) {
      if (!this.#admission.promote()) return;
      this.#held.delete(socket);
      this.#admit(socket, address);
    }
  }

  #refuse(socket: Socket, reason: DropReason): void {
    this.#hooks.dropped(socket, reason);
    const words = reason === "descriptors" ? undefined : this.#refusal?.(reason);
    socket.on("error", ignore);
    if (words === undefined || this.#refused.size >= MOST_REFUSALS) {
      socket.destroy();
      return;
    }
    this.#refused.add(socket);
    socket.once("close", () => this.#refused.delete(socket));
    // What the client sends is read and dropped, so that no reset eats the words before it has read them.
    socket.resume();
    socket.setTimeout(REFUSAL_LINGER, () => socket.destroy());
    socket.once("end", () => socket.destroy());
    socket.end(words, "latin1");
  }
}

function ignore(): void {
  // The socket's `close` follows, and that is all that matters here.
}
