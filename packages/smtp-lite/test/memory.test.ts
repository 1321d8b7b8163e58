// Memory does not grow with a message: neither the server's, which hands it on, nor that of the client that sends it.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { sendMail } from "../src/index.ts";

const MIB = 1024 * 1024;
/** What memory may grow by: much less than goes through, much more than buffers and garbage need. */
const ROOM = 256 * MIB;
const LINE = `${"x".repeat(62)}\r\n`;
const PIECE = Buffer.from(LINE.repeat(MIB / LINE.length));

async function* content(mebibytes: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < mebibytes; sent++) yield PIECE;
}

it("a message of 1 GiB goes through", { timeout: 60_000 }, async () => {
  const server = fork(fileURLToPath(new URL("memory-server.ts", import.meta.url)));
  onTestFinished(() => void server.kill());
  const [{ port }] = (await once(server, "message")) as [{ port: number }];
  const send = async (mebibytes: number): Promise<{ size: number; peak: number; ownPeak: number }> => {
    await sendMail({ port, from: "a@b.example", to: "c@d.example", data: content(mebibytes) });
    const told = once(server, "message") as Promise<[{ size: number; peak: number }]>;
    server.send("report");
    return { ...(await told)[0], ownPeak: process.resourceUsage().maxRSS * 1024 };
  };
  // What everybody needs is loaded before anything is measured.
  const before = await send(16);
  const after = await send(1024);
  expect(after.size).toBe(1024 * MIB);
  expect(after.peak - before.peak).toBeLessThan(ROOM);
  expect(after.ownPeak - before.ownPeak).toBeLessThan(ROOM);
});
