// The ready line: the contract that scripts rely on. Its keys do not change.
import { formatAddress } from "@tcpkit/core";
import type { Running } from "./services/service.ts";

/** `{"event":"ready","services":[{"name","url","host","port"}]}` with the real ports. */
export function readyLine(running: readonly Running[]): string {
  const services = running.map((item) => ({
    name: item.service.name,
    url: urlOf(item),
    host: item.listener.host,
    port: item.listener.port,
  }));
  return JSON.stringify({ event: "ready", services });
}

/** Where a client on this machine finds it: `http://127.0.0.1:8080/`. */
export function urlOf({ service, listener }: Running): string {
  return `${service.scheme}://${authorityOf(listener)}${service.path}`;
}

/** `127.0.0.1:8080`, `[::1]:8080`; for "every address" the loopback one, since nobody can connect to `0.0.0.0`. */
export function authorityOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return formatAddress({ kind: "tcp", host: reachable, port });
}
