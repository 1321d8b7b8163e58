// Addresses of TCP ports and Unix sockets, and how they are written for people.
import type { AddressInfo } from "node:net";

/** Where a listener listens or a connection ends: a TCP port or a Unix domain socket. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** `127.0.0.1:80`, `[::1]:80` or the path of the Unix socket. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** What Node's `server.address()` gives, as an `Address`. */
export function addressOf(info: AddressInfo | string): Address {
  return typeof info === "string"
    ? { kind: "unix", path: info }
    : { kind: "tcp", host: info.address, port: info.port };
}

/** The eight groups of an IPv6 address, as they are written; `::` stands for as many zeros as are missing. */
export function ipv6Groups(host: string): string[] {
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [head = "", tail = ""] = host.split("::");
  const before = groups(head);
  const after = groups(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after];
}
