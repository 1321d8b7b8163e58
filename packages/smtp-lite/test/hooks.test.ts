// What hooks may answer, and what becomes of a client when they fail.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Listener } from "@tcpkit/core";
import type { SmtpHooks, SmtpServerOptions } from "../src/index.ts";
import { parsePath, serveSmtp, SmtpError, SmtpReply } from "../src/index.ts";
import { RawClient } from "./support.ts";

let listener: Listener | undefined;
const errors: unknown[] = [];

afterEach(async () => {
  errors.length = 0;
  await listener?.close({ deadline: 0 });
});

const MAIL = "MAIL FROM:<a@b.example>\r\n";
const RCPT = "RCPT TO:<c@d.example>\r\n";

async function start(hooks: Partial<SmtpHooks>, options: SmtpServerOptions = {}): Promise<RawClient> {
  const onError = (error: unknown): unknown => errors.push(error);
  listener = await serveSmtp({ onMessage: () => undefined, ...hooks }, { onError, ...options });
  const client = new RawClient(listener.port);
  client.write(options.lmtp === true ? "LHLO client.example\r\n" : "EHLO client.example\r\n");
  await client.codes(2);
  return client;
}

/** What the client hears of a message, one line a reply. */
async function deliver(client: RawClient, rcpt = RCPT, replies = 1): Promise<string[]> {
  client.write(`${MAIL}${rcpt}DATA\r\n`);
  await client.codes(2 + rcpt.split("\r\n").length - 1);
  client.write("text\r\n.\r\n");
  const heard: string[] = [];
  while (heard.length < replies) heard.push((await client.reply()).trimEnd());
  return heard;
}

describe("an SmtpReply refuses by being returned, too", () => {
  const no = new SmtpReply(550, "5.7.1", "not here");

  it.each([
    ["by RCPT", { onRcpt: () => no }],
    ["by an async RCPT", { onRcpt: async () => await Promise.resolve(no) }],
  ])("%s", async (_, hooks) => {
    const client = await start(hooks);
    client.write(MAIL + RCPT);
    expect(await client.codes(1)).toEqual(["250"]);
    expect(await client.reply()).toBe("550 5.7.1 not here\r\n");
  });

  it.each([
    ["at once", () => no],
    ["later", async () => await Promise.resolve(no)],
  ])("by onMessage, %s", async (_, onMessage) => {
    expect(await deliver(await start({ onMessage }))).toEqual(["550 5.7.1 not here"]);
    expect(errors).toEqual([]);
  });
});

describe("a failure of a hook is 451 and for the owner, whatever it is", () => {
  const upstream = new SmtpError("refused", "the server refused DATA", {
    reply: { code: 250, enhanced: "2.0.0", lines: ["fine, I took it"] },
  });

  it("a refusal that the hook's own SMTP client met is not ours: the mail is not lost", async () => {
    expect(await deliver(await start({ onMessage: () => Promise.reject(upstream) }))).toEqual([
      "451 4.3.0 Local error, try again later",
    ]);
    expect(errors).toEqual([upstream]);
  });

  it("so is an address that the hook could not parse", async () => {
    const client = await start({ onRcpt: () => parsePath("nonsense", "recipient") });
    client.write(MAIL + RCPT);
    expect(await client.codes(2)).toEqual(["250", "451"]);
  });

  it("an onError that throws ends nothing, nor does an error without words", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const onError = (): never => {
        throw new Error("no log");
      };
      // oxlint-disable-next-line prefer-promise-reject-errors -- programs do it
      const onMessage = (): unknown => Promise.reject(Object.create(null));
      expect(await deliver(await start({ onMessage }, { onError }))).toEqual([
        "451 4.3.0 Local error, try again later",
      ]);
      await listener?.close({ deadline: 0 });
      expect(await deliver(await start({ onMessage }, { onError: undefined }))).toEqual([
        "451 4.3.0 Local error, try again later",
      ]);
      expect(warn).toHaveBeenCalledTimes(2);
    } finally {
      warn.mockRestore();
    }
  });
});

describe("refusals of single recipients (RFC 2033 section 4.2)", () => {
  const two = "RCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\n";

  it("421 for one of them becomes 451: the others are still to hear of theirs", async () => {
    const client = await start(
      { onMessage: ({ to }) => new Map([[to[0], new SmtpReply(421, "4.3.2", "gone")]]) },
      { lmtp: true },
    );
    const [first, second] = await deliver(client, two, 2);
    expect(first).toBe("451 4.3.2 gone");
    expect(second).toMatch(/^250 /);
  });

  it("one for a recipient that is none would be heard by nobody: 451 for all, and for the owner", async () => {
    const client = await start(
      { onMessage: () => new Map([["c@d.example", new SmtpReply(550, "5.1.1", "no such user")]]) },
      { lmtp: true },
    );
    expect(await deliver(client, two, 2)).toEqual(Array(2).fill("451 4.3.0 Local error, try again later"));
    expect(errors).toMatchObject([{ message: "onMessage refused a recipient that is not in `envelope.to`" }]);
  });

  it("one that is heard does not hide another that is not", async () => {
    const no = new SmtpReply(550, "5.1.1", "no such user");
    const client = await start(
      {
        onMessage: ({ to }) =>
          new Map<unknown, SmtpReply>([
            [to[0], no],
            ["else@d.example", no],
          ]),
      },
      { lmtp: true },
    );
    expect(await deliver(client)).toEqual(["451 4.3.0 Local error, try again later"]);
  });

  it("there are none in SMTP; any other Map is just what a hook returned", async () => {
    const client = await start({
      onMessage: ({ to }) => new Map([[to[0], new SmtpReply(550, "5.1.1", "no such user")]]),
    });
    expect(await deliver(client)).toEqual(["451 4.3.0 Local error, try again later"]);
    await listener?.close({ deadline: 0 });
    const kept = new Map<string, unknown>();
    const other = await start({ onMessage: (envelope) => kept.set(envelope.id, envelope) });
    expect((await deliver(other))[0]).toMatch(/^250 /);
  });

  it("whatever a hook does to `envelope.to`, each recipient has its reply", async () => {
    const client = await start(
      { onMessage: ({ to }) => void (to as unknown as unknown[]).pop() },
      { lmtp: true },
    );
    for (const reply of await deliver(client, two, 2)) expect(reply).toMatch(/^250 /);
  });
});

it("HELP names what there is", async () => {
  const client = await start({}, { lmtp: true });
  client.write("HELP\r\n");
  expect(await client.reply()).toBe(
    "214-2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\r\n214 2.0.0 See RFC 2033\r\n",
  );
});
