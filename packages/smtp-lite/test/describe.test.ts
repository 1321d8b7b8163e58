import { EventLog } from "@tcpkit/core";
import { describe, expect, it } from "vitest";
import { describeEvent, describeReply, parseCommand, replies, serveSmtp } from "../src/index.ts";
import { OPEN, RawClient } from "./support.ts";

describe("the event log", () => {
  it.each([
    [
      "MAIL FROM:<a@b.example> SIZE=5 BODY=7BIT",
      { verb: "MAIL", address: "<a@b.example>", parameters: "SIZE=5 BODY=7BIT" },
    ],
    ['RCPT TO:<"a>b"@c.example>', { verb: "RCPT", address: '<"a>b"@c.example>' }],
    ["EHLO client.example", { verb: "EHLO", argument: "client.example" }],
    ["DATA", { verb: "DATA" }],
  ])("%s", (line, tokens) => {
    const start = 1000;
    const event = parseCommand(line, start, start + line.length + 2, {
      extended: true,
      secure: false,
      lmtp: false,
      utf8: false,
    });
    const { text, tokens: found = [] } = describeEvent(event);
    expect(text).toBe(line);
    const named = found.map((token) => [token.name, line.slice(token.start - start, token.end - start)]);
    expect(Object.fromEntries(named)).toEqual(tokens);
  });

  it("is free of control characters", () => {
    const event = parseCommand("NOOP \x1b[31m\t\xff", 0, 14, {
      extended: true,
      secure: false,
      lmtp: false,
      utf8: false,
    });
    expect(describeEvent(event).text).toBe("NOOP .[31m..");
    expect(describeReply({ code: 250, lines: ["a\tb", "c"] }).text).toBe("250 a.b / c");
    expect(describeReply(replies.localError).text).toBe("451 4.3.0 Local error, try again later");
  });

  it("shows a whole conversation", async () => {
    const log = new EventLog();
    const types: string[] = [];
    log.read((record) => {
      if (record.kind === "message") types.push(record.type);
    });
    await using smtp = await serveSmtp({ onMessage: () => undefined }, { tap: log });
    const client = new RawClient(smtp.port);
    client.write(OPEN);
    await client.codes(5);
    client.write("x\r\n.\r\nQUIT\r\n");
    await client.rest();
    expect(types).toEqual(
      "greeting 220 ehlo 250 mail 250 rcpt 250 message 354 data message-end 250 quit 221".split(" "),
    );
  });
});
