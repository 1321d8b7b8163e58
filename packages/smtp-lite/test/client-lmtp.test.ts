// LMTP, where each recipient has a reply of its own: which replies there are, and whose.
import { describe, expect, it } from "vitest";
import { connectSmtp, sendMail, serveSmtp } from "../src/index.ts";
import { EHLO, lineServer, polite } from "./line-server.ts";

const to = ["one@d.example", "two@d.example", "three@d.example"] as const;
const mail = { from: "a@b.example", to, data: "x\r\n" } as const;

/** Says yes, and to the end of a message this. */
function ending(verdicts: string) {
  return (line: string): string => {
    if (line.startsWith("LHLO")) return EHLO;
    return line === "." ? verdicts : polite(line);
  };
}

describe("421 among the replies to a message (RFC 2033 section 4.2)", () => {
  it("does not take back what recipients before it were told", async () => {
    await using server = await lineServer(ending("250 ok\r\n550 5.1.1 no\r\n421 4.3.2 going down"));
    await using client = await connectSmtp({ port: server.port, protocol: "lmtp" });
    const [first, second] = await Promise.allSettled([client.send(mail), client.send(mail)]);
    expect(first).toMatchObject({
      value: {
        accepted: [to[0]],
        refused: [
          { address: to[1], reply: { code: 550 } },
          { address: to[2], reply: { code: 421 } },
        ],
      },
    });
    expect(second).toMatchObject({
      reason: { code: "connection-closed", attempt: { outcome: "not-accepted" } },
    });
  });

  it.each(["421 4.3.2 going down", "550 5.1.1 no\r\n421 4.3.2 going down"])(
    "ends the message where nobody has it: %j",
    async (verdicts) => {
      await using server = await lineServer(ending(verdicts));
      await expect(sendMail({ port: server.port, protocol: "lmtp", ...mail })).rejects.toMatchObject({
        code: "connection-closed",
        reply: { code: 421 },
        attempt: { outcome: "not-accepted" },
      });
    },
  );
});

it.each([5, 1])("a stream of which one of %j chunks is refused leaves no reply too few", async (chunks) => {
  const got: (readonly string[])[] = [];
  await using server = await serveSmtp(
    {
      async onMessage({ to }, body) {
        await body.consume(() => undefined);
        got.push(to.map(({ localPart }) => localPart));
      },
    },
    { lmtp: true, limits: { messageSize: 1000 } },
  );
  async function* tooBig(): AsyncGenerator<Uint8Array> {
    for (let chunk = 0; chunk < chunks; chunk++) yield Buffer.from(`${"x".repeat(1200 / chunks)}\r\n`);
  }
  await using client = await connectSmtp({ port: server.port, protocol: "lmtp" });
  const results = await Promise.allSettled([
    client.send({ ...mail, data: tooBig() }),
    client.send({ ...mail, to: "four@d.example" }),
    client.send(mail),
  ]);
  expect(results).toMatchObject([
    { reason: { code: "refused", reply: { code: 552 } } },
    { value: { accepted: ["four@d.example"] } },
    { value: { accepted: to } },
  ]);
  expect(got).toEqual([["four"], ["one", "two", "three"]]);
});
