import { readFileSync } from "node:fs";
import { verifyDecoder } from "@tcpkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Reply, SmtpEvent } from "../src/index.ts";
import { formatReply, SmtpSession } from "../src/index.ts";
import { acceptAll, OPEN, PoliteSession, summary } from "./support.ts";

interface Dialogue {
  readonly name: string;
  readonly rfc: string;
  /** What the client sends without waiting, then what it sends once that has been answered, and so on. */
  readonly flights: readonly string[];
  readonly events: readonly string[];
  /** The lines of the replies. */
  readonly replies: readonly string[];
}

const dialogues = JSON.parse(
  readFileSync(new URL("../vectors/dialogues.json", import.meta.url), "utf8"),
) as readonly Dialogue[];

/** Feeds the flights whole, byte by byte and cut at every point; gives events and replies of the whole. */
function converse(flights: readonly string[]): { events: SmtpEvent[]; replies: string } {
  let runs = 0;
  let replies = "";
  const events = verifyDecoder<SmtpEvent, Reply>({
    session: () => {
      runs += 1;
      return new PoliteSession(flights);
    },
    input: flights.join(""),
    everySplitUpTo: 600,
    reply: (event) => {
      const reply = acceptAll(event);
      if (runs === 1 && reply !== undefined) replies += formatReply(reply);
      return reply;
    },
  });
  return { events: events as SmtpEvent[], replies };
}

describe("dialogues, whole, byte by byte and cut at every point", () => {
  it.each(dialogues)("$name ($rfc)", ({ flights, events, replies }) => {
    const heard = converse(flights);
    expect(heard.events.map(summary)).toEqual(events);
    expect(heard.replies.split("\r\n").slice(0, -1)).toEqual(replies);
  });

  it("gives each event its place in the byte stream: together they cover it", () => {
    const flights = [
      "EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<u@x.example>\r\nDATA\r\n",
      "..a\r\nb\r\n.\r\nQUIT\r\n",
    ];
    const { events } = converse(flights);
    const input = flights.join("");
    let at = 0;
    for (const event of events) {
      expect(event.start).toBe(at);
      at = event.end;
      if ("line" in event) expect(input.slice(event.start, event.end)).toBe(`${event.line}\r\n`);
    }
    expect(at).toBe(input.length);
  });

  it("every 2xx, 4xx and 5xx has an enhanced code of its class, but greeting and EHLO (RFC 2034 section 4)", () => {
    for (const { flights } of dialogues) {
      for (const line of converse(flights).replies.split("\r\n").slice(0, -1)) {
        if (line.endsWith(" mail.example") || line.endsWith(" ESMTP") || line.startsWith("3")) continue;
        // What is wrong with an EHLO or HELO.
        if (/^50[01] (?:Say|Line|NUL) /.test(line)) continue;
        expect(line).toMatch(/^([245])[0-9]{2}[ -]\1\.[0-9]+\.[0-9]+ /);
      }
    }
  });
});

describe("a client that does not wait", () => {
  it.each([
    ["before 220", "", "EHLO x\r\n"],
    ["before 354", OPEN, "content\r\n.\r\n"],
  ])("%s: 554 5.5.0, and nothing more is read (RFC 5321 section 4.3.1)", (_, before, early) => {
    const session = new SmtpSession();
    let said = "";
    const turn = (): void => {
      for (let event = session.next(); event !== undefined; event = session.next()) {
        const reply = acceptAll(event);
        if (reply !== undefined) said += session.send(reply);
      }
    };
    if (before !== "") {
      turn();
      session.receive(Buffer.from(before + early));
    } else {
      session.receive(Buffer.from(early));
    }
    turn();
    expect(said).toMatch(/554 5\.5\.0 [^\r\n]+\r\n$/);
    expect(said).not.toContain("354");
    expect(session.finished).toBe(true);
    expect(session.failure).toMatchObject({ code: "early-input", blame: "remote" });
  });
});

