import { once } from "node:events";
import { connect, drive } from "@tcpkit/core";
import type { Connection, Tap } from "@tcpkit/core";
import { pair, splitEvery, verifyDecoder } from "@tcpkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { echo, EchoSession, serveEcho } from "../src/index.ts";

describe("the session", () => {
  it("gives every byte back, with its offsets, however TCP cuts them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (input) => {
        const events = verifyDecoder({
          session: () => new EchoSession(),
          input,
          reply: (event) => event.bytes,
          trailing: "more",
          // What comes behind joins the same piece: compare the bytes themselves.
          normalise: (all) => all.flatMap((event) => [...event.bytes]),
        });
        expect(events).toEqual([...input]);
      }),
    );
  });
});

describe("the server", () => {
  it("echoes over TCP until the client ends, and then ends too (RFC 862)", async () => {
    await using server = await serveEcho();
    const client = await connect({ port: server.port });
    const sent = Buffer.from("äöü\0\r\n and more ".repeat(10_000));
    const chunks: Buffer[] = [];
    client.on("data", (chunk) => chunks.push(chunk));
    client.write(sent);
    client.end();
    const reason = await new Promise<{ kind: string }>((resolve) => client.once("close", resolve));
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    expect(reason.kind).toBe("local");
  });

  it("echoes byte by byte in memory", async () => {
    const { client, server } = pair({ faults: splitEvery(1) });
    drive(server, echo, (event) => event.bytes);
    let text = "";
    client.on("data", (chunk) => (text += String(chunk)));
    client.write("hello");
    client.end();
    await new Promise((resolve) => client.once("close", resolve));
    expect(text).toBe("hello");
  });

  it("holds a client that does not read to a bounded amount, and goes on serving others", async () => {
    let paused = (): void => {};
    const tap: Tap = { observe: ({ kind }) => (kind === "pause" ? paused() : undefined) };
    await using server = await serveEcho({ tap });
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const greedy = await connect({ port: server.port });
    const [connection] = await accepted;
    greedy.pause();
    const piece = Buffer.alloc(1_000_000);
    const fill = (): void => {
      while (greedy.write(piece));
    };
    greedy.on("drain", fill);
    fill();
    // Our side cannot send what it received, so it stops reading: the pause is what holds the client back.
    await new Promise<void>((resolve) => {
      paused = resolve;
    });
    expect(connection.bytesBuffered).toBeLessThan(1_000_000);
    const other = await connect({ port: server.port });
    other.write("hi");
    const [chunk] = await new Promise<[Buffer]>((resolve) => other.once("data", (data) => resolve([data])));
    expect(String(chunk)).toBe("hi");
    other.end();
    greedy.destroy();
  });
});
