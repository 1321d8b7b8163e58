import { lookup, reverse } from "node:dns/promises";
import type { LookupAddress } from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DeadlineTimer } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import type { Envelope, SmtpServerOptions } from "../src/index.ts";
import { serveSmtp } from "../src/index.ts";
import { confirmedName } from "../src/reverse-lookup.ts";
import { RawClient } from "./support.ts";

vi.mock("node:dns/promises", { spy: true });

let listener: Listener | undefined;
afterEach(async () => {
  vi.resetAllMocks();
  await listener?.close({ deadline: 0 });
});

/** What the server knew of a client when it connected, and of its message. */
async function deliver(options: SmtpServerOptions): Promise<{ known: string[]; envelope: Envelope }> {
  const known: string[] = [];
  const { promise, resolve } = Promise.withResolvers<Envelope>();
  const hooks = {
    onConnect: ({ remoteName }: { remoteName: string | undefined }) => known.push(String(remoteName)),
    onMessage: resolve,
  };
  listener = await serveSmtp(hooks, { hostname: "mail.example", ...options });
  const client = new RawClient(listener.port);
  client.write("");
  expect(await client.codes(1)).toEqual(["220"]);
  client.write("EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
  await client.codes(4);
  client.write(".\r\n");
  return { known, envelope: await promise };
}

describe("the option reverseLookup", () => {
  it("is off: nobody asks DNS", async () => {
    const { known, envelope } = await deliver({});
    expect(known).toEqual(["undefined"]);
    expect(envelope).toMatchObject({ remoteName: undefined });
    expect(reverse).not.toHaveBeenCalled();
  });

  it("gives the hooks and the Received line the client's name (RFC 5321 section 4.4)", async () => {
    const asked: string[] = [];
    const { known, envelope } = await deliver({
      async reverseLookup(address) {
        asked.push(address);
        return await Promise.resolve("one.example");
      },
    });
    expect({ asked, known }).toEqual({ asked: ["127.0.0.1"], known: ["one.example"] });
    expect(envelope.remoteName).toBe("one.example");
    expect(envelope.received).toContain("from client.example (one.example [127.0.0.1])\r\n");
  });

  it.each([
    ["fails", () => Promise.reject(new Error("no such host"))],
    [
      "throws",
      () => {
        throw new Error("no DNS");
      },
    ],
    ["gives no domain, which could break the line", () => Promise.resolve("x) by evil;")],
  ])("goes without where the lookup %s", async (_, reverseLookup) => {
    const { envelope } = await deliver({ reverseLookup });
    expect(envelope.remoteName).toBeUndefined();
    expect(envelope.received).toContain("from client.example ([127.0.0.1])");
  });

  it("waits 5 seconds for it, and no longer", async () => {
    const clock = fakeClock();
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const delivered = deliver({
      timer: new DeadlineTimer(clock),
      reverseLookup() {
        resolve();
        return new Promise(() => {});
      },
    });
    await asked;
    clock.advance(6000);
    expect((await delivered).envelope.remoteName).toBeUndefined();
  });
});

describe("a name by DNS", () => {
  const found = (...addresses: string[]): LookupAddress[] =>
    addresses.map((address) => ({ address, family: 4 }));

  it("counts where it leads back to the address (RFC 8601 section 2.7.3)", async () => {
    vi.mocked(reverse).mockResolvedValue(["claimed.example", "gone.example", "own.example"]);
    vi.mocked(lookup).mockImplementation((async (name: string) => {
      if (name === "gone.example") throw new Error("ENOTFOUND");
      return await Promise.resolve(
        name === "own.example" ? found("192.0.2.7", "192.0.2.1") : found("192.0.2.2"),
      );
    }) as never);
    expect(await confirmedName("192.0.2.1")).toBe("own.example");
    expect(await confirmedName("192.0.2.9")).toBeUndefined();
  });

  it("is looked for among ten", async () => {
    vi.mocked(reverse).mockResolvedValue(Array.from({ length: 1000 }, (_, index) => `n${index}.example`));
    vi.mocked(lookup).mockResolvedValue([] as never);
    expect(await confirmedName("192.0.2.1")).toBeUndefined();
    expect(lookup).toHaveBeenCalledTimes(10);
  });
});
