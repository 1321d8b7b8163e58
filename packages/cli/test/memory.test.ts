// Memory does not grow with what goes through: not for a client that reads slowly, nor for one that sends without
// reading.
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendMail } from "@tcpkit/smtp-lite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServiceName } from "../src/commands.ts";
import { Cli } from "./support/cli.ts";
import type { ReadyService } from "./support/cli.ts";
import { hasProc } from "./support/tools.ts";

const MIB = 1024 * 1024;
const AMOUNT = 1024 * MIB;
/** What the server's memory may grow by: much less than goes through, much more than buffers and garbage need. */
const ROOM = 128 * MIB;

describe.skipIf(!hasProc())("under start, with the inspector watching", () => {
  let cli: Cli;
  let services: Readonly<Record<ServiceName, ReadyService>>;
  let before: number;

  beforeEach(async () => {
    cli = new Cli(["start", "--port", "0", "--json"]);
    services = await cli.ready();
    // What everybody needs is loaded before anything is measured.
    await served(300);
    before = await memory("VmRSS");
  });

  afterEach(async () => {
    cli.kill("SIGTERM");
    await cli.exited;
  });

  const memory = (name: "VmRSS" | "VmHWM"): Promise<number> => memoryOf(cli, name);

  /** Other clients are served meanwhile: so many, one after the other. */
  const served = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 1) {
      const response = await fetch(`${services.http.url}hello`);
      expect(await response.text()).toBe("Hello, World!");
    }
  };

  const open = async (request: string): Promise<Socket> => {
    const socket = connect(services.http.port, "127.0.0.1");
    socket.pause();
    await once(socket, "connect");
    socket.write(request);
    return socket;
  };

  it("a download of 1 GiB to a client that takes nothing for a while, and then all", async () => {
    const socket = await open(`GET /bytes?n=${AMOUNT} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await served(300);
    expect((await memory("VmRSS")) - before).toBeLessThan(ROOM);
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await once(socket, "close");
    expect(received).toBeGreaterThan(AMOUNT);
    expect((await memory("VmHWM")) - before).toBeLessThan(ROOM);
  });

  it("an upload of 1 GiB to a handler that takes it slowly, since nobody reads its answer", async () => {
    const head = `POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${AMOUNT}\r\n\r\n`;
    const socket = await open(head);
    let offered = 0;
    const piece = Buffer.alloc(MIB, "u");
    const offer = (): void => {
      while (offered < AMOUNT && !socket.writableNeedDrain) {
        offered += piece.length;
        socket.write(piece);
      }
      if (offered === AMOUNT) socket.off("drain", offer);
    };
    socket.on("drain", offer);
    offer();
    await served(300);
    // The server takes no more: what is offered stays with the client.
    expect(offered).toBeLessThan(ROOM);
    expect((await memory("VmRSS")) - before).toBeLessThan(ROOM);
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await once(socket, "close");
    expect(offered).toBe(AMOUNT);
    expect(received).toBeGreaterThan(AMOUNT);
    expect((await memory("VmHWM")) - before).toBeLessThan(ROOM);
  });
});

describe.skipIf(!hasProc())("smtp --data", () => {
  it("a mail of 1 GiB, far over the limit, leaves nothing behind, in memory or on the disk", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tcpkit-memory-"));
    const cli = new Cli(["smtp", "--data", directory, "--port", "0", "--json"]);
    try {
      const { smtp } = await cli.ready();
      // What everybody needs is loaded before anything is measured.
      await sendMail({
        port: smtp.port,
        from: "a@b.example",
        to: "c@d.example",
        data: "Subject: a\r\n\r\nb\r\n",
      });
      const before = await memoryOf(cli, "VmHWM");
      // By DATA the refusal can only come at the end, so all of it is sent.
      const socket = connect(smtp.port, "127.0.0.1").setEncoding("latin1");
      let said = "";
      socket.on("data", (text: string) => {
        said += text;
      });
      const hears = async (reply: RegExp): Promise<void> => {
        while (!reply.test(said)) await once(socket, "data");
      };
      await hears(/^220 /);
      socket.write("HELO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
      await hears(/^354 /m);
      const line = `${"x".repeat(62)}\r\n`;
      const piece = Buffer.from(line.repeat(MIB / line.length));
      for (let sent = 0; sent < AMOUNT; sent += piece.length) {
        if (!socket.write(piece)) await once(socket, "drain");
      }
      expect(said.trimEnd().split("\r\n").at(-1)).toMatch(/^354 /);
      socket.end(".\r\nQUIT\r\n");
      await hears(/^552 5\.3\.4 [^]*^221 /m);
      expect((await memoryOf(cli, "VmHWM")) - before).toBeLessThan(ROOM);
      expect(await readdir(directory)).toHaveLength(1);
    } finally {
      cli.kill("SIGTERM");
      await cli.exited;
      await rm(directory, { recursive: true });
    }
  });
});

/** A line of `/proc/PID/status`, in bytes. VmRSS is now, VmHWM the most there ever was. */
async function memoryOf(cli: Cli, name: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${cli.pid}/status`, "utf8");
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}
