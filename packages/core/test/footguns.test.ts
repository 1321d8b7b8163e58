// What plain `net` does to a program that means well, and core does not. Each test shows both. Those that
// examples/tcp-events/test/plain-net.test.ts shows (a reset nobody listens to, an end nobody reads, an exception, a server
// that waits for ever, small writes and `drain`) are not shown again.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, Socket } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connect, createListener, lineProtocol, listen, serve } from "../src/index.ts";
import type { Connection, Drop } from "../src/index.ts";
import { closed, rawClient, readAll } from "./support.ts";

/** A plain server that listens on a free port. */
async function plainServer(
  onConnection: (socket: Socket) => void,
  options: { noDelay?: boolean; onread?: object } = {},
): Promise<{ server: Server; port: number }> {
  const server = createServer(options, onConnection).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** Runs a program as a process of its own, to see how it ends. */
function run(code: string, ...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, "--input-type=module", "-e", code],
    {
      cwd: import.meta.dirname,
      encoding: "utf8",
    },
  );
  return { status, stdout, stderr };
}

describe("listening", () => {
  it("is when the address is known: before, plain net says null, core says what to do", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    const early = createServer();
    expect(early.address()).toBeNull();
    await once(server, "listening");
    server.close();
    expect(() => createListener().address).toThrow("await listen() first");
  });
});

describe("connection", () => {
  it("comes after the kernel's handshake: a client is connected although the program accepts nothing", async () => {
    const program = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `
        import { writeSync } from "node:fs";
        import { createServer } from "node:net";
        const server = createServer(() => writeSync(1, "accepted\\n")).listen(0, "127.0.0.1", () => {
          writeSync(1, server.address().port + "\\n");
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        });`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const lines: string[] = [];
    const reader = createInterface(program.stdout).on("line", (line) => lines.push(line));
    await once(reader, "line");
    const client = await connect({ port: Number(lines[0]) });
    expect(client.writable).toBe(true);
    client.destroy();
    program.kill("SIGKILL");
    await once(program, "close");
    expect(lines).toHaveLength(1);
  });
});

describe("error of a server", () => {
  it("is not followed by close, and in core listen() itself says it", async () => {
    const { server, port } = await plainServer(() => {});
    const events: string[] = [];
    const second = createServer().listen(port, "127.0.0.1");
    for (const name of ["listening", "error", "close"]) second.on(name, () => events.push(name));
    await once(second, "error").catch(() => {});
    await turn();
    expect(events).toEqual(["error"]);
    await expect(listen({ port })).rejects.toMatchObject({ code: "address-in-use" });
    server.close();
  });
});

describe("data", () => {
  const start = Buffer.from([0x63, 0x61, 0x66, 0xc3]);
  const rest = Buffer.from([0xa9, 0x0a]);

  it("cuts a character in two: decoding chunks garbles it, decoding lines does not", async () => {
    let garbled = "";
    const arrived = Promise.withResolvers<void>();
    const { server, port } = await plainServer((socket) => {
      socket.on("data", (chunk) => {
        garbled += chunk.toString();
        arrived.resolve();
      });
    });
    const plain = await rawClient(port);
    plain.write(start);
    await arrived.promise;
    plain.end(rest);
    await once(plain.resume(), "close");
    expect(garbled).toBe("caf\uFFFD\uFFFD\n");
    server.close();

    await using listener = await serve(lineProtocol, ({ text }) => text);
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const client = await rawClient(listener.port);
    const [connection] = await accepted;
    const first = once(connection, "data");
    client.write(start);
    await first;
    client.end(rest);
    expect(await readAll(client)).toBe("caf\u00E9\r\n");
  });
});

describe("error and close of a connection", () => {
  it("come without an end after a reset; in plain net as a boolean, in core with the reason", async () => {
    const events: unknown[] = [];
    const gone = Promise.withResolvers<void>();
    const { server, port } = await plainServer((socket) => {
      socket.on("error", (error: NodeJS.ErrnoException) => events.push(error.code));
      socket.on("end", () => events.push("end"));
      socket.on("close", (hadError) => {
        events.push(hadError);
        gone.resolve();
      });
      socket.resume().write("x");
    });
    const plain = await rawClient(port);
    await once(plain, "data");
    plain.resetAndDestroy();
    await gone.promise;
    expect(events).toEqual(["ECONNRESET", true]);
    server.close();

    await using listener = await listen();
    listener.on("connection", (connection) => connection.write("x"));
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const raw = await rawClient(listener.port);
    const [connection] = await accepted;
    await once(raw, "data");
    raw.resetAndDestroy();
    expect(await closed(connection)).toMatchObject({ kind: "reset", cause: { code: "ECONNRESET" } });
  });
});

