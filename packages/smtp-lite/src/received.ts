// Trace information, RFC 5321 section 4.4: the line that we add, and the lines that others have added.
//
//   Time-stamp-line = "Received:" FWS "from" FWS Extended-Domain CFWS "by" FWS Extended-Domain
//                     [CFWS "with" FWS Protocol] [CFWS "id" FWS String] [CFWS "for" FWS Path] ";" FWS date-time CRLF
//   Extended-Domain = Domain / ( ( Domain / address-literal ) FWS "(" TCP-info ")" )
//   TCP-info        = address-literal / ( Domain FWS address-literal )
import { isIPv6 } from "node:net";
import { formatPath } from "./address.ts";
import { isDomain } from "./domain.ts";
import type { Envelope, Mail } from "./envelope.ts";

/** The `Received:` field for a message, folded, with CRLF at its end. */
export function receivedLine(
  mail: Mail,
  to: Envelope["to"],
  hostname: string,
  date: Date,
  lmtp: boolean = false,
): string {
  const { helo, remoteAddress, remoteName, id } = mail;
  // A Unix socket has no address.
  const address = addressLiteral(remoteAddress === "" ? "127.0.0.1" : remoteAddress);
  // A name that is no domain, which EHLO lets in, could break the field: the address stands for it.
  const from = isDomain(helo) ? helo : address;
  const source = remoteName === undefined ? address : `${remoteName} ${address}`;
  // More recipients than one may be blind copies: section 7.2.
  const only = to.length === 1 ? `\r\n\tfor ${formatPath(to[0])}` : "";
  return `Received: from ${from} (${source})\r\n\tby ${hostname} with ${protocolOf(mail, lmtp)} id ${id}${only};\r\n\t${mailDate(date)}\r\n`;
}

/** What the message came by: `ESMTPSA` (RFC 3848), `UTF8SMTPS` (RFC 6531 section 4.3). */
function protocolOf({ extended, utf8, tls, auth }: Mail, lmtp: boolean): string {
  if (!extended) return "SMTP";
  const plain = lmtp ? "LMTP" : "ESMTP";
  return `${utf8 ? `UTF8${plain.slice(-4)}` : plain}${tls === undefined ? "" : "S"}${auth === undefined ? "" : "A"}`;
}

let lastAddress = "127.0.0.1";
let lastLiteral = "[127.0.0.1]";

/** RFC 5321 section 4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`; an IPv4 address mapped into IPv6 is IPv4. */
function addressLiteral(address: string): string {
  // One client sends many messages.
  if (address !== lastAddress) {
    lastAddress = address;
    const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
    const isV6 = mapped === undefined && isIPv6(address);
    lastLiteral = isV6 ? `[IPv6:${address.replace(/%.*$/, "")}]` : `[${mapped ?? address}]`;
  }
  return lastLiteral;
}

let lastSecond = -1;
let lastDate = "";

/** RFC 5322 section 3.3, in UTC; made once a second. */
function mailDate(date: Date): string {
  const second = Math.floor(date.getTime() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = date.toUTCString().replace("GMT", "+0000");
  }
  return lastDate;
}

const NAME = "received";
const COLON = 58;
const SPACE = 32;
const TAB = 9;
const CR = 13;
const LF = 10;

/** Counts the `Received:` fields in the header of a message that comes by in pieces (section 6.3). */
export class ReceivedCounter {
  count = 0;
  /** How much of a line's beginning has matched; -1: this line is something else. */
  #matched = 0;
  /** Bytes of the current line so far. */
  #column = 0;
  #inBody = false;

  push(bytes: Uint8Array): void {
    let index = 0;
    while (!this.#inBody && index < bytes.length) {
      // Lines of a header are short: to call `indexOf` would take longer.
      if (this.#matched < 0) while (index < bytes.length && bytes[index] !== LF) index++;
      if (index === bytes.length) return;
      this.#byte(bytes[index++] ?? 0);
    }
  }

  #byte(byte: number): void {
    if (byte === LF) {
      this.#inBody = this.#column === 0;
      this.#column = 0;
      this.#matched = 0;
      return;
    }
    if (byte === CR && this.#column === 0) return;
    this.#column++;
    // White space in front of the colon is obsolete, and must be understood (RFC 5322 section 4.5.7).
    if (this.#matched === NAME.length && (byte === SPACE || byte === TAB)) return;
    if (this.#matched === NAME.length && byte === COLON) this.count++;
    // Or-ing 32 makes letters small.
    this.#matched = (byte | 32) === NAME.charCodeAt(this.#matched) ? this.#matched + 1 : -1;
  }
}
