// One contestant at work: a process of its own on the server's core, and what it has used. It measures nothing.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Contestant } from "./bench.ts";
import { usageOf } from "./operating-system.ts";
import type { Usage } from "./operating-system.ts";
import type { Core } from "./pin.ts";
import { pinned, SERVER_CORE } from "./pin.ts";
import { reasonIn } from "./reason.ts";

/** How long a server may take to start, in milliseconds. */
const START_LIMIT = 10_000;

/** Where servers have their folders: not in /tmp, which may be memory, where an fsync costs nothing. */
const FOLDERS = fileURLToPath(new URL("../results/", import.meta.url));

/** Where Node keeps the JavaScript of scripts: to make it of TypeScript takes 30 MiB, which no installed package needs. */
const COMPILED = `${FOLDERS}compile-cache`;

export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  /** What a script says, line by line. */
  readonly #lines: Interface | undefined;

  private constructor(child: ChildProcess, folder: string, port: number, lines?: Interface) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    this.#lines = lines;
  }

  /** Starts a contestant and waits until it listens. @throws Error that says why it did not. */
  static async start(contestant: Contestant, node: string, core: Core = SERVER_CORE): Promise<ServerProcess> {
    await mkdir(FOLDERS, { recursive: true });
    const folder = await mkdtemp(`${FOLDERS}server-`);
    try {
      if (contestant.type === "script") {
        const file = fileURLToPath(new URL(`servers/${contestant.file}`, import.meta.url));
        const environment = { NODE_COMPILE_CACHE: COMPILED, ...contestant.environment };
        const child = launch(core, [node, "--expose-gc", file, folder], "pipe", environment);
        if (child.stdout === null) throw new Error("a server without standard output");
        const lines = createInterface(child.stdout);
        return new ServerProcess(child, folder, await orGone(child, announcedPort(lines)), lines);
      }
      const port = await freePort();
      const child = launch(core, contestant.command({ port, folder, node }), "ignore");
      child.stdout?.resume();
      await orGone(child, listening(port, child));
      return new ServerProcess(child, folder, port);
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** What the process has used so far; `undefined` where the system does not say. */
  get usage(): Usage | undefined {
    return this.#child.pid === undefined ? undefined : usageOf(this.#child.pid);
  }

  /** Memory that a script has resident once its garbage is collected, in KiB. @throws Error when it is a program. */
  async settledMemory(): Promise<number> {
    if (this.#lines === undefined) throw new Error("only a script can be asked to collect its garbage");
    this.#child.stdin?.write("memory\n");
    const [line] = (await once(this.#lines, "line")) as [string];
    return (JSON.parse(line) as { resident: number }).resident / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
    await rm(this.#folder, { recursive: true });
  }
}

function launch(
  core: Core,
  command: readonly string[],
  stdin: "pipe" | "ignore",
  environment?: Readonly<Record<string, string>>,
): ChildProcess {
  const [program = "", ...args] = pinned(core, command);
  // Scripts end when their standard input does, so that none outlives this process whatever becomes of it.
  return spawn(program, args, {
    stdio: [stdin, "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  // Some take SIGTERM for a wish to wait for their connections.
  child.kill("SIGKILL");
  await exit;
}

/** The port of a script: the first line that it prints (see `servers/announce.ts`). */
async function announcedPort(lines: Interface): Promise<number> {
  const [line] = (await once(lines, "line")) as [string];
  return (JSON.parse(line) as { port: number }).port;
}

/** Waits for `ready`, unless the process ends or takes too long; then it throws with what the process said. */
async function orGone<T>(child: ChildProcess, ready: Promise<T>): Promise<T> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const gone = new Promise<never>((_resolve, reject) => {
    child.on("error", reject);
    // "close" comes after the last output, "exit" may come before it.
    child.on("close", (code) => reject(new Error(reasonIn(said) ?? `it ended with status ${code}`)));
  });
  const late = sleep(START_LIMIT, undefined, { ref: false }).then(() => {
    throw new Error(`it did not listen within ${START_LIMIT / 1000} s`);
  });
  try {
    return await Promise.race([ready, gone, late]);
  } catch (error) {
    await stop(child);
    throw error;
  } finally {
    gone.catch(() => {});
    late.catch(() => {});
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.pid !== undefined) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await sleep(20);
    } finally {
      socket.destroy();
    }
  }
}
