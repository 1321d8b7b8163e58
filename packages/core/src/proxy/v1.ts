// Version 1 of the PROXY protocol: one line of text. Parse and format, beside their grammar; no sockets, no state.
//
//   header  = "PROXY " (known / unknown) CRLF            ; 107 bytes at most, CRLF included (section 2.1)
//   known   = ("TCP4" / "TCP6") SP source SP destination SP source-port SP destination-port
//   unknown = "UNKNOWN" *any                             ; the rest of the line is to be ignored
//   port    = "0" / (1-9 *DIGIT)                         ; up to 65535
import { isIPv4, isIPv6 } from "node:net";
import type { Address } from "../address.ts";
import { badHeader, unwritable } from "./bad-header.ts";
import type { ProxyHeader } from "./header.ts";

/** How a line begins. */
export const V1_PREFIX = "PROXY ";
/** The longest line, in bytes, its CRLF included. */
export const V1_LONGEST = 107;

const UNKNOWN: ProxyHeader = { version: 1, command: "proxy", endpoints: undefined, tlvs: [] };

/** The header on a line without its CRLF, one character a byte. @throws TcpError `bad-proxy-header`. */
export function parseV1(line: string): ProxyHeader {
  const fields = line.slice(V1_PREFIX.length).split(" ");
  let offset = V1_PREFIX.length;
  const take = (what: string, valid: (field: string) => boolean): string => {
    const field = fields.shift();
    if (field === undefined || !valid(field)) throw badHeader(`no ${what}`, offset);
    offset += field.length + 1;
    return field;
  };
  const family = take("TCP4, TCP6 or UNKNOWN", (field) => ["TCP4", "TCP6", "UNKNOWN"].includes(field));
  if (family === "UNKNOWN") return UNKNOWN;
  // The zone of an IPv6 address means nothing on another host.
  const isHost = family === "TCP4" ? isIPv4 : (field: string) => isIPv6(field) && !field.includes("%");
  const from = take(`source address of ${family}`, isHost);
  const to = take(`destination address of ${family}`, isHost);
  const fromPort = Number(take("source port", isPort));
  const toPort = Number(take("destination port", isPort));
  if (fields.length > 0) throw badHeader("more than six fields", offset - 1);
  const source: Address = { kind: "tcp", host: from, port: fromPort };
  return { ...UNKNOWN, endpoints: { source, destination: { kind: "tcp", host: to, port: toPort } } };
}

/** The line of a header. @throws TcpError `bad-option` for what version 1 cannot say. */
export function encodeV1({ command, endpoints, tlvs }: ProxyHeader): Buffer {
  if (command !== "proxy" || tlvs.length > 0) throw unwritable("version 1 has no LOCAL and no TLVs");
  if (endpoints === undefined) return Buffer.from("PROXY UNKNOWN\r\n", "latin1");
  const { source, destination } = endpoints;
  if (source.kind === "unix" || destination.kind === "unix")
    throw unwritable("version 1 has no Unix sockets");
  const line = [
    isIPv4(source.host) ? "PROXY TCP4" : "PROXY TCP6",
    source.host,
    destination.host,
    source.port,
    destination.port,
  ].join(" ");
  try {
    parseV1(line);
  } catch (cause) {
    throw unwritable(cause instanceof Error ? cause.message : line);
  }
  return Buffer.from(`${line}\r\n`, "latin1");
}

function isPort(field: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(field) && Number(field) <= 65_535;
}
