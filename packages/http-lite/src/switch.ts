// Another protocol, in the client's role: what a request may offer, and which 101 accepts that (RFC 9110 §7.8). It knows
// heads, not what follows them.
import { HttpError, localError } from "./errors.ts";
import { MAX_EMPTY_LIST_MEMBERS } from "./limits.ts";
import type { RequestReply, ResponseEvent } from "./messages.ts";
import { isAuthorityWithPort, isProtocol, parseList } from "./wire.ts";

const NOTHING_OFFERED: readonly string[] = [];

/**
 * The protocols that a request offers, in lower case. A request that may end HTTP is complete in itself, so that nothing of
 * it can be taken for the other protocol, nor the other way round.
 * @throws HttpError `bad-request`.
 */
export function readOffer(request: RequestReply, protocols: readonly string[]): readonly string[] {
  const { method, target, body, open } = request;
  const connects = method === "CONNECT";
  if (!connects && protocols.length === 0) return NOTHING_OFFERED;
  if (open === true) throw localError("bad-request", "the body of a request for another protocol is at hand");
  if (!connects) {
    if (!protocols.every(isProtocol)) {
      throw localError("bad-request", "Upgrade is a list of name or name/version");
    }
    return protocols.map((protocol) => protocol.toLowerCase());
  }
  if (!isAuthorityWithPort(target))
    throw localError("bad-request", "CONNECT needs host:port (RFC 9112 §3.2.3)");
  if (body !== undefined && body !== null) {
    throw localError("bad-request", "CONNECT has no body (RFC 9110 §9.3.6)");
  }
  if (protocols.length > 0) throw localError("bad-request", "CONNECT opens a tunnel: it offers no protocol");
  return NOTHING_OFFERED;
}

/** @throws HttpError `unexpected-bytes` for a 101 to what was not offered. */
export function checkSwitch({ headers, version, start }: ResponseEvent, offered: readonly string[]): void {
  const accepted = members(headers.get("upgrade"));
  const options = members(headers.get("connection"));
  if (offered.length === 0) throw unexpected("101 without an Upgrade that was asked for", start);
  if (accepted.length === 0 || !options.includes("upgrade") || version !== "1.1") {
    throw unexpected("101 names its protocol in Upgrade, and Upgrade in Connection", start);
  }
  if (!accepted.every((protocol) => offered.includes(protocol))) {
    throw unexpected("101 to a protocol that was not offered", start);
  }
}

/** The members of a list, in lower case; none where too many are empty. */
function members(value: string | undefined): string[] {
  return parseList((value ?? "").toLowerCase(), MAX_EMPTY_LIST_MEMBERS) ?? [];
}

function unexpected(message: string, offset: number): HttpError {
  return new HttpError("unexpected-bytes", message, { offset });
}
