// The grammar of host names and address literals, RFC 5321 section 4.1.2 and 4.1.3. It knows characters; it knows no mailboxes.
//
//   Domain          = sub-domain *("." sub-domain)
//   sub-domain      = Let-dig [Ldh-str]              ; with SMTPUTF8 a U-label too (RFC 6531 section 3.3)
//   address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"
import { isIPv4, isIPv6 } from "node:net";
import { characters, isAscii } from "./characters.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";

const LET_DIG = characters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
const DOT = 0x2e;
const HYPHEN = 0x2d;

/** True for `Domain` or `address-literal`, whole. */
export function isDomain(text: string): boolean {
  return text.length <= GRAMMAR_LIMITS.domain && readDomain(text, 0, false) === text.length;
}

/** Where the domain or literal ends that begins at `at`; `undefined` where none does. */
export function readDomain(text: string, at: number, utf8: boolean): number | undefined {
  if (text[at] === "[") return literalEnd(text, at);
  let index = at;
  for (;;) {
    const label = index;
    while (isLetDigHyphen(text.charCodeAt(index), utf8)) index++;
    if (index === label) return undefined;
    // RFC 5890 section 2.3.2.1: in UTF-8 a label may be longer than the form of it that DNS has.
    if (index - label > GRAMMAR_LIMITS.label && isAscii(text.slice(label, index))) return undefined;
    if (text[label] === "-" || text[index - 1] === "-") return undefined;
    if (text.charCodeAt(index) !== DOT) return index;
    index++;
  }
}

function isLetDigHyphen(code: number, utf8: boolean): boolean {
  return LET_DIG[code] === 1 || code === HYPHEN || (utf8 && code >= 128);
}

function literalEnd(text: string, at: number): number | undefined {
  const close = text.indexOf("]", at);
  if (close < 0) return undefined;
  const content = text.slice(at + 1, close);
  // Section 4.1.3. A zone (fe80::1%eth0) means something on one host only and is not in the grammar.
  const ipv6 = /^ipv6:/i.test(content) && isIPv6(content.slice(5)) && !content.includes("%");
  return ipv6 || isIPv4(content) ? close + 1 : undefined;
}
