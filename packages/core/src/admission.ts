// Who may connect, and how many. It counts and decides; it knows no socket.
import { BlockList, isIPv6 } from "node:net";
import { ipv6Groups } from "./address.ts";
import { TcpError } from "./errors.ts";

/**
 * Why a connection was turned away: by a limit, or, once accepted, because its PROXY header or its TLS handshake was bad or
 * late.
 */
export type DropReason =
  | "denied"
  | "max-connections"
  | "max-per-address"
  | "rate"
  | "descriptors"
  | "proxy-header"
  | "handshake";

export interface AdmissionOptions {
  /** Connections open at once. Default: no limit but `headroom`. */
  readonly maxConnections?: number | undefined;
  /** Connections open at once from one address; an IPv6 address counts by its /64 network. Default: no limit. */
  readonly maxPerAddress?: number | undefined;
  /** Addresses and networks (`"192.0.2.0/24"`) that alone may connect. Default: all. */
  readonly allow?: readonly string[] | BlockList | undefined;
  /** Addresses and networks that may not; it goes before `allow`. Default: none. */
  readonly deny?: readonly string[] | BlockList | undefined;
  /** A token bucket: `perSecond` connections on average, `burst` at once (default: as many as `perSecond`). */
  readonly rate?: { readonly perSecond: number; readonly burst?: number | undefined } | undefined;
  /** File descriptors to keep free for files and clients of the program's own. Default: 64. */
  readonly headroom?: number | undefined;
  /**
   * Over `maxConnections`: `"refuse"` a connection, or `"hold"` it, unread, until another closes. Default: `"refuse"`.
   */
  readonly overflow?: "refuse" | "hold" | undefined;
  /** Connections held at once; more are refused. Being unread, one that has gone counts until its turn. Default: 1024. */
  readonly maxHeld?: number | undefined;
}

/** What is to be done with a connection that was accepted. */
export type Verdict = "admit" | "hold" | DropReason;

/** What admission must know of the world: time in milliseconds, and how many more descriptors there are. */
export interface AdmissionWorld {
  readonly now: () => number;
  readonly freeDescriptors: () => number;
}

/** Counts connections and decides on each new one. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #allow: BlockList | undefined;
  readonly #deny: BlockList | undefined;
  readonly #world: AdmissionWorld;
  readonly #perAddress = new Map<string, number>();
  #open = 0;
  #held = 0;
  #tokens: number;
  #refilled: number;

  /** @throws TcpError `bad-option` for a network that is none, or a count below one. */
  constructor(options: AdmissionOptions, world: AdmissionWorld) {
    this.#options = options;
    this.#allow = networks(options.allow);
    this.#deny = networks(options.deny);
    this.#world = world;
    const { maxConnections = 1, maxPerAddress = 1, rate } = options;
    if (!(maxConnections >= 1 && maxPerAddress >= 1 && (rate === undefined || rate.perSecond > 0))) {
      throw new TcpError("bad-option", "a limit on connections is one at least");
    }
    this.#tokens = burstOf(options);
    this.#refilled = world.now();
  }

  /** Decides on a new connection. An admitted or held one counts until `release`; `address` is undefined on a Unix socket. */
  admit(address: string | undefined): Verdict {
    const { maxConnections = Infinity, maxPerAddress = Infinity, headroom = 64 } = this.#options;
    if (address !== undefined && !this.#permits(address)) return "denied";
    const key = maxPerAddress === Infinity ? "" : networkOf(address);
    if ((this.#perAddress.get(key) ?? 0) >= maxPerAddress) return "max-per-address";
    if (this.#world.freeDescriptors() < headroom) return "descriptors";
    const full = this.#open >= maxConnections;
    if (full && !(this.#options.overflow === "hold" && this.#held < (this.#options.maxHeld ?? 1024))) {
      return "max-connections";
    }
    if (!this.#takeToken()) return "rate";
    if (maxPerAddress !== Infinity) this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1);
    if (full) this.#held += 1;
    else this.#open += 1;
    return full ? "hold" : "admit";
  }

  /** A held connection may go on: there is room again. False while there is none. */
  promote(): boolean {
    if (this.#held === 0 || this.#open >= (this.#options.maxConnections ?? Infinity)) return false;
    this.#held -= 1;
    this.#open += 1;
    return true;
  }

  /** An admitted or held connection is gone. */
  release(address: string | undefined, held: boolean): void {
    if (held) this.#held -= 1;
    else this.#open -= 1;
    if (this.#perAddress.size === 0) return;
    const key = networkOf(address);
    const count = this.#perAddress.get(key);
    if (count === undefined) return;
    if (count > 1) this.#perAddress.set(key, count - 1);
    else this.#perAddress.delete(key);
  }

  #permits(address: string): boolean {
    if (this.#deny === undefined && this.#allow === undefined) return true;
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (this.#deny?.check(address, family) === true) return false;
    return this.#allow?.check(address, family) ?? true;
  }

  #takeToken(): boolean {
    const { rate } = this.#options;
    if (rate === undefined) return true;
    const now = this.#world.now();
    this.#tokens = Math.min(
      burstOf(this.#options),
      this.#tokens + ((now - this.#refilled) * rate.perSecond) / 1000,
    );
    this.#refilled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

function burstOf({ rate }: AdmissionOptions): number {
  return Math.max(1, rate?.burst ?? rate?.perSecond ?? Infinity);
}

/** A list of addresses and CIDR networks as Node's `BlockList`. @throws TcpError `bad-option`. */
export function networks(list: readonly string[] | BlockList | undefined): BlockList | undefined {
  if (list === undefined || BlockList.isBlockList(list)) return list;
  const block = new BlockList();
  for (const entry of list) {
    const [address = "", prefix] = entry.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    try {
      if (prefix === undefined) block.addAddress(address, family);
      else block.addSubnet(address, Number(prefix), family);
    } catch (cause) {
      throw new TcpError("bad-option", `${JSON.stringify(entry)} is no address and no network`, { cause });
    }
  }
  return block;
}

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 one, since a host commands all of that. */
function networkOf(address: string | undefined): string {
  if (address === undefined) return "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  return ipv6Groups(address.split("%")[0] ?? "")
    .slice(0, 4)
    .join(":");
}
