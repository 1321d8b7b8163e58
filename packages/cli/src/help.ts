// The help texts, made from the table of commands and flags.
import { commandNames, commands, defaultPorts, flags } from "./commands.ts";
import type { CommandName, FlagName } from "./commands.ts";
import type { Translate } from "./messages/index.ts";

/** `tcpkit --help`, or `tcpkit COMMAND --help`. */
export function help(name: CommandName | undefined, say: Translate): string {
  return `${(name === undefined ? general(say) : forCommand(name, say)).join("\n")}\n`;
}

function general(say: Translate): string[] {
  const rows = commandNames.map((name): Row => [usageOf(name), say(commands[name].about)]);
  return [
    say("command.about"),
    "",
    `${say("help.usage")}: tcpkit COMMAND [--flags]`,
    "",
    `${say("help.commands")}:`,
    ...table(rows),
    "",
    ...flagLines(
      ["host", "port", "json", "quiet", "lang", "lame-duck", "grace", "help", "version"],
      undefined,
      say,
    ),
    "",
    say("help.more"),
  ];
}

function forCommand(name: CommandName, say: Translate): string[] {
  return [
    `tcpkit ${name}: ${say(commands[name].about)}`,
    "",
    `${say("help.usage")}: tcpkit ${usageOf(name)} [--flags]`,
    "",
    ...flagLines(commands[name].flags, name, say),
  ];
}

function usageOf(name: CommandName): string {
  const { argument } = commands[name];
  return argument === undefined ? name : `${name} [${argument}]`;
}

function flagLines(names: readonly FlagName[], command: CommandName | undefined, say: Translate): string[] {
  const rows = names.map((name): Row => {
    const flag = flags[name];
    const left = flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`;
    const standard = defaultOf(name, command);
    const suffix = standard === undefined ? "" : ` (${say("help.default", { value: standard })})`;
    const about = name === "port" && command === "start" ? "flag.port.start" : flag.about;
    return [left, `${say(about)}${suffix}`];
  });
  const variables = names.flatMap((name): Row[] => {
    const { environment } = flags[name];
    return environment === undefined ? [] : [[environment, `--${name}`]];
  });
  return [
    `${say("help.flags")}:`,
    ...table(rows),
    "",
    `${say("help.environment")}:`,
    ...table([...variables, ["NO_COLOR", ""]]),
    say("help.precedence"),
  ];
}

function defaultOf(name: FlagName, command: CommandName | undefined): string | undefined {
  if (name !== "port" || command === undefined) return flags[name].default;
  return commands[command].services.map((service) => `${service} ${defaultPorts[service]}`).join(", ");
}

type Row = readonly [left: string, right: string];

function table(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}