describe("a reply that comes after the client has ended its side", () => {
  it("is lost in plain net, and sent by core", async () => {
    const { server, port } = await plainServer((socket) => {
      socket.on("error", () => {});
      // oxlint-disable-next-line typescript/no-misused-promises -- what people write
      socket.on("data", async () => {
        await once(socket, "end");
        await turn();
        socket.write("the answer");
      });
    });
    const plain = await rawClient(port);
    plain.end("the question\n");
    expect(await readAll(plain)).toBe("");
    server.close();

    await using listener = await serve(lineProtocol, async (_line, { connection }) => {
      await once(connection, "end");
      await turn();
      return "the answer";
    });
    const client = await rawClient(listener.port);
    client.end("the question\n");
    expect(await readAll(client)).toBe("the answer\r\n");
  });
});

describe("a client that asks and does not read", () => {
  const REPLY = "x".repeat(100_000);
  const REQUESTS = 200;

  it("makes a plain server that ignores write() === false hold everything in memory, and core almost nothing", async () => {
    const answered = Promise.withResolvers<Socket>();
    const { server, port } = await plainServer((socket) => {
      let count = 0;
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        for (const byte of chunk) {
          if (byte !== 10) continue;
          socket.write(REPLY);
          count += 1;
        }
        if (count === REQUESTS) answered.resolve(socket);
      });
    });
    const plain = await rawClient(port);
    plain.pause();
    plain.write("go\n".repeat(REQUESTS));
    expect((await answered.promise).writableLength).toBeGreaterThan((REQUESTS * REPLY.length) / 2);
    plain.destroy();
    server.close();

    const slow = Promise.withResolvers<Connection>();
    await using listener = await serve(lineProtocol, (_line, peer) => {
      if (!peer.send(REPLY)) slow.resolve(peer.connection);
    });
    const client = await rawClient(listener.port);
    client.pause();
    client.write("go\n".repeat(REQUESTS));
    const connection = await slow.promise;
    expect(connection.bytesBuffered).toBeLessThan(3 * REPLY.length);
    // And the client loses nothing when it reads at last.
    let received = 0;
    client.on("data", (chunk: Buffer) => (received += chunk.length)).resume();
    client.end();
    await once(client, "end");
    expect(received).toBe(REQUESTS * (REPLY.length + 2));
  });
});

describe("a connection too many", () => {
  it("is closed without a word by maxConnections of plain net; core tells the client why, and the program whom", async () => {
    const { server, port } = await plainServer((socket) => socket.resume());
    server.maxConnections = 1;
    const first = await rawClient(port);
    const second = await rawClient(port);
    expect(await readAll(second)).toBe("");
    first.destroy();
    second.destroy();
    server.close();

    await using listener = await listen({ maxConnections: 1, refusal: (reason) => `busy: ${reason}\r\n` });
    const dropped = once(listener, "drop") as Promise<[Drop]>;
    const admitted = await rawClient(listener.port);
    const refused = await rawClient(listener.port);
    expect(await readAll(refused)).toBe("busy: max-connections\r\n");
    const [drop] = await dropped;
    expect(drop).toMatchObject({ reason: "max-connections", remote: { port: refused.localPort } });
    admitted.destroy();
    refused.destroy();
  });

  // The limit is that of POSIX shells and of Linux's /proc.
  it.skipIf(process.platform !== "linux")(
    "over the limit of descriptors, plain net closes it with no event and can open no file; core says so in time",
    async () => {
      const clients = 100;
      const plain = await crowd(
        `import { createServer } from "node:net";
         const server = createServer((socket) => { open += 1; socket.on("error", () => {}).resume(); });
         server.on("drop", () => (dropped += 1)).on("error", () => (dropped += 1));
         server.listen(0, "127.0.0.1", () => ready(server.address().port));`,
        clients,
      );
      expect(plain).toMatchObject({ dropped: 0, file: "EMFILE" });
      expect(plain.open).toBeLessThan(clients);

      const core = await crowd(
        `import { listen } from "@tcpkit/core";
         const listener = await listen({ headroom: 16 });
         listener.on("connection", () => (open += 1)).on("drop", ({ reason }) => (dropped += reason === "descriptors"));
         ready(listener.port);`,
        clients,
      );
      expect(core.file).toBe("open");
      expect(core.open).toBeGreaterThan(0);
      expect(core.dropped).toBe(clients - core.open);
    },
  );
});

interface Crowd {
  readonly open: number;
  readonly dropped: number;
  readonly file: string;
}

