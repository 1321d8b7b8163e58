import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Restarts } from "../src/cluster/restarts.ts";
import { connect, listen, serveCluster } from "../src/index.ts";
import type { ClusterOptions, Connection, Listener } from "../src/index.ts";
import { closed } from "./support.ts";

const program = fileURLToPath(new URL("cluster/program.ts", import.meta.url));

type Line = Readonly<Record<string, unknown>> & { readonly event: string };

/** The clustered program, running. */
class Running implements AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** Resolves when the primary *and* its workers have ended: they share its standard output. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly #lines: AsyncIterator<string>;

  constructor(behaviour: string, options: ClusterOptions) {
    this.child = spawn(process.execPath, [program, behaviour, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.ended = once(this.child, "close").then(([code, signal]) => ({ code, signal }) as never);
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line with this event; others are passed over. */
  async event(name: string): Promise<Line> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`ended before "${name}"`);
      const line = JSON.parse(value) as Line;
      if (line.event === name) return line;
      if (line.event === "failed") throw new Error(value);
    }
  }

  async ready(): Promise<{ port: number; workers: number[] }> {
    return (await this.event("ready")) as never;
  }

  command(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its workers follow it.
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** Sends a line, and gives the line that answers it. @throws when the connection closes instead. */
function ask(client: Connection, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once("data", (chunk) => resolve(String(chunk).trimEnd()));
    client.once("close", ({ kind }) => reject(new Error(`closed (${kind}) before the answer to ${line}`)));
    client.write(`${line}\r\n`);
  });
}

function sorted(pids: Iterable<unknown>): number[] {
  return Array.from(pids, Number).toSorted((one, other) => one - other);
}

/** A client for each of so many workers: one of each pid. */
async function clientOfEach(where: number | string, workers: number): Promise<Map<number, Connection>> {
  const clients = new Map<number, Connection>();
  while (clients.size < workers) {
    const client = await connect(typeof where === "number" ? { port: where } : { path: where });
    const pid = Number(await ask(client, "who"));
    if (clients.has(pid)) client.end();
    else clients.set(pid, client);
  }
  return clients;
}

/** Requests that wait until `open` is called, and that are known to have reached their handlers. */
async function gated(
  clients: Iterable<Connection>,
): Promise<{ answers: Promise<string[]>; open: () => void; gate: Listener }> {
  const gate = await listen();
  const answers: Promise<string>[] = [];
  const waiting: Connection[] = [];
  for (const client of clients) {
    const arrived = once(gate, "connection") as Promise<[Connection]>;
    answers.push(ask(client, `gate ${gate.port}`));
    waiting.push((await arrived)[0]);
  }
  const open = (): void => {
    for (const connection of waiting) connection.write("go");
  };
  return { answers: Promise.all(answers), open, gate };
}

