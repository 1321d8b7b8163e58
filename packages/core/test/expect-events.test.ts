import { describe, expect, it } from "vitest";
import { expectEvents, pair, resetAfter } from "../src/testing/index.ts";

describe("expectEvents", () => {
  it("passes when the events come in order, with others between them, and names all that came", async () => {
    const { client, server } = pair();
    const events = expectEvents(server, [
      { data: (chunk) => String(chunk) === "two" },
      "end",
      { close: ({ kind }) => kind === "ended" },
    ]);
    client.write("one");
    client.write("two");
    client.end();
    expect(await events).toEqual(["data", "data", "end", "close"]);
  });

  it("fails when the connection closes first, and says which events did come", async () => {
    const { client, server } = pair({ faults: { toServer: resetAfter(5) } });
    const events = expectEvents(server, ["data", "end", "close"]);
    client.write("hello, world");
    await expect(events).rejects.toThrow(
      'the connection closed, while awaiting end, event 2 of 3 that were expected. Events so far: data "hello", error reset, close reset',
    );
  });

  it("fails when they come in another order", async () => {
    const { client, server } = pair();
    const events = expectEvents(server, ["end", "data"]);
    client.write("first");
    client.end();
    await expect(events).rejects.toMatchObject({
      name: "AssertionError",
      actual: ["data", "end", "close"],
      expected: ["end", "data"],
    });
  });

  it("fails when a payload is another, or its test throws", async () => {
    const { client, server } = pair();
    const reason = expectEvents(server, [{ close: ({ kind }) => kind === "reset" }]);
    const thrown = expectEvents(server, [
      {
        data: (chunk) => {
          expect(String(chunk)).toBe("expected");
          return true;
        },
      },
    ]);
    client.write("another");
    client.end();
    await expect(reason).rejects.toThrow("awaiting close (with a test)");
    await expect(thrown).rejects.toThrow("expected 'another' to be 'expected'");
  });

  it("fails at once on a connection that has closed before, and when its signal aborts", async () => {
    const { client, server } = pair();
    const controller = new AbortController();
    const waiting = expectEvents(server, ["timeout"], { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow("gave up, while awaiting timeout");
    await expect(expectEvents(server, ["end"], { signal: controller.signal })).rejects.toThrow("gave up");
    const ended = expectEvents(server, ["close"]);
    client.end();
    await ended;
    await expect(expectEvents(server, ["close"])).rejects.toThrow("had closed before");
    expect(server.listenerCount("data")).toBe(0);
  });
});