describe("notices", () => {
  it("a timeout is answered by 421, wherever it comes", () => {
    for (const before of ["", "NOO", OPEN]) {
      const { session, say } = opened(before);
      session.notify("timeout");
      expect(say()).toBe("421 4.4.2 Timed out waiting for you\r\n");
      expect(session.finished).toBe(true);
    }
  });

  it("a shutdown waits for the end of a message under way, then says 421 (RFC 5321 section 3.8)", () => {
    const { session, say } = opened(OPEN);
    session.notify("drain");
    session.receive(Buffer.from("text\r\n"));
    expect(say()).toBe("");
    session.receive(Buffer.from(".\r\n"));
    expect(say()).toBe("250 2.0.0 Ok\r\n421 4.3.2 The server is shutting down, try again later\r\n");
    expect(session.finished).toBe(true);
  });

  function opened(before: string): { session: SmtpSession; say: () => string } {
    const session = new SmtpSession();
    const say = (): string => {
      let said = "";
      for (let event = session.next(); event !== undefined; event = session.next()) {
        const reply = acceptAll(event);
        if (reply !== undefined) said += session.send(reply);
      }
      return said;
    };
    say();
    session.receive(Buffer.from(before));
    say();
    return { session, say };
  }
});

describe("replies that do not fit are refused before a byte is made", () => {
  it("nothing but 421 comes unasked, 354 answers DATA alone, 2xx never does", () => {
    const session = new SmtpSession();
    session.next();
    expect(() => session.send({ code: 354, lines: ["go"] })).toThrow(/354/);
    session.send({ code: 220, lines: ["x"] });
    expect(() => session.send({ code: 250, lines: ["x"] })).toThrow(/nothing is to be answered/);
    expect(session.send({ code: 421, enhanced: "4.3.2", lines: ["bye"] })).toBe("421 4.3.2 bye\r\n");
    expect(session.finished).toBe(true);
  });

  it("a greeting is 220, 554 or 421 (RFC 5321 section 3.1)", () => {
    for (const code of [250, 450, 550]) {
      const session = new SmtpSession();
      session.next();
      expect(() => session.send({ code, lines: ["x"] })).toThrow(/220, 554 or 421/);
    }
  });

  it("554 as greeting leaves QUIT only (RFC 5321 section 3.1)", () => {
    const session = new SmtpSession();
    session.next();
    session.send({ code: 554, enhanced: "5.7.1", lines: ["not you"] });
    session.receive(Buffer.from("EHLO x\r\nQUIT\r\n"));
    expect(session.next()).toMatchObject({ type: "error", error: { code: "bad-sequence" } });
    session.send({ code: 503, enhanced: "5.5.1", lines: ["no"] });
    expect(session.next()).toMatchObject({ type: "quit" });
  });
});

it("a message over the limit is read to its end, then refused (RFC 1870 section 6.3)", () => {
  const flights = [OPEN, `${"x".repeat(70)}\r\n`.repeat(10) + ".\r\nQUIT\r\n"];
  const events = verifyDecoder<SmtpEvent, Reply>({
    session: () => new PoliteSession(flights, { messageSize: 500 }),
    input: flights.join(""),
    reply: acceptAll,
    // How much was handed on before the limit depends on the cut; what is said does not.
    normalise: (events) => events.filter((event) => event.type !== "data").map(summary),
  });
  expect(events).toEqual([
    "greeting",
    "ehlo client.example",
    "mail <a@b.example>",
    "rcpt <c@d.example>",
    "message",
    "message-end message-too-big",
    "quit",
  ]);
});

it("whatever comes, it neither throws nor depends on where TCP cuts, and each event has one reply", () => {
  const token = fc.constantFrom(
    "EHLO x",
    "MAIL FROM:<a@b.example>",
    "RCPT TO:<c@d.example>",
    "DATA",
    "RSET",
    "\r\n",
    "\r\n",
    "\r\n",
    "\r\n.\r\n",
    ".",
    "\r",
    "\n",
    "\0",
    "x",
    "<>",
    " SIZE=1",
    " BODY=BINARYMIME",
    "BDAT 9",
    "BDAT 3 LAST",
    "AUTH PLAIN",
    "AUTH LOGIN =",
    "*",
    "STARTTLS",
    "BOGUS\r\n",
    "\xff",
    "..\r\n",
    "QUIT",
  );
  const opening = fc.constantFrom("", "EHLO x\r\n", OPEN);
  fc.assert(
    fc.property(opening, fc.array(token, { maxLength: 25 }), (start, tokens) => {
      // What follows DATA and STARTTLS waits for the reply, if it was a command at all.
      const flights = (start + tokens.join("")).split(/(?<=(?:data|starttls) *\r\n)/i);
      const { events, replies } = converse(flights);
      const answered = events.filter((event) => event.type !== "data" && event.type !== "bdat");
      expect(replies.match(/^[2-5][0-9]{2} /gm)?.length).toBe(answered.length);
    }),
    { numRuns: 150 },
  );
});
