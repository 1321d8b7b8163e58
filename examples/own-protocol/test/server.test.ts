// The whole of it: in memory with a clock in the hand, over loopback, and as two programs.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { connect, DeadlineTimer, drive, encodeLengthPrefixed, listen } from "@tcpkit/core";
import type { CloseReason, Connection } from "@tcpkit/core";
import { fakeClock, pair, splitEvery } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { connectRpc, RpcClient } from "../src/client.ts";
import { rpc } from "../src/protocol.ts";
import { answer, serveRpc } from "../src/server.ts";

const SRC = join(import.meta.dirname, "../src");
const frame = (content: string): Buffer => encodeLengthPrefixed(Buffer.from(content));

function closed(connection: Connection): Promise<CloseReason> {
  return new Promise((resolve) => connection.once("close", resolve));
}

describe("in memory", () => {
  it("answers calls in order, with every byte a chunk of its own", async () => {
    const { client, server } = pair({ faults: splitEvery(1) });
    drive(server, rpc, answer);
    const calls = new RpcClient(client);
    const order: string[] = [];
    const results = await Promise.all([
      calls.call("sleep", [1]).finally(() => order.push("sleep")),
      calls.call("add", [2, 3]).finally(() => order.push("add")),
      calls.call("echo", { text: "你好" }).finally(() => order.push("echo")),
    ]);
    expect(results).toEqual(["awake", 5, { text: "你好" }]);
    expect(order).toEqual(["sleep", "add", "echo"]);
    calls.close();
    expect(await closed(server)).toEqual({ kind: "ended" });
  });

  it("gives a frame a second, however often a byte of it comes", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ connection: { timer: new DeadlineTimer(clock) } });
    drive(server, rpc, answer, { deadlines: { message: 1_000 } });
    const reason = closed(server);
    for (const byte of [0, 0, 0, 99, 123]) {
      const arrived = once(server, "data");
      client.write(Uint8Array.of(byte));
      await arrived;
      clock.advance(200);
    }
    expect(server.closeReason).toBeUndefined();
    clock.advance(200);
    expect(await reason).toEqual({ kind: "timeout", deadline: "message" });
  });
});

describe("over loopback", () => {
  it("says in its own words what was wrong, and goes on", async () => {
    await using server = await serveRpc();
    const client = await connectRpc({ port: server.port });
    await expect(client.call("divide", [1, 0])).rejects.toMatchObject({ code: "unknown-method" });
    await expect(client.call("constructor")).rejects.toMatchObject({ code: "unknown-method" });
    await expect(client.call("add", ["2", 3])).rejects.toMatchObject({ code: "bad-params" });
    expect(await client.call("add", [0.5, 0.25])).toBe(0.75);
    client.close();
  });

  it("answers a frame that is no JSON, and the one behind it", async () => {
    await using server = await serveRpc();
    const client = await connect({ port: server.port });
    client.write(Buffer.concat([frame("nonsense"), frame(`{"jsonrpc":"2.0","id":1,"method":"echo"}`)]));
    client.end();
    expect(await readAll(client)).toEqual([
      { jsonrpc: "2.0", id: null, error: { code: -32700, message: "the frame holds no JSON in UTF-8" } },
      { jsonrpc: "2.0", id: 1, result: null },
    ]);
  });

  it("answers a frame that is too long, then closes for reason protocol", async () => {
    await using server = await serveRpc();
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const client = await connect({ port: server.port });
    const [connection] = await accepted;
    const reason = closed(connection);
    client.write("GET / HTTP/1.1\r\n\r\n");
    expect(await readAll(client)).toMatchObject([{ id: null, error: { code: -32000 } }]);
    expect(await reason).toMatchObject({ kind: "protocol", cause: { code: "frame-too-long", offset: 0 } });
  });

  it("answers no call without an id, whatever comes of it", async () => {
    await using server = await serveRpc();
    const client = await connect({ port: server.port });
    for (const method of ["echo", "none"]) client.write(frame(`{"jsonrpc":"2.0","method":"${method}"}`));
    client.end();
    expect(await readAll(client)).toEqual([]);
  });

  it("makes a failure of a result that fits no frame", async () => {
    await using server = await serveRpc();
    const client = await connectRpc({ port: server.port });
    const long = Array.from({ length: 8_000 }, () => 1e20); // comes back as 100000000000000000000
    const text = `{"jsonrpc":"2.0","id":9,"method":"echo","params":[${"1e20,".repeat(long.length)}0]}`;
    const raw = await connect({ port: server.port });
    raw.write(frame(text));
    raw.end();
    expect(await readAll(raw)).toMatchObject([{ id: 9, error: { code: -32603 } }]);
    await expect(client.call("echo", long)).rejects.toMatchObject({ code: "frame-too-long", blame: "local" });
    expect(await client.call("echo", "still here")).toBe("still here");
    client.close();
  });
});

describe("the client", () => {
  it("rejects what is under way when the connection goes, and what comes after", async () => {
    await using server = await listen();
    server.on("connection", (connection) => connection.on("data", () => connection.reset()));
    const client = await connectRpc({ port: server.port });
    await expect(client.call("add", [1])).rejects.toMatchObject({ code: "closed" });
    await expect(client.call("add", [1])).rejects.toMatchObject({ code: "closed" });
  });

  it.each([
    ["no answer", "nonsense"],
    ["an answer to what nobody asked", `{"jsonrpc":"2.0","id":99,"result":1}`],
  ])("leaves a server that gives %s", async (_name, reply) => {
    const { client, server } = pair();
    server.on("data", () => server.write(frame(reply)));
    await expect(new RpcClient(client).call("add", [1])).rejects.toMatchObject({ code: "closed" });
  });
});

it("runs as two programs", { timeout: 30_000 }, async () => {
  const server = spawn(process.execPath, [join(SRC, "server.ts"), "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [banner] = (await once(createInterface(server.stdout), "line")) as [string];
  const port = /:(\d+);/.exec(banner)?.[1] ?? "";
  const call = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [join(SRC, "client.ts"), ...args, port]);
  expect((await call("add", "[2,3]")).stdout).toBe("5\n");
  await expect(call("divide", "[1,0]")).rejects.toMatchObject({
    code: 1,
    stderr: "unknown-method: there is no method divide\n",
  });
  server.kill("SIGINT");
  expect(await once(server, "exit")).toEqual([0, null]);
});

/** Every message that comes until the end, as it is on the wire. */
async function readAll(connection: Connection): Promise<unknown[]> {
  const chunks: Buffer[] = [];
  connection.on("data", (chunk) => chunks.push(chunk));
  await once(connection, "end");
  let bytes = Buffer.concat(chunks);
  const messages: unknown[] = [];
  while (bytes.length > 0) {
    const end = 4 + bytes.readUInt32BE();
    messages.push(JSON.parse(bytes.toString("utf8", 4, end)));
    bytes = bytes.subarray(end);
  }
  return messages;
}
