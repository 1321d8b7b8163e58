// From what was typed and the environment to one plain value: what to do. It reads no file and opens nothing.
import { parseArgs } from "node:util";
import { commandNames, commands, flags, isCommand } from "./commands.ts";
import type { CommandName, FlagName } from "./commands.ts";
import { CliError } from "./errors.ts";
import { isLanguage } from "./messages/index.ts";
import type { Language } from "./messages/index.ts";
import { printable } from "./printable.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command that serves was asked to do. */
export interface RunOptions {
  readonly host: string;
  /** The port asked for; `undefined` means each service's default, or the next free one after it. */
  readonly port: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  /** How long it goes on serving after the first signal while `/healthz` already says 503, in milliseconds. */
  readonly lameDuck: number;
  /** How long open connections may take to end after that, in milliseconds. */
  readonly grace: number;
  /** `http DIR`: the directory served under `/files/`. */
  readonly directory: string | undefined;
  /** `smtp --data DIR`: where mail is kept. */
  readonly data: string | undefined;
}

export type Invocation =
  | { readonly type: "help"; readonly command: CommandName | undefined }
  | { readonly type: "version" }
  | { readonly type: "run"; readonly command: CommandName; readonly options: RunOptions };

type Given = Partial<Record<FlagName, string | true>>;

/**
 * Reads the arguments after `node main.ts`.
 * @throws CliError with exit code 2 for anything that was not understood.
 */
export function parseArguments(argv: readonly string[], environment: Environment): Invocation {
  const { given, positionals } = read(argv);
  const [name, ...rest] = positionals;
  if (name !== undefined && !isCommand(name)) {
    throw new CliError(2, "error.unknown-command", { command: quote(name), commands: list() });
  }
  checkFlags(name, given);
  if (given.version === true) return { type: "version" };
  if (given.help === true) return { type: "help", command: name };
  if (name === undefined) throw new CliError(2, "error.no-command", { commands: list() });
  const command = commands[name];
  const extra = command.argument === undefined ? rest[0] : rest[1];
  if (extra !== undefined) {
    throw new CliError(2, "error.unexpected-argument", { command: name, argument: quote(extra) });
  }
  checkLanguage(given, environment);
  const options: RunOptions = {
    host: setting("host", given, environment)?.value ?? "127.0.0.1",
    port: readPort(name, given, environment),
    json: given.json === true,
    quiet: given.quiet === true,
    lameDuck: readSeconds("lame-duck", 0, given, environment),
    grace: readSeconds("grace", 5, given, environment),
    directory: notEmpty("DIR", rest[0]),
    data: setting("data", given, environment)?.value,
  };
  return { type: "run", command: name, options };
}

/**
 * The language to speak, whatever else is wrong with the arguments: `--lang`, `TCPKIT_LANG`, the locale, English.
 * Never throws; a bad value is `parseArguments`' to refuse.
 */
export function pickLanguage(argv: readonly string[], environment: Environment): Language {
  const asked = looseLanguage(argv) ?? environment["TCPKIT_LANG"] ?? "";
  if (isLanguage(asked)) return asked;
  const locale = environment["LC_ALL"] || environment["LC_MESSAGES"] || environment["LANG"] || "";
  return /^zh([_-](CN|SG|Hans)\b|$|\.)/i.test(locale) ? "zh-CN" : "en";
}

function looseLanguage(argv: readonly string[]): string | undefined {
  const { tokens } = tokenize(argv);
  return tokens.findLast((token) => token.kind === "option" && token.name === "lang")?.value;
}

function tokenize(argv: readonly string[]): {
  readonly tokens: readonly {
    readonly kind: string;
    readonly name?: string;
    readonly rawName?: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  }[];
} {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { type: flag.value === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  Object.assign(options, { help: { type: "boolean", short: "h" } });
  // Not strict: the tokens are judged here, so that each mistake gets its own sentence in the reader's language.
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
}

function read(argv: readonly string[]): { given: Given; positionals: string[] } {
  const given: Given = {};
  const positionals: string[] = [];
  for (const token of tokenize(argv).tokens) {
    if (token.kind === "positional") positionals.push(token.value ?? "");
    if (token.kind !== "option") continue;
    const { name = "", rawName = "", value, inlineValue } = token;
    if (!isFlag(name)) {
      const command = positionals.find((word) => isCommand(word)) ?? "tcpkit";
      throw new CliError(2, "error.unknown-flag", { command, flag: quote(rawName) });
    }
    if (flags[name].value === undefined) {
      if (value !== undefined) throw new CliError(2, "error.unexpected-value", { flag: rawName });
      given[name] = true;
    } else {
      // `--host --json`: the next flag is not a value, though it may be one when written `--host=--json`.
      const missing = value === undefined || (inlineValue !== true && value.startsWith("--"));
      if (missing) throw new CliError(2, "error.missing-value", { flag: rawName });
      given[name] = value;
    }
  }
  return { given, positionals };
}

function checkFlags(name: CommandName | undefined, given: Given): void {
  for (const flag of Object.keys(given) as FlagName[]) {
    if (flag === "help" || flag === "version" || flag === "lang") continue;
    if (name !== undefined && !commands[name].flags.includes(flag)) {
      throw new CliError(2, "error.unknown-flag", { command: name, flag: `--${flag}` });
    }
  }
}

/** A value and where it came from, for the sentence that refuses it. */
interface Setting {
  readonly value: string;
  readonly source: string;
}

function setting(name: FlagName, given: Given, environment: Environment): Setting | undefined {
  const flag = given[name];
  const source = `--${name}`;
  if (typeof flag === "string") {
    notEmpty(source, flag);
    return { value: flag, source };
  }
  const variable = flags[name].environment;
  const value = variable === undefined ? undefined : environment[variable];
  // An empty variable counts as not set, as is usual.
  return variable === undefined || value === undefined || value === ""
    ? undefined
    : { value, source: variable };
}

function notEmpty(source: string, value: string | undefined): string | undefined {
  if (value === "") throw new CliError(2, "error.empty-value", { source });
  return value;
}

function checkLanguage(given: Given, environment: Environment): void {
  const language = setting("lang", given, environment);
  if (language === undefined || isLanguage(language.value)) return;
  throw new CliError(2, "error.bad-language", { source: language.source, value: quote(language.value) });
}

function readPort(name: CommandName, given: Given, environment: Environment): number | undefined {
  const port = setting("port", given, environment);
  if (port === undefined) return undefined;
  const { value, source } = port;
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new CliError(2, "error.bad-port", { source, value: quote(value) });
  }
  // One port cannot be four; a hidden rule such as "N and the three after it" would surprise.
  if (name === "start" && Number(value) !== 0) {
    throw new CliError(2, "error.start-port", { source, value: Number(value) });
  }
  return Number(value);
}

/** A flag that is a number of seconds, in milliseconds. */
function readSeconds(name: FlagName, standard: number, given: Given, environment: Environment): number {
  const seconds = setting(name, given, environment);
  if (seconds === undefined) return standard * 1000;
  const { value, source } = seconds;
  if (!/^\d{1,5}(\.\d{1,3})?$/.test(value) || Number(value) > 86_400) {
    throw new CliError(2, "error.bad-seconds", { source, value: quote(value) });
  }
  return Number(value) * 1000;
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(flags, name);
}

function list(): string {
  return commandNames.join(", ");
}

/** What was typed, made safe to print and easy to see. */
function quote(text: string): string {
  const safe = printable(text);
  return JSON.stringify(safe.length > 60 ? `${safe.slice(0, 60)}…` : safe);
}
