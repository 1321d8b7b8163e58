import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connect, createListener, listen, serve, lineProtocol } from "../src/index.ts";
import { closed, joined, rawClient } from "./support.ts";

describe("listen", () => {
  it("knows its address only once it listens", async () => {
    const listener = createListener({ port: 0 });
    expect(() => listener.address).toThrow(expect.objectContaining({ code: "not-listening" }));
    const heard = once(listener, "listening");
    await listener.listen();
    await heard;
    expect(listener.address).toEqual({ kind: "tcp", host: "127.0.0.1", port: listener.port });
    expect(listener.port).toBeGreaterThan(0);
    await listener.close();
  });

  it("rejects, and emits error where somebody listens, when the port is busy", async () => {
    await using first = await listen();
    const second = createListener({ port: first.port });
    const codes: string[] = [];
    second.on("error", (error) => codes.push(error.code));
    let closes = 0;
    second.on("close", () => (closes += 1));
    await expect(second.listen()).rejects.toMatchObject({ code: "address-in-use", blame: "local" });
    await expect(listen({ port: first.port })).rejects.toMatchObject({ code: "address-in-use" });
    expect(codes).toEqual(["address-in-use"]);
    expect(closes).toBe(0);
  });

  it.each([
    [{ port: 70_000 }, "bad-option"],
    [{ host: "203.0.113.1" }, "address-unavailable"],
    [{ path: "/no/such/folder/socket" }, "permission-denied"],
  ])("rejects %j with %s", async (options, code) => {
    await expect(listen(options)).rejects.toMatchObject({ code });
  });

  it.skipIf(process.platform !== "linux")(
    "shares its port with another listener where both want that",
    async () => {
      await using first = await listen({ reusePort: true });
      await using second = await listen({ port: first.port, reusePort: true });
      expect(second.port).toBe(first.port);
      await expect(listen({ port: first.port })).rejects.toMatchObject({ code: "address-in-use" });
    },
  );

  it("holds 1,000 connections at once", async () => {
    await using listener = await serve(lineProtocol, (line) => line.text);
    const clients = await Promise.all(Array.from({ length: 1000 }, () => connect({ port: listener.port })));
    const replies = clients.map(async (client, index) => {
      const heard = once(client, "data") as Promise<[Buffer]>;
      client.write(`${index}\r\n`);
      return String((await heard)[0]);
    });
    expect(await Promise.all(replies)).toEqual(clients.map((_, index) => `${index}\r\n`));
    for (const client of clients) client.end();
    await Promise.all(clients.map((client) => closed(client)));
  });

  it("refuses more than maxConnections, and says so", async () => {
    await using listener = await listen({ maxConnections: 1 });
    const first = await connect({ port: listener.port });
    const dropped = once(listener, "drop");
    const second = await rawClient(listener.port);
    await dropped;
    second.destroy();
    first.end();
  });
});

describe.skipIf(process.platform === "win32")("a Unix domain socket", () => {
  it("works, for its owner alone, and leaves no file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tcpkit-"));
    const path = join(folder, "s");
    const listener = await listen({ path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const accepted = once(listener, "connection");
    const client = await connect({ path });
    await accepted;
    client.end();
    await closed(client);
    await listener.close();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await rm(folder, { recursive: true });
  });

  it("takes a stale file away, and neither a live one nor a file that is no socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tcpkit-"));
    const path = join(folder, "s");
    await stale(path);
    expect((await stat(path)).isSocket()).toBe(true);
    await using live = await listen({ path });
    await expect(listen({ path })).rejects.toMatchObject({ code: "address-in-use" });
    expect(live.connections.size).toBeLessThanOrEqual(1);
    const file = join(folder, "file");
    await writeFile(file, "precious");
    await expect(listen({ path: file })).rejects.toMatchObject({ code: "address-in-use" });
    expect((await stat(file)).size).toBe(8);
    await live.close();
    await rm(folder, { recursive: true });
  });
});

/** Leaves a socket file behind as a process does that is killed: the listener is gone, its file is not. */
async function stale(path: string): Promise<void> {
  const { link, rename } = await import("node:fs/promises");
  const server = createServer().listen(path);
  await once(server, "listening");
  await link(path, `${path}.kept`);
  server.close();
  await once(server, "close");
  await rename(`${path}.kept`, path);
}

describe("close", () => {
  it("ends what is open in good order, and counts it", async () => {
    const { listener, client } = await joined();
    const reason = closed(client);
    expect(await listener.close()).toEqual({ drained: 1, cut: 0 });
    expect((await reason).kind).toBe("ended");
    await expect(connect({ port: listener.port })).rejects.toMatchObject({ code: "connection-refused" });
  });

  it("cuts at the deadline what does not end by itself", async () => {
    const listener = await listen();
    const accepted = once(listener, "connection");
    const stubborn = await rawClient(listener.port);
    await accepted;
    expect(await listener.close({ deadline: 50 })).toEqual({ drained: 0, cut: 1 });
    stubborn.destroy();
  });

  it("is called by an AbortSignal, and by await using", async () => {
    const controller = new AbortController();
    const listener = await listen({ signal: controller.signal });
    const heard = once(listener, "close");
    controller.abort();
    await heard;
    await expect(listen({ signal: controller.signal })).rejects.toThrow("aborted");
  });

  it("may be called twice, and before listening", async () => {
    const listener = createListener();
    await listener.close();
    expect(await listener.close()).toEqual({ drained: 0, cut: 0 });
  });
});

describe("connect", () => {
  it("emits connect before it resolves, and sends what was written earlier", async () => {
    const { open } = await import("../src/index.ts");
    await using listener = await serve(lineProtocol, (line) => line.text.toUpperCase());
    const client = open({ port: listener.port });
    client.write("early\n");
    await once(client, "connect");
    const [chunk] = (await once(client, "data")) as [Buffer];
    expect(String(chunk)).toBe("EARLY\r\n");
    client.end();
  });

  it("rejects when nobody listens, when it takes too long, and when aborted", async () => {
    const listener = await listen();
    const { port } = listener;
    await listener.close();
    await expect(connect({ port })).rejects.toMatchObject({ code: "connection-refused", blame: "remote" });
    await expect(connect({ port, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    await expect(connect({})).rejects.toMatchObject({ code: "bad-option" });
  });
});
