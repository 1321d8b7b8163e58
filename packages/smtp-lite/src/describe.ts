// How events and replies read in the event log: one line for a person, and where verb, address and parameters stand.
// It knows lines and offsets; it is called only when somebody watches.
import type { Description, Output, Token } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import type { SmtpEvent } from "./server-events.ts";

/** An event for the event log. Offsets are absolute. */
export function describeEvent(event: SmtpEvent): Description {
  const { type } = event;
  switch (type) {
    case "greeting":
      return { type, text: "connected" };
    case "data":
      return {
        type,
        text:
          event.bytes.length > 0
            ? `${event.bytes.length} bytes of content`
            : `${event.end - event.start} bytes of content, dropped`,
      };
    case "chunk-end":
      return { type, text: event.problem?.message ?? `end of a chunk, ${event.size} bytes so far` };
    case "message-end":
      return { type, text: event.problem?.message ?? `end of a message of ${event.size} bytes` };
    case "timeout":
      return { type, text: "the client took too long" };
    case "shutdown":
      return { type, text: "the server is going down" };
    case "error": {
      const { error, confidential, start, end } = event;
      return { type, text: error.message, ...(confidential ? { secrets: [{ start, end }] } : {}) };
    }
    case "auth":
      return describeAuth(event);
    case "auth-response":
      return {
        type,
        text: "a line of AUTH",
        secrets: [{ start: event.start, end: event.start + event.line.length }],
      };
    default:
      return { type, text: printable(event.line), tokens: commandTokens(event.line, event.start) };
  }
}

/** AUTH without its initial response, which may hold a password. */
function describeAuth({ type, line, start }: SmtpEvent & { type: "auth" }): Description {
  const [command = line] = /^\S+ +\S+/.exec(line) ?? [];
  const rest = { start: start + command.length, end: start + line.length };
  return {
    type,
    text: command.length < line.length ? `${command} ***` : command,
    tokens: commandTokens(command, start),
    secrets: rest.start < rest.end ? [rest] : [],
  };
}

/** A reply for the event log. `output` is empty for one that is not sent, since the client did not wait for it. */
export function describeReply(reply: Reply, output?: Output): Description {
  if (output === "")
    return { type: "unsent", text: `${reply.code} is not sent: the client did not wait for it` };
  const enhanced = reply.enhanced === undefined ? "" : `${reply.enhanced} `;
  return { type: `${reply.code}`, text: `${reply.code} ${enhanced}${printable(reply.lines.join(" / "))}` };
}

/** Verb, address and parameters of a command line that began at offset `start`. */
function commandTokens(line: string, start: number): Token[] {
  const token = (name: string, from: number, to: number): Token => ({
    name,
    start: start + from,
    end: start + to,
  });
  const verbEnd = line.includes(" ") ? line.indexOf(" ") : line.length;
  const tokens = [token("verb", 0, verbEnd)];
  const open = line.indexOf("<");
  // A quoted local part may hold ">", a parameter may not: the last one closes the path.
  const close = line.lastIndexOf(">");
  if (/^(?:mail|rcpt)$/i.test(line.slice(0, verbEnd)) && open >= 0 && close > open) {
    tokens.push(token("address", open, close + 1));
    if (close + 2 < line.length) tokens.push(token("parameters", close + 2, line.length));
  } else if (verbEnd + 1 < line.length) {
    tokens.push(token("argument", verbEnd + 1, line.length));
  }
  return tokens;
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, ".");
}
