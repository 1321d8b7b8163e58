// How long the client waits, on a clock that only the test moves: for a reply from its command on, never for us.
import { setImmediate as nextTurn } from "node:timers/promises";
import { DeadlineTimer, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { connectSmtp, sendMail } from "../src/index.ts";
import { lineServer, polite } from "./line-server.ts";

const mail = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;
const MINUTE = 60_000;
/** What a deadline may come late, and more. */
const LATE = 300;

/**
 * A server that takes one command at a time and says yes to everything, but not at once to the line `late`:
 * `reached` resolves with a function that does.
 */
function reluctant(late: string) {
  const reached = Promise.withResolvers<() => void>();
  const answer = (line: string, connection: { write(text: string): unknown }): string => {
    if (line.startsWith("EHLO")) return "250 x";
    if (!line.startsWith(late)) return polite(line);
    reached.resolve(() => connection.write(`${polite(line)}\r\n`));
    return "";
  };
  return { answer, reached: reached.promise };
}

describe("the server's time", () => {
  it("begins with the command, however long the connection has rested", async () => {
    const clock = fakeClock();
    const { answer, reached } = reluctant("MAIL FROM:<late@b.example>");
    await using server = await lineServer(answer);
    await using client = await connectSmtp({ port: server.port, timer: new DeadlineTimer(clock) });
    await client.send(mail);
    clock.advance(60 * MINUTE);
    const sent = client.send({ ...mail, from: "late@b.example" });
    const go = await reached;
    clock.advance(5 * MINUTE - LATE);
    go();
    expect(await sent).toMatchObject({ reply: { code: 250 } });
  });

  it.each([
    ["a command", "RCPT", 5 * MINUTE, "not-accepted"],
    ["the end of a message", ".", 10 * MINUTE, "unknown"],
  ])("for the reply to %s is long, and ends", async (_, line, time, outcome) => {
    const clock = fakeClock();
    const { answer, reached } = reluctant(line);
    await using server = await lineServer(answer);
    const sent = sendMail({ port: server.port, ...mail, timer: new DeadlineTimer(clock) });
    const failure = expect(sent).rejects.toMatchObject({ code: "timeout", attempt: { outcome } });
    await reached;
    clock.advance(time + LATE);
    await failure;
  });

  it("for the reply to the end of a message is ten minutes", async () => {
    const clock = fakeClock();
    const { answer, reached } = reluctant(".");
    await using server = await lineServer(answer);
    const sent = sendMail({ port: server.port, ...mail, timer: new DeadlineTimer(clock) });
    const go = await reached;
    clock.advance(10 * MINUTE - LATE);
    go();
    expect(await sent).toMatchObject({ reply: { code: 250 } });
  });

  it("is as the options say", async () => {
    const clock = fakeClock();
    const { answer, reached } = reluctant(".");
    await using server = await lineServer(answer);
    const deadlines = { reply: 1000, end: 2000 };
    const sent = sendMail({ port: server.port, ...mail, deadlines, timer: new DeadlineTimer(clock) });
    const failure = expect(sent).rejects.toMatchObject({ code: "timeout", attempt: { outcome: "unknown" } });
    await reached;
    clock.advance(2000 + LATE);
    await failure;
  });

  it("is not prolonged by what else is sent", async () => {
    const clock = fakeClock();
    const { answer, reached } = reluctant("MAIL");
    await using server = await lineServer(answer);
    await using client = await connectSmtp({ port: server.port, timer: new DeadlineTimer(clock) });
    const first = expect(client.send(mail)).rejects.toMatchObject({ code: "timeout" });
    await reached;
    clock.advance(4 * MINUTE);
    const second = expect(client.send(mail)).rejects.toMatchObject({ code: "timeout" });
    clock.advance(MINUTE + LATE);
    await Promise.all([first, second]);
  });

  it("does not run while a stream of ours brings nothing", async () => {
    for (const offers of ["250-x\r\n250 PIPELINING", "250-x\r\n250 CHUNKING"]) {
      const clock = fakeClock();
      async function* slow(): AsyncGenerator<Uint8Array> {
        for (let line = 0; line < 4; line++) {
          await nextTurn();
          clock.advance(60 * MINUTE);
          yield Buffer.from("x\r\n");
        }
      }
      const answer = (line: string): string => {
        if (line === "x") return "";
        return line.startsWith("EHLO") ? offers : polite(line);
      };
      await using server = await lineServer(answer);
      const sent = sendMail({ port: server.port, ...mail, data: slow(), timer: new DeadlineTimer(clock) });
      expect(await sent).toMatchObject({ reply: { code: 250 } });
    }
  });

  it("does not run while the server takes what we send", async () => {
    const clock = fakeClock();
    await using server = await listen();
    const accepted = Promise.withResolvers<Connection>();
    server.on("connection", (connection) => {
      let text = "";
      connection.write("220 x\r\n");
      connection.on("data", (chunk) => {
        text = (text + chunk.toString("latin1")).slice(-6);
        if (text === "DATA\r\n") {
          connection.pause();
          connection.write("354 go\r\n");
          accepted.resolve(connection);
        } else if (text.endsWith("\r\n.\r\n") || !text.includes("x")) connection.write("250 ok\r\n");
      });
    });
    // More than the two kernels hold.
    const data = Buffer.from(`${"x".repeat(98)}\r\n`.repeat(300_000));
    const yielded = Promise.withResolvers<void>();
    async function* stream(): AsyncGenerator<Uint8Array> {
      yielded.resolve();
      yield data;
    }
    const timer = new DeadlineTimer(clock);
    const deadlines = { write: Infinity };
    const sent = sendMail({ port: server.port, ...mail, data: stream(), timer, deadlines });
    const connection = await accepted.promise;
    await yielded.promise;
    await nextTurn();
    // All of it is sent, and what is awaited is the reply to its end, once the server has taken it.
    clock.advance(60 * MINUTE);
    connection.resume();
    expect(await sent).toMatchObject({ reply: { code: 250 } });
  });

  it("ends when it takes nothing for long", async () => {
    let stuck: Connection | undefined;
    await using server = await lineServer((line, connection) => {
      if (line === "DATA") {
        stuck = connection;
        connection.pause();
      }
      return polite(line);
    });
    const data = `${"x".repeat(98)}\r\n`.repeat(200_000);
    await expect(
      sendMail({ port: server.port, ...mail, data, deadlines: { write: 30 } }),
    ).rejects.toMatchObject({ code: "timeout", attempt: { outcome: "unknown" } });
    stuck?.destroy();
  });

  it("for a goodbye is seconds, and the message is delivered all the same", async () => {
    const clock = fakeClock();
    const { answer, reached } = reluctant("QUIT");
    await using server = await lineServer(answer);
    const sent = sendMail({ port: server.port, ...mail, timer: new DeadlineTimer(clock) });
    await reached;
    clock.advance(3000 + LATE);
    expect(await sent).toMatchObject({ accepted: ["c@d.example"], reply: { code: 250 } });
  });
});
