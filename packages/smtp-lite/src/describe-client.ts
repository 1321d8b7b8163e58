// How a client's conversation reads in the event log. It knows where secrets stand: passwords and tokens are blanked.
import type { Description, Output, Span } from "@tcpkit/core";
import type { ClientCommand, SmtpClientEvent } from "./client-side.ts";
import { describeReply } from "./describe.ts";
import { formatCommand } from "./wire.ts";

/** What the server said. */
export function describeServer(event: SmtpClientEvent): Description {
  return event.type === "reply"
    ? describeReply(event.reply)
    : { type: event.type, text: event.error.message };
}

/** What the client said, which begins at offset `start`. */
export function describeCommands(
  commands: ClientCommand | readonly ClientCommand[],
  output: Output,
  start: number,
): Description {
  const list = "type" in commands ? [commands] : commands;
  // A line of AUTH travels alone: it waits for its reply.
  const [first] = list;
  const secrets: Span[] = [];
  if (typeof output === "string" && (first?.type === "auth" || first?.type === "auth-response")) {
    const open = first.type === "auth" ? `AUTH ${first.mechanism}`.length : 0;
    secrets.push({ start: start + open, end: start + output.length });
  }
  return { type: first?.type ?? "nothing", text: list.map(lineOf).join(" / "), secrets };
}

function lineOf(command: ClientCommand): string {
  switch (command.type) {
    case "auth":
      return `AUTH ${command.mechanism} ***`;
    case "auth-response":
      return "a line of AUTH";
    case "data":
    case "chunk":
      return `${command.bytes.length} bytes of content`;
    case "message-end":
      return "end of the message";
    default:
      return formatCommand(command).replaceAll(/[^ -~]/g, (character) => (character < " " ? "" : "."));
  }
}
