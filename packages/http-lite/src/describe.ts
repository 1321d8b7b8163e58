// How messages read in the event log: one line for a person, named pieces with their offsets, and where secrets
// stand. It runs only while somebody watches.
import { assertNever } from "@tcpkit/core";
import type { Description, Output, Span, Token } from "@tcpkit/core";
import type { HeaderMap } from "./fields.ts";
import type { HttpEvent, HttpReply } from "./messages.ts";

/** Fields whose values open doors: they are never shown. A challenge (WWW-Authenticate) opens none. */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

/** A field line and where it stands in its direction's bytes. */
interface FieldLine {
  readonly name: string;
  readonly value: string;
  readonly nameStart: number;
  readonly valueStart: number;
}

/** An event for the event log. */
export function describeEvent(event: HttpEvent): Description {
  const { type, start } = event;
  switch (event.type) {
    case "request": {
      const { method, target, version, headers } = event;
      const line = `${method} ${target} HTTP/${version}`;
      return describeHead(type, line, requestTokens(line, start), received(headers, start));
    }
    case "response":
    case "informational": {
      const { status, reason, version, headers } = event;
      const line = `HTTP/${version} ${status} ${reason}`;
      return describeHead(type, line, statusTokens(line, start), received(headers, start));
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

/** A reply, or in the client's role a request, for the event log: as it left, in `output`, which begins at offset `start`. */
export function describeReply(reply: HttpReply, output: Output, start: number): Description {
  const { type } = reply;
  switch (reply.type) {
    case "response":
    case "informational":
    case "request":
    case "switch": {
      const head = headOf(output);
      if (head === "") return { type, text: "nothing is sent" };
      const line = head.slice(0, head.indexOf("\r\n"));
      const tokens = type === "request" ? requestTokens(line, start) : statusTokens(line, start);
      return describeHead(type, line, tokens, sent(head, start));
    }
    case "data":
      return { type, text: `${Buffer.byteLength(reply.bytes)} bytes of body` };
    case "end":
      return { type, text: "end of body" };
    default:
      return assertNever(reply);
  }
}

function requestTokens(line: string, start: number): Token[] {
  const method = line.indexOf(" ");
  const target = line.lastIndexOf(" ");
  return [
    { name: "method", start, end: start + method },
    { name: "target", start: start + method + 1, end: start + target },
    { name: "version", start: start + target + 1, end: start + line.length },
  ];
}

function statusTokens(line: string, start: number): Token[] {
  return [
    { name: "version", start, end: start + 8 },
    { name: "status", start: start + 9, end: start + 12 },
    { name: "reason", start: start + 13, end: start + line.length },
  ];
}

/** The field lines of a head that was received. */
function* received(headers: HeaderMap, start: number): Generator<FieldLine> {
  const { spans } = headers;
  let at = 0;
  for (const [name, value] of headers.lines()) {
    yield { name, value, nameStart: start + spans[at]!, valueStart: start + spans[at + 2]! };
    at += 4;
  }
}

/** The field lines of a head that we made: `name: value` each, behind the first line. */
function* sent(head: string, start: number): Generator<FieldLine> {
  let at = start;
  for (const [index, line] of head.split("\r\n").entries()) {
    const colon = line.indexOf(":");
    if (index > 0 && colon > 0) {
      yield {
        name: line.slice(0, colon),
        value: line.slice(colon + 2),
        nameStart: at,
        valueStart: at + colon + 2,
      };
    }
    at += line.length + 2;
  }
}

/** The lines of the head at the front of what leaves; empty when there is none. */
function headOf(output: Output): string {
  const [first = ""] = typeof output === "string" || output instanceof Uint8Array ? [output] : output;
  const text = typeof first === "string" ? first : Buffer.from(first).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  return end < 0 ? "" : text.slice(0, end + 2);
}

function describeHead(type: string, line: string, tokens: Token[], fields: Iterable<FieldLine>): Description {
  const secrets: Span[] = [];
  const shown: string[] = [clean(line.trimEnd())];
  for (const { name, value, nameStart, valueStart } of fields) {
    const valueSpan = { start: valueStart, end: valueStart + value.length };
    tokens.push({ name: "field-name", start: nameStart, end: nameStart + name.length });
    tokens.push({ name: "field-value", ...valueSpan });
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
