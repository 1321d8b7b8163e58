// The command line as a process of its own, as a person or a script runs it.
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ServiceName } from "../../src/commands.ts";

export const mainFile: string = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export interface ReadyService {
  readonly name: ServiceName;
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** A line of standard output, parsed. */
export type JsonLine = Readonly<Record<string, unknown>> & { readonly event: string };

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** An environment without what the test runner set, such as colours. */
export function plainEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...extra };
}

export class Cli implements AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly exited: Promise<Exit>;
  /** Every line of standard output so far. */
  readonly lines: string[] = [];
  stderr = "";
  #seen = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [mainFile, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: plainEnvironment(environment),
    });
    this.exited = once(this.child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
    const reader = createInterface({ input: this.child.stdout });
    reader.on("line", (line) => {
      this.lines.push(line);
      this.#wake?.();
    });
    reader.on("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wake?.();
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The next line of standard output. @throws when there is none any more. */
  async line(): Promise<string> {
    await this.#until(() => this.lines.length > this.#seen || this.#ended);
    const line = this.lines[this.#seen];
    if (line === undefined) throw new Error(`no more lines; standard error: ${this.stderr}`);
    this.#seen += 1;
    return line;
  }

  /** The next line whose event is `name`, as NDJSON; those before it are passed over. */
  async event(name: string): Promise<JsonLine> {
    for (;;) {
      const line = JSON.parse(await this.line()) as JsonLine;
      if (line.event === name) return line;
    }
  }

  /** The ready line's services, by name. */
  async ready(): Promise<Readonly<Record<ServiceName, ReadyService>>> {
    const line = JSON.parse(await this.line()) as { event: string; services: ReadyService[] };
    if (line.event !== "ready") throw new Error(`not the ready line: ${JSON.stringify(line)}`);
    return Object.fromEntries(line.services.map((service) => [service.name, service])) as Record<
      ServiceName,
      ReadyService
    >;
  }

  /** Resolves once standard error holds `text`. */
  async said(text: string): Promise<void> {
    await this.#until(() => this.stderr.includes(text) || this.#ended);
    if (!this.stderr.includes(text)) throw new Error(`never said "${text}": ${this.stderr}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Runs a command to its end. */
export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using cli = new Cli(args, environment);
  cli.child.stdin.end();
  const { code } = await cli.exited;
  return { code, stdout: cli.lines.join("\n"), stderr: cli.stderr };
}

/** Runs another program to its end, with `input` on its standard input. */
export async function runTool(
  command: string,
  args: readonly string[],
  input: string | Uint8Array = "",
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: plainEnvironment() });
  const pieces: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A program that does not want all of its input is no error of the test.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: Buffer.concat(pieces), stderr };
}
