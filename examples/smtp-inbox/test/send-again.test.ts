// How a program that sends mail is tested: with an inbox that greylists, fails and loses connections, each on purpose.
import { connect, listen } from "@tcpkit/core";
import { createTestInbox, FaultPolicy, greylist, SmtpReply } from "@tcpkit/smtp-lite";
import type { FaultRule, TestInbox } from "@tcpkit/smtp-lite";
import { describe, expect, it } from "vitest";
import { sendAgain } from "../src/send-again.ts";

function start(...rules: FaultRule[]): Promise<TestInbox> {
  return createTestInbox({ faults: new FaultPolicy(rules) });
}

const unknown = new SmtpReply(550, "5.1.1", "No such user");

function send({ port }: Pick<TestInbox, "port">, ...to: string[]): Promise<number> {
  if (to.length === 0) to.push("bob@example.org");
  const data = "Message-ID: <1@example.com>\nSubject: hello\n\nHello!\n";
  return sendAgain({ port, from: "ann@example.com", to, data, attempts: 3, pause: 1 });
}

/** Whom the messages were for, one text each. */
function receivers(inbox: TestInbox): string[] {
  return inbox.messages.map(({ envelope }) => envelope.to.map(({ address }) => address).join());
}

describe("sending again", () => {
  it("gets a message through greylisting, once", async () => {
    await using inbox = await start(greylist());
    expect(await send(inbox)).toBe(2);
    expect((await inbox.next({ to: "bob@example.org" })).subject).toBe("hello");
    expect(inbox.messages).toHaveLength(1);
  });

  it("gets it through a connection that was lost", async () => {
    await using inbox = await start({ at: "data", attempt: [1, 2], fault: { type: "drop" } });
    expect(await send(inbox)).toBe(3);
    expect(inbox.messages).toHaveLength(1);
  });

  it("sends it twice when the 250 was lost, and both can be told to be one", async () => {
    await using inbox = await start({ at: "end", attempt: 1, fault: { type: "lose-reply" } });
    expect(await send(inbox)).toBe(2);
    const ids = inbox.messages.map(({ header }) => header.get("Message-ID"));
    expect(ids).toEqual(["<1@example.com>", "<1@example.com>"]);
  });

  it("gets it to each recipient once, when one of them is greylisted", async () => {
    await using inbox = await start({ ...greylist(), to: "bob@example.org" });
    expect(await send(inbox, "cy@example.org", "bob@example.org")).toBe(2);
    expect(receivers(inbox)).toEqual(["cy@example.org", "bob@example.org"]);
  });

  it("gives up those who are refused for good, and nobody else", async () => {
    const noEve: FaultRule = { at: "rcpt", to: "eve@example.org", fault: { type: "reply", reply: unknown } };
    await using inbox = await start(noEve, greylist());
    // The first time nobody is taken, for one reason or the other.
    await expect(send(inbox, "eve@example.org", "bob@example.org")).rejects.toMatchObject({
      message: "not delivered to eve@example.org",
      reasons: new Map([["eve@example.org", expect.objectContaining({ code: 550 })]]),
    });
    expect(receivers(inbox)).toEqual(["bob@example.org"]);
  });

  it("gets it through once the server is up", async () => {
    const free = await listen();
    const { port } = free;
    await free.close();
    const sent = sendAgain({
      port,
      from: "ann@example.com",
      to: ["bob@example.org"],
      data: "Hello!\n",
      attempts: 12,
      pause: 1,
    });
    // Its first attempt was before these, and met nobody either.
    for (let count = 0; count < 3; count++) await expect(connect({ port })).rejects.toThrow("nobody listens");
    await using inbox = await createTestInbox({ port });
    expect(await sent).toBeGreaterThan(1);
    expect(inbox.messages).toHaveLength(1);
  });

  it("gives up after the last attempt, and says whom it did not reach", async () => {
    await using strict = await start({ at: "rcpt", fault: { type: "reply", reply: unknown } });
    const reason = (code: unknown): object => ({
      reasons: new Map([["bob@example.org", expect.objectContaining({ code })]]),
    });
    await expect(send(strict)).rejects.toMatchObject(reason(550));
    await using patient = await start(greylist({ attempts: 5 }));
    await expect(send(patient)).rejects.toMatchObject(reason(450));
    expect([...strict.messages, ...patient.messages]).toEqual([]);
    const { port } = strict;
    await strict.close();
    await expect(send({ port })).rejects.toMatchObject(reason("connection-refused"));
  });
});
