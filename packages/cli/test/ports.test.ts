import { listen, TcpError } from "@tcpkit/core";
import { afterEach, expect, it } from "vitest";
import { openOn } from "../src/ports.ts";
import type { Listening, Open } from "../src/services/service.ts";

const open: Open = (port) => listen({ port });
const closing: Listening[] = [];

afterEach(async () => {
  for (const item of closing.splice(0)) await item.close();
});

/** Refuses as a busy port does, up to and without `free`. */
function busyBefore(free: number, tried: number[]): Open {
  return async (port) => {
    tried.push(port);
    if (port < free) throw new TcpError("address-in-use", `${port} is already in use`);
    const listener = await listen({ port: 0 });
    closing.push(listener);
    return listener;
  };
}

it("0 gives any free port", async () => {
  const { listener, wanted } = await openOn("echo", "127.0.0.1", 0, open);
  closing.push(listener);
  expect(listener.port).toBeGreaterThan(0);
  expect(wanted).toBeUndefined();
});

it("a port that was asked for and is busy is refused by name, and nothing else is tried", async () => {
  await using taken = await listen();
  const { port } = taken;
  await expect(openOn("echo", "127.0.0.1", port, open)).rejects.toMatchObject({
    code: "error.port-busy",
    exitCode: 1,
    parameters: { host: "127.0.0.1", port },
  });
});

it("a default port that is busy is passed over for the next free one", async () => {
  const tried: number[] = [];
  const { wanted } = await openOn("http", "127.0.0.1", undefined, busyBefore(8083, tried));
  expect(tried).toEqual([8080, 8081, 8082, 8083]);
  expect(wanted).toBe(8080);
});

it("a default port that is free is taken without a word", async () => {
  const { wanted } = await openOn("smtp", "127.0.0.1", undefined, busyBefore(0, []));
  expect(wanted).toBeUndefined();
});

it("the search for a free port ends", async () => {
  const tried: number[] = [];
  const search = openOn("echo", "127.0.0.1", undefined, busyBefore(70_000, tried));
  await expect(search).rejects.toMatchObject({ code: "error.no-free-port", exitCode: 1 });
  // It must not wander into the ports of the others.
  expect(Math.max(...tried)).toBeLessThan(7070);
});

it.each([
  ["permission-denied", "error.port-forbidden"],
  ["address-unavailable", "error.bad-host"],
  ["transport-failed", "error.cannot-listen"],
] as const)("%s becomes %s, and no other port is tried", async (code, expected) => {
  const refuse: Open = () => Promise.reject(new TcpError(code, "no"));
  await expect(openOn("echo", "host", undefined, refuse)).rejects.toMatchObject({
    code: expected,
    exitCode: 1,
  });
});
