// Who may ask: keeps web pages of other origins away from what is recorded here. A browser on this machine can reach
// loopback from any page, so being bound to loopback protects from the network only.
import { isIP } from "node:net";

/** What the guard looks at. Field values are `undefined` where the request has none. */
export interface Asked {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly token: string | undefined;
}

/** A refusal: the status and a sentence for the reader. */
export interface Refusal {
  readonly status: 403 | 421;
  readonly message: string;
}

/**
 * Refuses what a foreign page may have caused.
 *
 * - DNS rebinding makes a browser believe that a foreign *name* is this server: only IP addresses, `localhost` and
 *   the `names` given are taken for Host (421, RFC 9110 §15.5.20).
 * - A request of another origin says so in Origin (403).
 * - A request that changes something carries the token that only this server's own page can read (403).
 */
export function refuse(asked: Asked, token: string, names: readonly string[]): Refusal | undefined {
  const { method, host = "", origin } = asked;
  if (!isOwnName(hostname(host), names)) {
    return { status: 421, message: `Host "${host}" is not served here: use an IP address or localhost.` };
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, message: `Requests from the origin "${origin}" are refused.` };
  }
  if (method !== "GET" && method !== "HEAD" && asked.token !== token) {
    return {
      status: 403,
      message: "The token is missing or is that of an earlier run: load the page again.",
    };
  }
  return undefined;
}

/** The name in a Host field value, without its port. */
function hostname(host: string): string {
  if (host.startsWith("[")) return host.slice(1, Math.max(1, host.indexOf("]")));
  const colon = host.indexOf(":");
  return (colon === -1 ? host : host.slice(0, colon)).toLowerCase();
}

function isOwnName(name: string, names: readonly string[]): boolean {
  return isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost") || names.includes(name);
}
