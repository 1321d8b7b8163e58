import { describe, expect, it } from "vitest";
import { parseArguments, pickLanguage } from "../src/args.ts";
import type { Environment, Invocation, RunOptions } from "../src/args.ts";
import { CliError } from "../src/errors.ts";

const standard: RunOptions = {
  host: "127.0.0.1",
  port: undefined,
  json: false,
  quiet: false,
  lameDuck: 0,
  grace: 5000,
  directory: undefined,
  data: undefined,
};

function words(line: string): string[] {
  return line === "" ? [] : line.split(" ");
}

describe("what is understood", () => {
  const run = (
    command: "start" | "echo" | "http" | "smtp",
    options: Partial<RunOptions> = {},
  ): Invocation => ({
    type: "run",
    command,
    options: { ...standard, ...options },
  });
  const cases: readonly [line: string, environment: Environment, expected: Invocation][] = [
    ["start", {}, run("start")],
    ["echo", {}, run("echo")],
    ["http", {}, run("http")],
    ["http public", {}, run("http", { directory: "public" })],
    ["http -- --odd", {}, run("http", { directory: "--odd" })],
    ["smtp --data mail", {}, run("smtp", { data: "mail" })],
    ["echo --port 0", {}, run("echo", { port: 0 })],
    ["--port=7008 echo", {}, run("echo", { port: 7008 })],
    ["start --port 0 --json", {}, run("start", { port: 0, json: true })],
    ["echo --host ::1 --quiet", {}, run("echo", { host: "::1", quiet: true })],
    ["echo --grace 0", {}, run("echo", { grace: 0 })],
    ["echo --grace 1.5", {}, run("echo", { grace: 1500 })],
    ["http --lame-duck 2.5", {}, run("http", { lameDuck: 2500 })],
    ["http", { TCPKIT_LAME_DUCK: "10" }, run("http", { lameDuck: 10_000 })],
    ["echo --lang zh-CN", {}, run("echo")],
    // The last one wins, as with most programs.
    ["echo --port 1 --port 2", {}, run("echo", { port: 2 })],
    // Environment over default, flag over environment.
    [
      "echo",
      { TCPKIT_PORT: "9000", TCPKIT_HOST: "::1", TCPKIT_GRACE: "2" },
      run("echo", { port: 9000, host: "::1", grace: 2000 }),
    ],
    [
      "echo --port 9001 --host 127.0.0.2 --grace 3",
      { TCPKIT_PORT: "9000", TCPKIT_HOST: "::1", TCPKIT_GRACE: "2" },
      run("echo", { port: 9001, host: "127.0.0.2", grace: 3000 }),
    ],
    ["echo --port 9001", { TCPKIT_PORT: "nonsense" }, run("echo", { port: 9001 })],
    ["echo", { TCPKIT_PORT: "", TCPKIT_LANG: "" }, run("echo")],
    ["start", { TCPKIT_PORT: "0" }, run("start", { port: 0 })],
    ["--help", {}, { type: "help", command: undefined }],
    ["-h", {}, { type: "help", command: undefined }],
    ["smtp --help", {}, { type: "help", command: "smtp" }],
    ["--version", {}, { type: "version" }],
  ];
  it.each(cases)("%s %o", (line, environment, expected) => {
    expect(parseArguments(words(line), environment)).toEqual(expected);
  });
});

