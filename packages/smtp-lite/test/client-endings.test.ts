// How a connection ends, and what the client makes of it; and replies that do not keep to the grammar.
import { DeadlineTimer, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { SmtpClientOptions } from "../src/index.ts";
import { connectSmtp, sendMail } from "../src/index.ts";
import { parseReplyLine } from "../src/reply.ts";
import { EHLO, lineServer, polite } from "./line-server.ts";

const mail = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;
const auth = { username: "ann", password: "secret" };

/** As `polite`, but for lines that begin like this. */
function but(replies: Readonly<Record<string, string>>) {
  return (line: string): string => {
    const [, reply] = Object.entries(replies).find(([start]) => line.startsWith(start)) ?? [];
    return reply ?? polite(line);
  };
}

describe("a connection that did not get as far as mail", () => {
  it.each<[string, (line: string) => string, SmtpClientOptions, string]>([
    ["AUTH is refused", but({ EHLO: "250-x\r\n250 AUTH PLAIN", AUTH: "535 no" }), { auth }, "auth-failed"],
    ["no mechanism will do", but({ EHLO: "250-x\r\n250 AUTH X" }), { auth }, "not-offered"],
    ["STARTTLS is not offered", polite, { starttls: { required: true } }, "not-offered"],
    ["EHLO is refused", but({ EHLO: "450 no" }), {}, "refused"],
  ])("is ended by QUIT where %s (RFC 5321 section 4.1.1.10)", async (_, answer, options, code) => {
    const heard: string[] = [];
    await using server = await lineServer(answer, heard);
    const { port } = server;
    await expect(connectSmtp({ port, allowInsecureAuth: true, ...options })).rejects.toMatchObject({ code });
    expect(heard.at(-1)).toBe("QUIT\r\n");
  });

  it("is over after 421 to STARTTLS, even where TLS is not required", async () => {
    await using server = await lineServer(but({ EHLO: "250-x\r\n250 STARTTLS", STARTTLS: "421 4.3.2 no" }));
    await expect(connectSmtp({ port: server.port })).rejects.toMatchObject({
      code: "refused",
      reply: { code: 421 },
    });
  });

  it("finds mechanisms on several AUTH lines", async () => {
    await using server = await lineServer(but({ EHLO: "250-x\r\n250-AUTH PLAIN\r\n250 AUTH GSSAPI" }));
    await using client = await connectSmtp({ port: server.port, auth, allowInsecureAuth: true });
    expect(client.extensions.get("AUTH")).toBe("PLAIN GSSAPI");
  });
});

describe("the end", () => {
  it.each([
    ["EHLO", undefined],
    ["MAIL", "not-accepted"],
    [".", "unknown"],
  ])("inside the reply to %s is the end of the connection", async (command, outcome) => {
    await using server = await lineServer((line, connection: Connection) => {
      if (!connection.writable) return "";
      if (!line.startsWith(command)) return polite(line);
      connection.write("250 o");
      connection.end();
      return "";
    });
    await expect(sendMail({ port: server.port, ...mail })).rejects.toMatchObject({
      code: "connection-closed",
      cause: { code: "incomplete" },
      ...(outcome === undefined ? {} : { attempt: { outcome } }),
    });
  });

  it("by an AbortSignal has its reason as the cause", async () => {
    const controller = new AbortController();
    const reason = new Error("no time for this");
    await using server = await lineServer((line) => {
      if (line === "DATA") setImmediate(() => controller.abort(reason));
      return line === "DATA" ? "" : polite(line);
    });
    const sent = sendMail({ port: server.port, ...mail, signal: controller.signal });
    await expect(sent).rejects.toMatchObject({ code: "connection-closed", cause: reason });
  });

  it("does not wait for a server that has replied and reads no more", async () => {
    const clock = fakeClock();
    await using server = await listen();
    let stuck: Connection | undefined;
    server.on("connection", (connection) => {
      stuck = connection;
      connection.write("220 x\r\n");
      connection.on("data", (chunk) => {
        if (chunk.toString().startsWith("EHLO")) connection.write(`${EHLO}\r\n`);
        else {
          connection.pause();
          connection.write("250 ok\r\n250 ok\r\n354 go\r\n");
          // The content is under way, and more of it than two kernels hold.
          setImmediate(() => setImmediate(() => connection.write("552 5.3.4 too big\r\n")));
        }
      });
    });
    const client = await connectSmtp({ port: server.port, timer: new DeadlineTimer(clock) });
    const data = `${"x".repeat(98)}\r\n`.repeat(300_000);
    await expect(client.send({ ...mail, data })).rejects.toMatchObject({ reply: { code: 552 } });
    const closed = client.close();
    await nextTurn();
    clock.advance(3300);
    await closed;
    stuck?.destroy();
  });
});

describe("a reply", () => {
  it.each([
    ["571 5.7.1 blocked", { code: 571, enhanced: "5.7.1", lines: ["blocked"] }],
    ["550 5.1.1 für €", { code: 550, enhanced: "5.1.1", lines: ["für €"] }],
    ["550 \u001B[31mred\u0007\ttab", { code: 550, lines: ["?[31mred?\ttab"] }],
    ["550 \u009B31m", { code: 550, lines: ["?31m"] }],
  ])("%j is read as it was meant, and nothing in it commands a terminal", async (text, reply) => {
    await using server = await lineServer(but({ RCPT: text }));
    await expect(sendMail({ port: server.port, ...mail })).rejects.toMatchObject({ code: "refused", reply });
  });

  it("that is not UTF-8 counts as latin1", () => {
    expect(parseReplyLine("550 f\u00FCr")).toEqual({ code: 550, last: true, text: "für" });
  });
});
