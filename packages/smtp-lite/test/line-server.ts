// A server that answers line by line, in words of the test's own.
import { listen } from "@tcpkit/core";
import type { Connection, Listener } from "@tcpkit/core";

/** A server of the test's own words: `answer` gives the reply to a line of a command or the end of content. */
export async function lineServer(
  answer: (line: string, connection: Connection) => string,
  heard: string[] = [],
): Promise<Listener> {
  const server = await listen();
  server.on("connection", (connection) => {
    let text = "";
    let content = false;
    connection.write("220 x\r\n");
    connection.on("data", (chunk) => {
      heard.push(chunk.toString());
      text += chunk.toString();
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (content && line !== ".") continue;
        const reply = answer(line, connection);
        content = reply.startsWith("354");
        if (reply !== "") connection.write(`${reply}\r\n`);
      }
    });
  });
  return server;
}

/** What it offers unless told otherwise. */
export const EHLO = "250-x\r\n250 PIPELINING";

/** Says yes to everything. */
export function polite(line: string): string {
  if (line.startsWith("EHLO")) return EHLO;
  return line === "DATA" ? "354 go" : "250 ok";
}
