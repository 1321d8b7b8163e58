// The name of a client's address, by reverse DNS. It knows addresses and names; it knows no connections.
import { lookup, reverse } from "node:dns/promises";
import { isDomain } from "./domain.ts";

/** Finds the host name of an IP address; `undefined` where it has none. */
export type ReverseLookup = (address: string) => Promise<string | undefined>;

/** How long a greeting waits for a name, in milliseconds: DNS servers that do not answer are tried for longer. */
export const LOOKUP_TIME = 5000;

/** RFC 8601 section 2.7.3: one address may have any number of names, and each costs a lookup. */
const MOST_NAMES = 10;

/**
 * The name that DNS has for an address and that leads back to it: a name alone is only what the owner of the address claims
 * (`iprev`, RFC 8601 section 2.7.3).
 * @throws Error of Node's `dns` where there is none.
 */
export async function confirmedName(address: string): Promise<string | undefined> {
  const names = await reverse(address);
  for (const name of names.slice(0, MOST_NAMES)) {
    const found = isDomain(name) ? await lookup(name, { all: true }).catch(() => []) : [];
    if (found.some((candidate) => candidate.address === address)) return name;
  }
  return undefined;
}

/** The name, checked, or `undefined` where the lookup fails. */
export async function nameOf(remoteAddress: string, find: ReverseLookup): Promise<string | undefined> {
  // An IPv4 client of a socket for IPv6 has its address mapped; a zone means something on one host only.
  const address = remoteAddress.replace(/^::ffff:(?=[0-9.]+$)/i, "").replace(/%.*$/, "");
  try {
    const name = await find(address);
    return name !== undefined && isDomain(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
