// Version 2 of the PROXY protocol: a binary header. Parse and format, beside the layout; no sockets, no state.
//
//   signature (12) | 0x2 version, command (1) | family, transport (1) | length of what follows (2) | addresses | TLVs
//
// Section 2.2. All numbers are big-endian. TLVs have a room of their own.
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { ipv6Groups } from "../address.ts";
import type { Address } from "../address.ts";
import { badHeader, unwritable } from "./bad-header.ts";
import type { ProxyEndpoints, ProxyHeader } from "./header.ts";
import { encodeTlvs, parseTlvs } from "./tlv.ts";

/** How a header begins: a text that no other protocol's first line is. */
export const V2_SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
/** Bytes of the fixed part, up to and with the length. */
export const V2_FIXED = 16;
/** The longest header, in bytes, the fixed part included. The format allows 64 KiB; nobody needs that to say who calls. */
const V2_LONGEST = 4096;

const LOCAL = 0x20;
const PROXY = 0x21;

/** Family and transport, and how many bytes each address takes, port included. */
const UNSPECIFIED = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX_STREAM = 0x31;
const UNIX_PATH = 108;
const SIZES: Readonly<Record<number, number>> = {
  [UNSPECIFIED]: 0,
  [TCP4]: 12,
  [TCP6]: 36,
  [UNIX_STREAM]: 216,
};

/** Bytes of the whole header, from its fixed part. @throws TcpError `bad-proxy-header`. */
export function lengthV2(fixed: Buffer): number {
  const command = fixed.readUInt8(12);
  if (command !== LOCAL && command !== PROXY) throw badHeader("no version 2 with LOCAL or PROXY", 12);
  const family = fixed.readUInt8(13);
  const length = fixed.readUInt16BE(14);
  if (V2_FIXED + length > V2_LONGEST) throw badHeader(`longer than ${V2_LONGEST} bytes`, 14);
  // Behind LOCAL the receiver must ignore the family and the rest.
  if (command === LOCAL) return V2_FIXED + length;
  const size = SIZES[family];
  // Datagrams, too, are refused: what follows here is a stream.
  if (size === undefined) throw badHeader("no known family of stream sockets", 13);
  if (length < size) throw badHeader("shorter than its addresses", 14);
  return V2_FIXED + length;
}

/** A whole header. @throws TcpError `bad-proxy-header`. */
export function parseV2(bytes: Buffer): ProxyHeader {
  lengthV2(bytes);
  if (bytes.readUInt8(12) === LOCAL) return { version: 2, command: "local", endpoints: undefined, tlvs: [] };
  const family = bytes.readUInt8(13);
  const end = V2_FIXED + (SIZES[family] ?? 0);
  const endpoints = parseEndpoints(family, bytes.subarray(V2_FIXED, end));
  return { version: 2, command: "proxy", endpoints, tlvs: parseTlvs(bytes, end) };
}

/** The bytes of a header. @throws TcpError `bad-option`. */
export function encodeV2({ command, endpoints, tlvs }: ProxyHeader): Buffer {
  if (command === "local" && (endpoints !== undefined || tlvs.length > 0)) {
    throw unwritable("behind LOCAL the receiver ignores addresses and TLVs");
  }
  const [family, addresses] = encodeEndpoints(endpoints);
  const fixed = Buffer.alloc(V2_FIXED);
  fixed.write(V2_SIGNATURE, "latin1");
  fixed.writeUInt8(command === "local" ? LOCAL : PROXY, 12);
  fixed.writeUInt8(family, 13);
  return encodeTlvs(Buffer.concat([fixed, addresses]), tlvs, (whole) => {
    if (whole.length > V2_LONGEST) throw unwritable(`longer than ${V2_LONGEST} bytes`);
    whole.writeUInt16BE(whole.length - V2_FIXED, 14);
  });
}

function parseEndpoints(family: number, bytes: Buffer): ProxyEndpoints | undefined {
  switch (family) {
    case TCP4:
      return {
        source: { kind: "tcp", host: bytes.subarray(0, 4).join("."), port: bytes.readUInt16BE(8) },
        destination: { kind: "tcp", host: bytes.subarray(4, 8).join("."), port: bytes.readUInt16BE(10) },
      };
    case TCP6:
      return {
        source: { kind: "tcp", host: formatIpv6(bytes, 0), port: bytes.readUInt16BE(32) },
        destination: { kind: "tcp", host: formatIpv6(bytes, 16), port: bytes.readUInt16BE(34) },
      };
    case UNIX_STREAM:
      return { source: parsePath(bytes, 0), destination: parsePath(bytes, UNIX_PATH) };
    default:
      return undefined;
  }
}

function encodeEndpoints(endpoints: ProxyEndpoints | undefined): [family: number, bytes: Buffer] {
  if (endpoints === undefined) return [UNSPECIFIED, Buffer.alloc(0)];
  const { source, destination } = endpoints;
  if (source.kind === "unix" && destination.kind === "unix") {
    return [UNIX_STREAM, Buffer.concat([encodePath(source.path), encodePath(destination.path)])];
  }
  if (source.kind === "unix" || destination.kind === "unix") throw unwritable("two families of addresses");
  const ports = Buffer.alloc(4);
  for (const [index, { port }] of [source, destination].entries()) {
    if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw unwritable(`port ${port}`);
    ports.writeUInt16BE(port, 2 * index);
  }
  const hosts = [source.host, destination.host];
  if (hosts.every((host) => isIPv4(host))) return [TCP4, Buffer.concat([...hosts.map(ipv4Bytes), ports])];
  if (hosts.every((host) => isIPv6(host) && !host.includes("%"))) {
    return [TCP6, Buffer.concat([...hosts.map(ipv6Bytes), ports])];
  }
  throw unwritable(`the addresses ${hosts.join(" and ")}`);
}

function ipv4Bytes(host: string): Buffer {
  return Buffer.from(host.split(".").map(Number));
}

function ipv6Bytes(host: string): Buffer {
  // A dotted end (`::ffff:192.0.2.1`) is two groups more.
  const plain = host.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) =>
    ipv4Bytes(dotted)
      .toString("hex")
      .replace(/^(....)/, "$1:"),
  );
  const groups = ipv6Groups(plain).map((group) => group.padStart(4, "0"));
  return Buffer.from(groups.join(""), "hex");
}

function formatIpv6(bytes: Buffer, start: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(start + 2 * index).toString(16));
  // Node writes it as RFC 5952 wants it.
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}

function parsePath(bytes: Buffer, start: number): Address {
  const field = bytes.subarray(start, start + UNIX_PATH);
  const end = field.indexOf(0);
  return { kind: "unix", path: field.toString("utf8", 0, end < 0 ? UNIX_PATH : end) };
}

function encodePath(path: string): Buffer {
  const field = Buffer.alloc(UNIX_PATH);
  if (Buffer.byteLength(path) > UNIX_PATH || path.includes("\0")) throw unwritable(`the path ${path}`);
  field.write(path, "utf8");
  return field;
}
