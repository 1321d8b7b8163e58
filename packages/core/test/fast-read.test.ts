import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, it } from "vitest";
import { withFastRead } from "../src/fast-read.ts";
import { rawClient } from "./support.ts";

// If this fails on a new version of Node, nothing is broken but speed: see fast-read.ts.
it("is in use unless it is switched off, and hands out chunks that stay as they are", async () => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepting = once(server, "connection") as Promise<[Socket]>;
  const client = await rawClient((server.address() as AddressInfo).port);
  const [accepted] = await accepting;
  const socket = withFastRead(accepted);
  expect(socket !== accepted).toBe(process.env["TCPKIT_FAST_READ"] !== "off");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.resume();
  for (const text of ["one", "two", "three"]) {
    client.write(text);
    await once(socket, "data");
  }
  client.end();
  await once(socket, "end");
  expect(chunks.map(String)).toEqual(["one", "two", "three"]);
  socket.end();
  // The server counts the connection once: it closes when that has ended.
  server.close();
  await once(server, "close");
});
