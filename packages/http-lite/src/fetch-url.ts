// The URL of a request, in the platform's spelling. It knows strings, no request.
import { originFormOf } from "./target.ts";

/** A target that every URL ends with as it is: nothing to encode, no dot segments. */
const PLAIN = /^(?:\/(?!\.|%2e)[\w\-.~!$&()*+,;=:@%]*)+(?:\?[\w\-.~!$&()*+,;=:@%/?]*)?$/i;

/** The last host that was looked at: most servers have one. */
let last: { readonly base: string; readonly origin: string | undefined } = { base: "", origin: undefined };

/**
 * The URL that a target stands for (RFC 9112 §3.3); `undefined` where none can be made of the host. The scheme is that of the
 * connection, whatever an absolute-form says. Without a host, as HTTP/1.0 may be, it is localhost.
 */
export function urlOf(
  scheme: "http" | "https",
  host: string | undefined,
  target: string,
): string | undefined {
  const base = `${scheme}://${host ?? "localhost"}`;
  if (last.base !== base) last = { base, origin: URL.parse(base)?.origin };
  const { origin } = last;
  if (origin === undefined) return undefined;
  if (PLAIN.test(target)) return origin + target;
  const local = originFormOf(target);
  return URL.parse(`${origin}${local === "*" ? "/*" : local}`)?.href;
}
