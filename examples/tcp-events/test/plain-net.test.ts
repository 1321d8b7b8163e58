// What plain `net` does where core does something else: the reasons for which the programs say what they say.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, DeadlineTimer, listen } from "@tcpkit/core";
import { fakeClock, pair } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";

describe("what ends the process in plain net, and not in core", () => {
  it("is a client's reset that nobody listens to", () => {
    const client = `
      const client = createConnection(port, "127.0.0.1", () => client.resetAndDestroy());
      client.on("close", () => setImmediate(() => setImmediate(() => console.log("alive"))));`;
    const plain = run(`
      import { createConnection, createServer } from "node:net";
      const server = createServer((socket) => socket.on("close", () => server.close()).resume());
      server.listen(0, "127.0.0.1", () => { const { port } = server.address(); ${client} });`);
    expect(plain).toMatchObject({ status: 1, stderr: expect.stringContaining("ECONNRESET") });

    const core = run(`
      import { createConnection } from "node:net";
      import { listen } from "@tcpkit/core";
      const server = await listen();
      server.on("connection", (connection) => connection.on("close", () => server.close()));
      const { port } = server; ${client}`);
    expect(core).toEqual({ status: 0, stdout: "alive\n", stderr: "" });
  });

  it("is an exception in a listener", () => {
    const plain = run(`
      import { createConnection, createServer } from "node:net";
      const server = createServer((socket) => socket.on("data", (data) => JSON.parse(data)));
      server.listen(0, "127.0.0.1", () => createConnection(server.address().port, "127.0.0.1").end("{"));`);
    expect(plain).toMatchObject({ status: 1, stderr: expect.stringContaining("SyntaxError") });

    const core = run(`
      import { connect, listen } from "@tcpkit/core";
      const server = await listen();
      server.on("connection", (connection) => {
        connection.on("data", (data) => JSON.parse(data));
        connection.on("close", () => server.close().then(() => console.log("alive")));
      });
      (await connect({ port: server.port })).write("{");`);
    expect(core).toMatchObject({
      status: 0,
      stdout: "alive\n",
      stderr: expect.stringContaining("SyntaxError"),
    });
  });

  it("is a busy port that nobody listens for", () => {
    const plain = run(`
      import { createServer } from "node:net";
      const first = createServer().listen(0, "127.0.0.1", () => createServer().listen(first.address().port, "127.0.0.1"));`);
    expect(plain).toMatchObject({ status: 1, stderr: expect.stringContaining("EADDRINUSE") });
  });
});

describe("drain", () => {
  it("does not follow the chapter's 1,000 small writes in plain net either", async () => {
    let drains = 0;
    let sent = 0;
    const server = createServer((socket) => {
      socket.on("drain", () => {
        drains += 1;
      });
      for (let i = 0; i < 1000; i++) {
        const block = `数据块 ${i}`;
        sent += Buffer.byteLength(block);
        expect(socket.write(block)).toBe(true);
      }
      socket.end();
    });
    const client = await plainClient(server);
    let received = 0;
    client.on("data", (chunk) => {
      received += chunk.length;
    });
    await once(client, "close");
    expect({ received, drains }).toEqual({ received: sent, drains: 0 });
    server.close();
  });
});

describe("close of a server", () => {
  it("waits in plain net for an idle client, with nothing to hurry it", async () => {
    const order: string[] = [];
    const server = createServer((socket) => socket.resume());
    const client = await plainClient(server);
    server.on("close", () => order.push("close"));
    const closed = once(server, "close");
    const port = portOf(server);
    server.close();
    // It takes nobody in any more, and yet it is not closed.
    const [refused] = (await once(createConnection(port, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
    order.push(refused.code ?? "");
    order.push("the client ends");
    client.end();
    await closed;
    expect(order).toEqual(["ECONNREFUSED", "the client ends", "close"]);
  });

  it("needs no help of the client's in core", async () => {
    const server = await listen();
    const accepted = once(server, "connection");
    const client = await connect({ port: server.port, allowHalfOpen: true });
    await accepted;
    expect(await server.close({ deadline: 0 })).toEqual({ drained: 0, cut: 1 });
    client.destroy();
  });
});

describe("end", () => {
  it("is not seen in plain net behind data that nobody reads, so the connection leaks", async () => {
    const order: string[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      if (sockets.length > 1) socket.end();
    });
    const first = await plainClient(server);
    first.end("nobody takes this");
    // A later client is served from beginning to end: the first one's FIN has long arrived.
    const second = await plainClient(server);
    await once(second.resume(), "close");
    sockets[0]?.on("end", () => order.push("end"));
    order.push("the server reads");
    sockets[0]?.resume();
    await once(first, "close");
    expect(order).toEqual(["the server reads", "end"]);
    server.close();
  });

  it("is seen in core by a server that listens to nothing else", async () => {
    await using server = await listen();
    const accepted = once(server, "connection");
    const client = await connect({ port: server.port });
    const [connection] = await accepted;
    client.write("nobody takes this");
    client.end();
    await once(connection, "end");
  });

  it("loses in plain net, without a word, what is written after it", async () => {
    const events: string[] = [];
    const server = createServer((socket) => {
      socket.resume();
      for (const name of ["error", "end", "close"]) socket.on(name, () => events.push(name));
      socket.on("end", () => setImmediate(() => events.push(`write: ${socket.write("the answer")}`)));
    });
    const client = await plainClient(server, true);
    let received = "";
    client.on("data", (chunk) => {
      received += chunk.toString();
    });
    client.end("the question");
    await once(client, "close");
    expect(received).toBe("");
    expect(events).not.toContain("error");
    server.close();
  });
});

describe("timeout", () => {
  it("comes once after silence and closes nothing, and a drip keeps it away for ever", async () => {
    const clock = fakeClock();
    const timer = new DeadlineTimer(clock);
    const { client, server } = pair({ connection: { idleTimeout: 1000, timer } });
    let timeouts = 0;
    server.on("timeout", () => {
      timeouts += 1;
    });
    for (let i = 0; i < 100; i++) {
      const arrived = once(server, "data");
      client.write("x");
      await arrived;
      clock.advance(500);
    }
    expect(timeouts).toBe(0);
    clock.advance(10_000);
    expect(timeouts).toBe(1);
    expect(server.closed).toBe(false);
    expect(server.write("still open")).toBe(true);
    client.destroy();
    server.destroy();
  });
});

describe("a Unix socket", () => {
  it("is in the way in plain net when its server was killed", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tcpkit-"));
    const path = join(directory, "stale.sock");
    run(`
      import { createServer } from "node:net";
      createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"));`);
    const [error] = (await once(createServer().listen(path), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("EADDRINUSE");
    await using server = await listen({ path });
    expect(server.address).toEqual({ kind: "unix", path });
    await server.close();
    rmSync(directory, { recursive: true });
  });
});

/** Runs a program as a process of its own. */
function run(code: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

async function plainClient(server: Server, allowHalfOpen = false): Promise<Socket> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = createConnection({ port: portOf(server), host: "127.0.0.1", allowHalfOpen });
  await once(socket, "connect");
  return socket;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