/** Connects many clients to a server that may open 64 files, and asks what it saw of them. */
async function crowd(server: string, clients: number): Promise<Crowd> {
  // What is loaded on first use is loaded while there are descriptors left for it.
  const program = `
    import { closeSync, openSync } from "node:fs";
    let open = 0, dropped = 0;
    const ready = (port) => console.log(port);
    process.stdin.on("data", () => {
      let file = "open";
      try { closeSync(openSync("/dev/null")); } catch (error) { file = error.code; }
      console.log(JSON.stringify({ open, dropped, file }));
    });
    ${server}`;
  const child = spawn(
    "sh",
    ["-c", 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, program],
    {
      cwd: import.meta.dirname,
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const sockets = [];
  let gone = 0;
  for (let count = 0; count < clients; count++) {
    const socket = createConnection(port, "127.0.0.1").on("error", () => {});
    socket.once("close", () => (gone += 1)).resume();
    await once(socket, "connect");
    sockets.push(socket);
  }
  let report: Crowd;
  do {
    child.stdin.write("report\n");
    report = JSON.parse(String((await lines.next()).value)) as Crowd;
    // Each is in the end either served or gone.
  } while (report.open + gone < clients);
  child.kill();
  for (const socket of sockets) socket.destroy();
  return report;
}

describe("many tiny chunks that are kept until the message is whole", () => {
  it("cost plain net hundreds of bytes for each, and core a fraction of that", () => {
    const measure = (keep: string): number => {
      const { stdout, stderr } = run(
        `
        import { once } from "node:events";
        import { createConnection, createServer } from "node:net";
        import { ByteQueue } from "@tcpkit/core";
        const COUNT = 20_000;
        const chunks = [], queue = new ByteQueue();
        const keep = ${keep};
        const held = () => { gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
        const server = createServer((socket) => socket.on("data", (chunk) => {
          // A byte at a time, as a slow typist sends: the next is sent when this one is here.
          for (const _ of chunk) received += 1;
          keep(chunk);
          if (received < COUNT) client.write("x");
          else { console.log(Math.round((held() - before) / COUNT)); process.exit(); }
        })).listen(0, "127.0.0.1");
        await once(server, "listening");
        let received = 0;
        const client = createConnection({ port: server.address().port, noDelay: true });
        await once(client, "connect");
        const before = held();
        client.write("x");`,
        "--expose-gc",
      );
      expect(stderr).toBe("");
      return Number(stdout);
    };
    const plain = measure("(chunk) => chunks.push(chunk)");
    const core = measure("(chunk) => queue.push(chunk)");
    expect(plain).toBeGreaterThan(100);
    expect(core).toBeLessThan(plain / 4);
  });
});

describe("a handler that rejects", () => {
  it("ends a plain server's process, and in core its own connection", () => {
    const plain = run(`
      import { createConnection, createServer } from "node:net";
      const server = createServer((socket) => socket.on("data", async (data) => JSON.parse(data)));
      server.listen(0, "127.0.0.1", () => createConnection(server.address().port, "127.0.0.1").end("{"));`);
    expect(plain).toMatchObject({ status: 1, stderr: expect.stringContaining("SyntaxError") });

    const core = run(`
      import { connect, lineProtocol, serve } from "@tcpkit/core";
      const server = await serve(lineProtocol, async (line) => JSON.parse(line.text));
      const bad = await connect({ port: server.port });
      bad.write("{\\n");
      bad.on("close", async () => {
        const good = await connect({ port: server.port });
        good.write('"alive"\\n');
        good.on("data", (data) => { process.stdout.write(data); good.end(); server.close(); });
      });`);
    expect(core).toMatchObject({ status: 0, stdout: "alive\r\n" });
  });
});

describe("noDelay", () => {
  it("is off in plain net and on in core, for both sides", async () => {
    const handles = (socket: Socket): { setNoDelay: (on: boolean) => unknown } =>
      Object.getPrototypeOf((socket as unknown as { _handle: object })._handle) as ReturnType<typeof handles>;
    const { server, port } = await plainServer((socket) => socket.resume());
    const prototype = handles(await rawClient(port));
    const original = prototype.setNoDelay;
    let calls = 0;
    prototype.setNoDelay = function setNoDelay(on) {
      if (on) calls += 1;
      return original.call(this, on);
    };
    try {
      const accepted = once(server, "connection");
      const plain = await rawClient(port);
      await accepted;
      expect(calls).toBe(0);
      plain.end();

      await using listener = await listen();
      const served = once(listener, "connection");
      const client = await connect({ port: listener.port });
      await served;
      expect(calls).toBe(2);
      client.end();
    } finally {
      prototype.setNoDelay = original;
      server.close();
    }
  });
});

describe("onread of a server", () => {
  it("is ignored by plain net; core's fast read is not asked for (see fast-read.test.ts)", async () => {
    let reused = 0;
    const read = Promise.withResolvers<string>();
    const { server, port } = await plainServer(
      (socket) => socket.once("data", (chunk) => read.resolve(String(chunk))),
      {
        onread: { buffer: Buffer.alloc(1024), callback: () => (reused += 1) },
      },
    );
    const client = await rawClient(port);
    client.end("hello");
    expect(await read.promise).toBe("hello");
    expect(reused).toBe(0);
    client.destroy();
    server.close();
  });
});

describe("a keep-alive client that is idle when the server closes", () => {
  it("is ended by core at once, in good order, long before the deadline", async () => {
    const listener = await serve(lineProtocol, ({ text }) => text);
    const idle = await connect({ port: listener.port });
    const heard = once(idle, "data");
    idle.write("one request, and then silence\n");
    await heard;
    const result = listener.close({ deadline: 2 ** 31 - 1 });
    expect(await closed(idle)).toEqual({ kind: "ended" });
    expect(await result).toEqual({ drained: 1, cut: 0 });
  });
});
