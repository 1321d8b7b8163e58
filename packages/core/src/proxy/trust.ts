// Whose PROXY header is believed. Anybody can write one, so that a header from a stranger is the protocol's own bytes.
import { BlockList, isIPv6 } from "node:net";
import { networks } from "../admission.ts";

export interface ProxyProtocolOptions {
  /**
   * The proxies: addresses, networks (`"192.0.2.0/24"`), and `"unix"` for whoever comes through a Unix socket. From them a
   * header is required; what others send is taken as it is.
   */
  readonly from: readonly string[] | BlockList;
  /** How long the whole header may take, in milliseconds. Default: 5000. */
  readonly deadline?: number | undefined;
}

/** @internal A test for addresses; `undefined` is that of a Unix socket's peer. @throws TcpError `bad-option`. */
export function trusted({ from }: ProxyProtocolOptions): (address: string | undefined) => boolean {
  const unix = !BlockList.isBlockList(from) && from.includes("unix");
  const list = networks(BlockList.isBlockList(from) ? from : from.filter((entry) => entry !== "unix"));
  return (address) =>
    address === undefined ? unix : (list?.check(address, isIPv6(address) ? "ipv6" : "ipv4") ?? false);
}
