// The four forms of a request target and the host that a request is for. It knows strings, not bytes or sockets.
import { HttpError } from "./errors.ts";
import { isAuthority, isAuthorityWithPort } from "./wire.ts";

/** http-URI or https-URI in absolute-form: scheme, authority, the rest (RFC 9112 §3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;

/**
 * Checks a target that is not in origin-form.
 * @throws HttpError `bad-target` (400).
 */
export function checkTarget(method: string, target: string, offset: number): void {
  if (method === "CONNECT") {
    // authority-form, and only here: a port is needed (RFC 9112 §3.2.3).
    if (isAuthorityWithPort(target)) return;
    throw new HttpError("bad-target", "CONNECT needs host:port", { offset });
  }
  if (target === "*") {
    if (method === "OPTIONS") return;
    throw new HttpError("bad-target", "'*' is for OPTIONS alone", { offset });
  }
  const authority = authorityOf(target);
  if (authority !== undefined && isAuthority(authority)) return;
  throw new HttpError("bad-target", "a target is a path that begins with '/', or http://host/path", {
    offset,
  });
}

/** The host, with its port, that a target names in absolute-form; `undefined` in other forms. */
export function authorityOf(target: string): string | undefined {
  return target.charCodeAt(0) === 0x2f ? undefined : ABSOLUTE.exec(target)?.[1];
}

/** The path of a target, as it came, without its query: "/" for absolute-form without one, "*" for the asterisk. */
export function pathOf(target: string): string {
  const local = originFormOf(target);
  const query = local.indexOf("?");
  return query < 0 ? local : local.slice(0, query);
}

/** The query of a target, without "?"; empty when there is none. */
export function queryOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? "" : target.slice(query + 1);
}

/** Absolute-form cut down to origin-form; other forms as they are. */
export function originFormOf(target: string): string {
  if (target.charCodeAt(0) === 0x2f || target === "*") return target;
  const rest = ABSOLUTE.exec(target)?.[2];
  if (rest === undefined) return target;
  return rest.startsWith("/") ? rest : `/${rest}`;
}
