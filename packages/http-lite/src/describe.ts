// How messages read in the event log: one line for a person, named pieces with their offsets, and where secrets
// stand. It runs only while somebody watches.
import { assertNever } from "@tcpkit/core";
import type { Description, Span, Token } from "@tcpkit/core";
import type { HeaderMap } from "./fields.ts";
import type { HttpEvent, HttpReply } from "./messages.ts";
import { REASONS } from "./wire.ts";

/** Fields whose values open doors: they are never shown. */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

export function describeEvent(event: HttpEvent): Description {
  const { type, start } = event;
  switch (event.type) {
    case "request": {
      const { method, target, version, headers } = event;
      const targetStart = start + method.length + 1;
      const versionStart = targetStart + target.length + 1;
      const tokens: Token[] = [
        { name: "method", start, end: start + method.length },
        { name: "target", start: targetStart, end: targetStart + target.length },
        { name: "version", start: versionStart, end: versionStart + 8 },
      ];
      return describeHead(type, `${method} ${target} HTTP/${version}`, headers, start, tokens);
    }
    case "response":
    case "informational": {
      const { status, reason, version, headers } = event;
      const tokens: Token[] = [
        { name: "version", start, end: start + 8 },
        { name: "status", start: start + 9, end: start + 12 },
        { name: "reason", start: start + 13, end: start + 13 + reason.length },
      ];
      return describeHead(type, `HTTP/${version} ${status} ${reason}`, headers, start, tokens);
    }
    case "data":
      return { type, text: `${event.bytes.length} bytes of body` };
    case "end": {
      const names = Array.from(event.trailers, ([name]) => name);
      return { type, text: names.length === 0 ? "end of body" : `end of body, trailers ${names.join(", ")}` };
    }
    case "error":
      return { type, text: `${event.error.status} ${event.error.code}: ${clean(event.error.message)}` };
    default:
      return assertNever(event);
  }
}

export function describeReply(reply: HttpReply): Description {
  const { type } = reply;
  switch (reply.type) {
    case "response":
    case "informational": {
      const reason = ("reason" in reply ? reply.reason : undefined) ?? REASONS[reply.status] ?? "";
      return { type, text: clean(`HTTP/1.1 ${reply.status} ${reason}`.trimEnd()) };
    }
    case "request":
      return { type, text: clean(`${reply.method} ${reply.target} HTTP/1.1`) };
    case "data":
      return { type, text: `${Buffer.byteLength(reply.bytes)} bytes of body` };
    case "end":
      return { type, text: "end of body" };
    default:
      return assertNever(reply);
  }
}

function describeHead(
  type: string,
  line: string,
  headers: HeaderMap,
  start: number,
  tokens: Token[],
): Description {
  const secrets: Span[] = [];
  const shown: string[] = [clean(line)];
  const { spans } = headers;
  let at = 0;
  for (const [name, value] of headers.lines()) {
    const valueSpan = { start: start + spans[at + 2]!, end: start + spans[at + 3]! };
    tokens.push({ name: "field-name", start: start + spans[at]!, end: start + spans[at + 1]! });
    tokens.push({ name: "field-value", ...valueSpan });
    at += 4;
    const secret = SECRET.has(name.toLowerCase());
    if (secret) secrets.push(valueSpan);
    shown.push(`${name}: ${secret ? "[redacted]" : clean(value)}`);
  }
  return { type, text: shown.join(" | "), tokens, ...(secrets.length === 0 ? {} : { secrets }) };
}

/** What a terminal may be shown: control characters, and C1 ones among the upper bytes, become "?". */
function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
