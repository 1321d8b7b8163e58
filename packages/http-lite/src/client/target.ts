// Which targets a request may have, and which Host belongs to each. It knows strings, not messages.
import { localError } from "../errors.ts";
import { authorityOf } from "../target.ts";
import { isAuthority } from "../wire.ts";

/** The target of a request that asks for no tunnel (RFC 9112 §3.2). @throws HttpError `bad-request`. */
export function checkPath(method: string, target: string): void {
  if (method === "CONNECT") throw localError("bad-request", "a tunnel is asked for by connect()");
  if (target.startsWith("/") || (target === "*" && method === "OPTIONS")) return;
  const authority = authorityOf(target);
  if (authority === undefined) throw localError("bad-request", 'a path begins with "/" (RFC 9112 §3.2)');
  if (!isAuthority(authority)) {
    throw localError("bad-request", "a target names a host, and no user (RFC 9110 §4.2.4)");
  }
}

/** The Host of a request: what its target names, in absolute-form, or the server's (RFC 9112 §3.2). */
export function hostFor(target: string, server: string): string {
  return authorityOf(target) ?? server;
}

/** A Host that the program gives. @throws HttpError `bad-request` for one that is none, or not the one that the target names. */
export function checkHost(host: string, target: string): void {
  if (!isAuthority(host)) throw localError("bad-request", `${JSON.stringify(host)} is no Host`);
  if (hostFor(target, host).toLowerCase() !== host.toLowerCase()) {
    throw localError("bad-request", "Host is what the target names (RFC 9112 §3.2)");
  }
}