// Processes take their time to start on a busy machine.
describe("a cluster", { timeout: 60_000 }, () => {
  it("serves one port, chosen by the system, from every worker", async () => {
    await using running = new Running("serve", { workers: 2 });
    const { port, workers } = await running.ready();
    expect(new Set(workers).size).toBe(2);
    const clients = await clientOfEach(port, 2);
    expect(sorted(clients.keys())).toEqual(sorted(workers));
    for (const client of clients.values()) client.end();
  });

  it("replaces a worker that is killed, and goes on", async () => {
    await using running = new Running("serve", { workers: 2 });
    const { port } = await running.ready();
    const clients = await clientOfEach(port, 2);
    const [victim = 0, survivor = 0] = clients.keys();
    const cut = closed(clients.get(victim)!);
    process.kill(victim, "SIGKILL");
    await cut;
    // The other worker has not noticed.
    expect(await ask(clients.get(survivor)!, "who")).toBe(String(survivor));
    expect(await running.event("death")).toMatchObject({ pid: victim, code: null, signal: "SIGKILL" });
    const { pid } = await running.event("worker");
    const after = await clientOfEach(port, 2);
    expect(sorted(after.keys())).toEqual(sorted([survivor, pid]));
    for (const client of [...clients.values(), ...after.values()]) client.end();
  });

  it.each(["SIGTERM", "SIGINT", "close"])("loses no request in hand to %s", async (how) => {
    await using running = new Running("serve", { workers: 2, deadline: 60_000 });
    const { port, workers } = await running.ready();
    const busy = await clientOfEach(port, 2);
    const idle = await clientOfEach(port, 2);
    const { answers, open, gate } = await gated(busy.values());
    const goodbyes = [...idle.values()].map((client) => closed(client));
    if (how === "close") running.command('{"deadline":60000}');
    else running.child.kill(how as NodeJS.Signals);
    // Both workers drain: those who ask for nothing are sent away first.
    expect((await Promise.all(goodbyes)).map(({ kind }) => kind)).toEqual(["ended", "ended"]);
    open();
    expect(sorted(await answers)).toEqual(sorted(workers));
    expect(await running.event("closed")).toEqual({ event: "closed", drained: 4, cut: 0 });
    expect(await running.ended).toEqual({ code: 0, signal: null });
    await gate.close();
  });

  it("cuts at the deadline what does not end, and at the second signal", async () => {
    for (const how of ["deadline", "signal"]) {
      await using running = new Running("serve", { workers: 1, deadline: how === "signal" ? 600_000 : 0 });
      const { port } = await running.ready();
      const [client] = (await clientOfEach(port, 1)).values();
      const [idle] = (await clientOfEach(port, 1)).values();
      const { answers, gate } = await gated([client!]);
      answers.catch(() => {});
      running.child.kill("SIGTERM");
      await closed(idle!);
      if (how === "signal") running.child.kill("SIGTERM");
      expect((await running.event("closed"))["cut"]).toBeGreaterThan(0);
      expect(await running.ended).toEqual({ code: 0, signal: null });
      await gate.close();
    }
  });

  it("kills a worker that does not answer, 5 s after the deadline", async () => {
    await using running = new Running("serve", { workers: 2, deadline: 0 });
    const { port, workers } = await running.ready();
    const clients = await clientOfEach(port, 2);
    process.kill(workers[0]!, "SIGSTOP");
    running.child.kill("SIGTERM");
    const reasons = await Promise.all([...clients.values()].map((client) => closed(client)));
    expect(reasons).toHaveLength(2);
    // What the stopped one held is not counted: nobody could say.
    const { drained, cut } = await running.event("closed");
    expect(Number(drained) + Number(cut)).toBe(1);
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  it("rolls: every worker is replaced, and there is always one that answers", async () => {
    await using running = new Running("serve", { workers: 2 });
    const { port, workers } = await running.ready();
    const old = await clientOfEach(port, 2);
    const { answers, open, gate } = await gated([old.get(workers[0]!)!]);
    const idle = (await clientOfEach(port, 2)).get(workers[0]!)!;
    running.command("restart");
    // The first new one listens while the first old one still has a request in hand.
    const first = await running.event("worker");
    await closed(idle);
    const newcomer = await connect({ port });
    expect([String(first["pid"]), String(workers[1])]).toContain(await ask(newcomer, "who"));
    open();
    expect(await answers).toEqual([String(workers[0])]);
    const second = await running.event("worker");
    const after = (await running.event("restarted"))["workers"];
    expect(after).toEqual([first["pid"], second["pid"]]);
    const clients = await clientOfEach(port, 2);
    expect(sorted(clients.keys())).toEqual(sorted(after as number[]));
    for (const client of [...old.values(), newcomer, ...clients.values()]) client.end();
    await gate.close();
  });

  it("keeps its old workers when the new one cannot start", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-"));
    const file = join(folder.path, "released");
    await using running = new Running(`until ${file}`, { workers: 2 });
    const { port, workers } = await running.ready();
    await writeFile(file, "");
    running.command("restart");
    expect(await running.event("not-restarted")).toMatchObject({ message: "a bad release" });
    const clients = await clientOfEach(port, 2);
    expect(sorted(clients.keys())).toEqual(sorted(workers));
    for (const client of clients.values()) client.end();
  });

  it("whose primary is killed finishes what it has in hand, and ends", async () => {
    await using running = new Running("serve", { workers: 2, deadline: 60_000 });
    const { port } = await running.ready();
    const clients = await clientOfEach(port, 2);
    const { answers, open, gate } = await gated(clients.values());
    running.child.kill("SIGKILL");
    await once(running.child, "exit");
    await expect(connect({ port })).rejects.toMatchObject({ code: "connection-refused" });
    open();
    expect(sorted(await answers)).toEqual(sorted(clients.keys()));
    // Resolves only when no worker holds the primary's standard output any more.
    expect(await running.ended).toEqual({ code: null, signal: "SIGKILL" });
    await gate.close();
  });
});

describe.skipIf(process.platform === "win32")("a cluster on a Unix socket", { timeout: 60_000 }, () => {
  it("keeps the file while workers come and go, and takes it away at its end", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-"));
    const path = join(folder.path, "socket");
    await using running = new Running(`path ${path}`, { workers: 2 });
    expect(await running.event("ready")).toMatchObject({ kind: "unix", path });
    expect((await stat(path)).mode & 0o777).toBe(0o660);
    const old = await clientOfEach(path, 2);
    process.kill([...old.keys()][0]!, "SIGKILL");
    await running.event("worker");
    running.command("restart");
    const { workers } = await running.event("restarted");
    const clients = await clientOfEach(path, 2);
    expect(sorted(clients.keys())).toEqual(sorted(workers as number[]));
    expect((await stat(path)).mode & 0o777).toBe(0o660);
    running.child.kill("SIGTERM");
    expect(await running.event("closed")).toMatchObject({ cut: 0 });
    await running.ended;
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    for (const client of old.values()) client.end();
  });

  it("takes the place of one that was killed", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-"));
    const path = join(folder.path, "socket");
    await using killed = new Running(`path ${path}`, { workers: 2 });
    await killed.event("ready");
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect((await stat(path)).isSocket()).toBe(true);
    await using running = new Running(`path ${path}`, { workers: 2 });
    await running.event("ready");
    for (const client of (await clientOfEach(path, 2)).values()) client.end();
  });

  it("leaves a live server its place", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-"));
    const path = join(folder.path, "socket");
    await using live = await listen({ path });
    await using running = new Running(`path ${path}`, { workers: 2 });
    await expect(running.event("ready")).rejects.toThrow('"code":"address-in-use"');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    const arrived = once(live, "connection");
    const client = await connect({ path });
    await arrived;
    client.end();
  });
});