describe("what is refused, with exit code 2", () => {
  const cases: readonly [line: string, environment: Environment, code: string, parameters: object][] = [
    ["", {}, "error.no-command", {}],
    ["frobnicate", {}, "error.unknown-command", { command: '"frobnicate"' }],
    ["imap", {}, "error.unknown-command", { command: '"imap"' }],
    ["toString", {}, "error.unknown-command", { command: '"toString"' }],
    ["echo --frob", {}, "error.unknown-flag", { command: "echo", flag: '"--frob"' }],
    ["echo --__proto__", {}, "error.unknown-flag", { command: "echo", flag: '"--__proto__"' }],
    ["--frob", {}, "error.unknown-flag", { command: "tcpkit" }],
    ["echo -x", {}, "error.unknown-flag", { flag: '"-x"' }],
    ["echo --data mail", {}, "error.unknown-flag", { command: "echo", flag: "--data" }],
    ["echo --port", {}, "error.missing-value", { flag: "--port" }],
    ["echo --host --json", {}, "error.missing-value", { flag: "--host" }],
    ["echo --json=yes", {}, "error.unexpected-value", { flag: "--json" }],
    ["echo more", {}, "error.unexpected-argument", { argument: '"more"' }],
    ["http one two", {}, "error.unexpected-argument", { argument: '"two"' }],
    ["echo --port 65536", {}, "error.bad-port", { source: "--port", value: '"65536"' }],
    ["echo --port -1", {}, "error.bad-port", { value: '"-1"' }],
    ["echo --port 0x50", {}, "error.bad-port", { value: '"0x50"' }],
    ["echo --port 80.5", {}, "error.bad-port", {}],
    ["echo --port=", {}, "error.empty-value", { source: "--port" }],
    ["echo --host=", {}, "error.empty-value", { source: "--host" }],
    ["smtp --data=", {}, "error.empty-value", { source: "--data" }],
    ["start --port 8080", {}, "error.start-port", { source: "--port", value: 8080 }],
    ["start", { TCPKIT_PORT: "8080" }, "error.start-port", { source: "TCPKIT_PORT" }],
    ["echo", { TCPKIT_PORT: "http" }, "error.bad-port", { source: "TCPKIT_PORT" }],
    ["echo --lang fr", {}, "error.bad-language", { source: "--lang", value: '"fr"' }],
    ["echo", { TCPKIT_LANG: "fr" }, "error.bad-language", { source: "TCPKIT_LANG" }],
    ["echo --grace soon", {}, "error.bad-seconds", { source: "--grace" }],
    ["http --lame-duck soon", {}, "error.bad-seconds", { source: "--lame-duck" }],
    ["echo --grace -1", {}, "error.bad-seconds", {}],
    ["echo --grace 1e9", {}, "error.bad-seconds", {}],
    ["echo --grace 86401", {}, "error.bad-seconds", {}],
  ];
  it.each(cases)("%s %o", (line, environment, code, parameters) => {
    const error = catchError(() => parseArguments(words(line), environment));
    expect(error).toMatchObject({ code, exitCode: 2, parameters });
  });

  it("shows no control characters of what was typed", () => {
    const error = catchError(() => parseArguments(["\u001b[31mred\u009b\u202e"], {}));
    expect(error.parameters).toMatchObject({ command: '"[31mred"' });
  });
});

describe("the language", () => {
  const cases: readonly [line: string, environment: Environment, expected: string][] = [
    ["", {}, "en"],
    ["--lang zh-CN", {}, "zh-CN"],
    ["echo --lang=zh-CN --frob", { TCPKIT_LANG: "en" }, "zh-CN"],
    ["--lang en", { TCPKIT_LANG: "zh-CN", LANG: "zh_CN.UTF-8" }, "en"],
    ["", { TCPKIT_LANG: "zh-CN" }, "zh-CN"],
    ["", { TCPKIT_LANG: "en", LANG: "zh_CN.UTF-8" }, "en"],
    ["", { LANG: "zh_CN.UTF-8" }, "zh-CN"],
    ["", { LANG: "zh_CN.UTF-8", LC_ALL: "en_US.UTF-8" }, "en"],
    ["", { LANG: "en_US.UTF-8", LC_ALL: "zh_CN" }, "zh-CN"],
    ["", { LANG: "en_US.UTF-8", LC_MESSAGES: "zh" }, "zh-CN"],
    // Traditional Chinese is another script: English is read more easily than the wrong one.
    ["", { LANG: "zh_TW.UTF-8" }, "en"],
    ["", { LANG: "C.UTF-8" }, "en"],
    // What is not understood is refused elsewhere, in words that can be read.
    ["--lang fr", { LANG: "zh_CN.UTF-8" }, "zh-CN"],
    ["--lang", {}, "en"],
  ];
  it.each(cases)("%s %o", (line, environment, expected) => {
    expect(pickLanguage(words(line), environment)).toBe(expected);
  });
});

function catchError(action: () => unknown): CliError {
  try {
    action();
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
