// The commands and flags as one table: what each takes. Parsing, help and tests read it; nothing is listed that
// does not run.
import type { MessageKey } from "./messages/index.ts";

export type ServiceName = "echo" | "http" | "smtp" | "inspector";

export type FlagName =
  | "host"
  | "port"
  | "data"
  | "json"
  | "quiet"
  | "lang"
  | "lame-duck"
  | "grace"
  | "help"
  | "version";

export interface Flag {
  readonly about: MessageKey;
  /** The name of its value in help; a flag without one is a switch. */
  readonly value?: string;
  /** The environment variable that is read when the flag is not given. */
  readonly environment?: string;
  readonly default?: string;
}

export const flags: Readonly<Record<FlagName, Flag>> = {
  host: { about: "flag.host", value: "HOST", environment: "TCPKIT_HOST", default: "127.0.0.1" },
  port: { about: "flag.port", value: "N", environment: "TCPKIT_PORT" },
  data: { about: "flag.data", value: "DIR" },
  json: { about: "flag.json" },
  quiet: { about: "flag.quiet" },
  lang: { about: "flag.lang", value: "en|zh-CN", environment: "TCPKIT_LANG" },
  "lame-duck": { about: "flag.lame-duck", value: "SECONDS", environment: "TCPKIT_LAME_DUCK", default: "0" },
  grace: { about: "flag.grace", value: "SECONDS", environment: "TCPKIT_GRACE", default: "5" },
  help: { about: "flag.help" },
  version: { about: "flag.version" },
};

const common: readonly FlagName[] = ["host", "port", "json", "quiet", "lang", "lame-duck", "grace", "help"];

export interface Command {
  readonly about: MessageKey;
  readonly services: readonly ServiceName[];
  readonly flags: readonly FlagName[];
  /** The name of its one optional argument in help. */
  readonly argument?: string;
}

export type CommandName = "start" | "echo" | "http" | "smtp";

export const commands: Readonly<Record<CommandName, Command>> = {
  start: { about: "command.start", services: ["echo", "http", "smtp", "inspector"], flags: common },
  echo: { about: "command.echo", services: ["echo"], flags: common },
  http: { about: "command.http", services: ["http"], flags: common, argument: "DIR" },
  smtp: { about: "command.smtp", services: ["smtp"], flags: [...common, "data"] },
};

export const commandNames: readonly CommandName[] = Object.keys(commands) as CommandName[];

export const defaultPorts: Readonly<Record<ServiceName, number>> = {
  echo: 7007,
  http: 8080,
  smtp: 2525,
  inspector: 7070,
};

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
