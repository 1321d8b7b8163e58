// The TLVs at the end of a version 2 header, and its checksum, which is one of them (sections 2.2 and 2.2.3).
//
//   TLV = type (1) | length of the value (2) | value
import { assertNever } from "../errors.ts";
import { badHeader, unwritable } from "./bad-header.ts";
import { crc32c } from "./crc32c.ts";
import type { Tlv } from "./header.ts";

const ALPN = 0x01;
const AUTHORITY = 0x02;
const CRC32C = 0x03;
const NOOP = 0x04;
const UNIQUE_ID = 0x05;
const SSL = 0x20;
const KNOWN: readonly number[] = [ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID, SSL];

/** Bytes of a TLV before its value. */
const FIXED = 3;
const LONGEST_UNIQUE_ID = 128;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The TLVs of a whole header, which begin at `start`. @throws TcpError `bad-proxy-header`. */
export function parseTlvs(header: Buffer, start: number): Tlv[] {
  const tlvs: Tlv[] = [];
  for (let at = start; at < header.length;) {
    const value = at + FIXED;
    const end = value > header.length ? Infinity : value + header.readUInt16BE(at + 1);
    if (end > header.length) throw badHeader("a TLV goes beyond the header's end", at);
    const tlv = parseTlv(header.readUInt8(at), header.subarray(value, end), at);
    if (tlv.type === "crc32c") {
      if (tlvs.some(({ type }) => type === "crc32c")) throw badHeader("two checksums", at);
      verify(header, value);
    }
    tlvs.push(tlv);
    at = end;
  }
  return tlvs;
}

/**
 * A header with its TLVs behind what is there of it. `complete` writes what depends on the whole, before the checksum is
 * made. @throws TcpError `bad-option`.
 */
export function encodeTlvs(head: Buffer, tlvs: readonly Tlv[], complete: (header: Buffer) => void): Buffer {
  const pieces: Buffer[] = [head];
  let length = head.length;
  let checksum = 0;
  for (const tlv of tlvs) {
    const [type, value] = encodeTlv(tlv);
    if (value.length > 0xffff) throw unwritable(`a value of ${value.length} bytes`);
    if (type === CRC32C) {
      if (checksum > 0) throw unwritable("two checksums");
      checksum = length + FIXED;
    }
    pieces.push(Buffer.from([type, value.length >> 8, value.length & 0xff]), value);
    length += FIXED + value.length;
  }
  const header = Buffer.concat(pieces);
  complete(header);
  if (checksum > 0) header.writeUInt32BE(crc32c(header), checksum);
  return header;
}

function parseTlv(code: number, bytes: Buffer, at: number): Tlv {
  switch (code) {
    case ALPN:
      return { type: "alpn", protocol: bytes.toString("latin1") };
    case AUTHORITY:
      return { type: "authority", host: text(bytes, at) };
    case CRC32C:
      if (bytes.length !== 4) throw badHeader("a checksum that has not 4 bytes", at);
      return { type: "crc32c" };
    case NOOP:
      return { type: "noop", length: bytes.length };
    case UNIQUE_ID:
      if (bytes.length > LONGEST_UNIQUE_ID) throw badHeader("a unique id of more than 128 bytes", at);
      return { type: "unique-id", bytes };
    case SSL:
      return { type: "ssl", bytes };
    default:
      return { type: "other", code, bytes };
  }
}

function encodeTlv(tlv: Tlv): [type: number, value: Buffer] {
  switch (tlv.type) {
    case "alpn":
      return [ALPN, Buffer.from(tlv.protocol, "latin1")];
    case "authority":
      return [AUTHORITY, Buffer.from(tlv.host, "utf8")];
    case "crc32c":
      return [CRC32C, Buffer.alloc(4)];
    case "noop":
      return [NOOP, Buffer.alloc(tlv.length)];
    case "unique-id":
      if (tlv.bytes.length > LONGEST_UNIQUE_ID) throw unwritable("a unique id of more than 128 bytes");
      return [UNIQUE_ID, Buffer.from(tlv.bytes)];
    case "ssl":
      return [SSL, Buffer.from(tlv.bytes)];
    case "other":
      if (!(tlv.code >= 0 && tlv.code <= 0xff) || KNOWN.includes(tlv.code)) {
        throw unwritable(`a TLV of another type, but with the number ${tlv.code}`);
      }
      return [tlv.code, Buffer.from(tlv.bytes)];
    default:
      return assertNever(tlv);
  }
}

/** The checksum is that of the header with its own four bytes zero. */
function verify(header: Buffer, at: number): void {
  const zeroed = Buffer.from(header);
  zeroed.writeUInt32BE(0, at);
  if (crc32c(zeroed) !== header.readUInt32BE(at)) throw badHeader("the checksum (CRC-32C) is wrong", at);
}

function text(bytes: Buffer, at: number): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw badHeader("an authority that is not UTF-8", at);
  }
}
