// How a program that sends mail is tested: with an inbox that greylists, fails and loses connections, each on purpose.
import { createTestInbox, FaultPolicy, greylist, SmtpReply } from "@tcpkit/smtp-lite";
import type { FaultRule, TestInbox } from "@tcpkit/smtp-lite";
import { describe, expect, it } from "vitest";
import { sendAgain } from "../src/send-again.ts";

function start(...rules: FaultRule[]): Promise<TestInbox> {
  return createTestInbox({ faults: new FaultPolicy(rules) });
}

function send({ port }: TestInbox): Promise<number> {
  const data = "Message-ID: <1@example.com>\nSubject: hello\n\nHello!\n";
  return sendAgain({ port, from: "ann@example.com", to: "bob@example.org", data, attempts: 3, pause: 1 });
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

  it("gives up at a refusal for good, and after the last attempt", async () => {
    const unknown = new SmtpReply(550, "5.1.1", "No such user");
    await using strict = await start({ at: "rcpt", fault: { type: "reply", reply: unknown } });
    await expect(send(strict)).rejects.toMatchObject({ reply: { code: 550 } });
    await using patient = await start(greylist({ attempts: 5 }));
    await expect(send(patient)).rejects.toMatchObject({ reply: { code: 450 } });
    expect([...strict.messages, ...patient.messages]).toEqual([]);
  });
});