describe("a cluster that cannot serve", { timeout: 60_000 }, () => {
  it.each(["crash-at-start", "crash-soon"])("gives up with worker-failed: %s", async (behaviour) => {
    await using running = new Running(behaviour, { workers: 1, restarts: { attempts: 2, delay: 1 } });
    // Whether it was ready for a moment is up to the workers' timing.
    const error = await running.event("closed").catch((failed: Error) => JSON.parse(failed.message) as Line);
    expect(error).toMatchObject({
      code: "worker-failed",
      blame: "local",
      message: expect.stringContaining("exit code 7"),
    });
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  it("says at once what start failed with", async () => {
    await using thrower = new Running("throw", { workers: 2 });
    await expect(thrower.ready()).rejects.toThrow(/"code":"worker-failed".*no database/);
    await using taken = await listen();
    await using busy = new Running(`port ${taken.port}`, { workers: 2 });
    await expect(busy.ready()).rejects.toThrow('"code":"address-in-use"');
    expect(await busy.ended).toEqual({ code: 0, signal: null });
  });

  it("refuses to have no worker", async () => {
    await expect(serveCluster(() => listen(), { workers: 0 })).rejects.toMatchObject({ code: "bad-option" });
  });
});

describe("restarts", () => {
  it("wait longer after each early death in a row, and end", () => {
    const restarts = new Restarts({ attempts: 4, delay: 100 });
    const early = (): number | undefined => restarts.after("early");
    expect([early(), early(), early(), early(), early()]).toEqual([100, 200, 400, 800, undefined]);
  });

  it("never wait longer than 30 s", () => {
    const restarts = new Restarts({ attempts: 100 });
    const waits = Array.from({ length: 100 }, () => restarts.after("early") ?? 0);
    expect(Math.max(...waits)).toBe(30_000);
  });

  it("start over once a worker has proved healthy, and replace a healthy one at once", () => {
    const restarts = new Restarts({ attempts: 1, delay: 100 });
    expect(restarts.after("early")).toBe(100);
    expect(restarts.after("late")).toBe(0);
    restarts.steady();
    expect([restarts.after("early"), restarts.after("early")]).toEqual([100, undefined]);
  });
});
