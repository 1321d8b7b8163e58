// The grammar of HTTP/1.1: which bytes may stand where, and lines made out of values. Reading a head is in
// head.ts; both use the same tables. Nothing here knows a message, a state or a socket.
import { localError } from "./errors.ts";

export const HTAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const COLON = 58;

/** A table of 256 flags: 1 for each byte that may stand there. */
function table(allowed: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0));
}

const isAlphanumeric = (byte: number): boolean => /[0-9A-Za-z]/.test(String.fromCharCode(byte));
const among = (byte: number, characters: string): boolean => characters.includes(String.fromCharCode(byte));

/** tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA (RFC 9110 §5.6.2) */
export const TCHAR: Uint8Array = table((byte) => isAlphanumeric(byte) || among(byte, "!#$%&'*+-.^_`|~"));

/** field-vchar = VCHAR / obs-text, and SP and HTAB between them (RFC 9110 §5.5). */
export const FIELD_BYTE: Uint8Array = table((byte) => byte === HTAB || (byte >= SP && byte !== 0x7f));

/** Visible ASCII without "#": a target carries no fragment (RFC 9112 §3.2). Finer rules of RFC 3986 are for the handler. */
export const TARGET_BYTE: Uint8Array = table((byte) => byte > SP && byte < 0x7f && byte !== 0x23);

/** The bytes of an ordinary host name or IPv4 address. */
export const HOST_BYTE: Uint8Array = table((byte) => isAlphanumeric(byte) || among(byte, "-."));

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_TARGET = /[^\x21\x22\x24-\x7e]/;
// uri-host without "," and without the empty name, then an optional port (RFC 9110 §7.2, RFC 3986 §3.2.2).
const AUTHORITY =
  /^(?:\[[0-9A-Fa-f:.]+\]|(?:[0-9A-Za-z\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?$/;

/** token = 1*tchar (RFC 9110 §5.6.2) */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** True for a value that may stand in a field line: no CR, LF, NUL or other control, nothing above one byte. */
export function isFieldValue(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || FIELD_BYTE[code] === 0) return false;
  }
  return true;
}

/** True for a string that may stand as a request target. */
function isTarget(text: string): boolean {
  return text.length > 0 && !NOT_TARGET.test(text);
}

/** host [ ":" port ]: no userinfo, no list, no path, no white space, not empty (RFC 9110 §7.2, RFC 9112 §3.2). */
export function isAuthority(text: string): boolean {
  const match = AUTHORITY.exec(text);
  return match !== null && Number(match[1] ?? 0) <= 65_535;
}

/** As `isAuthority`, with a port that is not empty: what CONNECT names (RFC 9112 §3.2.3). */
export function isAuthorityWithPort(text: string): boolean {
  return isAuthority(text) && /:[1-9][0-9]*$/.test(text);
}

/** request-line = method SP request-target SP HTTP-version, and CRLF (RFC 9112 §3). */
export function formatRequestLine(method: string, target: string): string {
  if (!isToken(method))
    throw localError("bad-request", "a method is a token: letters, digits and !#$%&'*+-.^_`|~");
  if (!isTarget(target)) {
    throw localError("bad-request", "a target is visible ASCII without '#': percent-encode what is not");
  }
  return `${method} ${target} HTTP/1.1\r\n`;
}

/** status-line = HTTP-version SP status-code SP [ reason-phrase ], and CRLF (RFC 9112 §4). */
export function formatStatusLine(status: number, reason: string = REASONS[status] ?? ""): string {
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw localError("bad-reply", `a status has three digits, not ${String(status)}`);
  }
  if (!isFieldValue(reason)) throw localError("bad-reply", "a reason phrase holds no control character");
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** field-line = field-name ":" OWS field-value OWS, and CRLF (RFC 9112 §5). */
export function formatFieldLine(name: string, value: string): string {
  if (!isToken(name)) throw localError("bad-reply", `${JSON.stringify(name)} is not a field name`);
  if (!isFieldValue(value)) {
    throw localError("bad-reply", `the value of ${name} holds a control character or one above U+00FF`);
  }
  return `${name}: ${value}\r\n`;
}

/** Without the SP and HTAB around it (RFC 9110 §5.6.3). String.trim would take 0xA0 as well. */
export function trimOws(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isOws(text.charCodeAt(from))) from++;
  while (to > from && isOws(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isOws(code: number): boolean {
  return code === SP || code === HTAB;
}

/** protocol = protocol-name [ "/" protocol-version ], both tokens (RFC 9110 §7.8). */
export function isProtocol(text: string): boolean {
  const parts = text.split("/");
  return parts.length <= 2 && parts.every(isToken);
}

/** Members of a comma-separated list, trimmed, without the empty ones; `undefined` when too many are empty. */
export function parseList(value: string, maxEmpty: number): string[] | undefined {
  const members: string[] = [];
  let empty = 0;
  for (const part of value.split(",")) {
    const member = trimOws(part);
    if (member !== "") members.push(member);
    else if (++empty > maxEmpty) return undefined;
  }
  return members;
}

/** Reason phrases (RFC 9110 §15 and the registry). */
export const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};
