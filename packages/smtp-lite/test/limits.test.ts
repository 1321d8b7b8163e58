// Limits as options: what is refused, what is the default, and what EHLO says of them.
import { describe, expect, it } from "vitest";
import type { SmtpLimits } from "../src/index.ts";
import { serveSmtp, SmtpError, SmtpSession } from "../src/index.ts";
import { RawClient } from "./support.ts";

async function keywords(limits: Partial<SmtpLimits>): Promise<string[]> {
  await using smtp = await serveSmtp({ onMessage: () => undefined }, { limits });
  const client = new RawClient(smtp.port);
  client.write("EHLO x\r\nQUIT\r\n");
  await client.reply();
  const reply = await client.reply();
  await client.rest();
  return reply
    .trimEnd()
    .split("\r\n")
    .map((line) => line.slice(4))
    .filter((line) => /^(?:SIZE|LIMITS)/.test(line));
}

describe("limits", () => {
  it.each([
    [{}, ["SIZE 26214400", "LIMITS RCPTMAX=100"]],
    [{ messageSize: undefined, recipients: undefined }, ["SIZE 26214400", "LIMITS RCPTMAX=100"]],
    [{ messageSize: Infinity }, ["SIZE 0", "LIMITS RCPTMAX=100"]],
    [{ recipients: Infinity }, ["SIZE 26214400"]],
    [{ recipients: Infinity, messages: 5 }, ["SIZE 26214400", "LIMITS MAILMAX=5"]],
    [{ recipients: 1_000_000, messages: 999_999 }, ["SIZE 26214400", "LIMITS MAILMAX=999999"]],
  ])("%j are announced by numbers, and only where they bound (RFC 1870, RFC 9422)", async (limits, said) => {
    expect(await keywords(limits as Partial<SmtpLimits>)).toEqual(said);
  });

  it.each([
    { messageSize: Number.NaN },
    { messageSize: -1 },
    { messageSize: 0 },
    { messageSize: 2 ** 60 },
    { textLine: 10.5 },
    { recipients: -Infinity },
    { dataRate: "100" as unknown as number },
  ])("%j are refused", async (limits) => {
    const refused = expect.objectContaining({ name: "SmtpError", code: "bad-argument", blame: "local" });
    await expect(serveSmtp({ onMessage: () => undefined }, { limits })).rejects.toEqual(refused);
    expect(() => new SmtpSession({ limits })).toThrow(SmtpError);
  });

  it("are read when the server is made: the object is the caller's to use again", async () => {
    const limits = { messageSize: 1000 };
    await using smtp = await serveSmtp({ onMessage: () => undefined }, { limits });
    limits.messageSize = 2000;
    expect(await keywords(limits)).toEqual(["SIZE 2000", "LIMITS RCPTMAX=100"]);
    const client = new RawClient(smtp.port);
    client.write("EHLO x\r\nMAIL FROM:<> SIZE=1500\r\nQUIT\r\n");
    expect(await client.codes(4)).toEqual(["220", "250", "552", "221"]);
  });
});
