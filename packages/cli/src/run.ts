// Runs services until a signal: opens them all, says so, drains, gives the exit code.
import { setTimeout as sleep } from "node:timers/promises";
import { commands } from "./commands.ts";
import type { CommandName, ServiceName } from "./commands.ts";
import type { RunOptions } from "./args.ts";
import { translator } from "./messages/index.ts";
import type { Language } from "./messages/index.ts";
import { openOn } from "./ports.ts";
import { services } from "./services/index.ts";
import type { Context, Running } from "./services/service.ts";
import { drainAll, Signals } from "./shutdown.ts";
import { voiceFor } from "./voice.ts";

/** How long what was said last may take to leave, in milliseconds. */
const LAST_WORDS = 1000;

/**
 * Runs a command that serves. Gives the exit code of the process.
 * @throws CliError when something cannot be opened; nothing is left open then.
 */
export async function run(command: CommandName, options: RunOptions, language: Language): Promise<number> {
  const signals = new Signals();
  const say = translator(language);
  const voice = voiceFor(options, say);
  const draining = new AbortController();
  const { host, directory, data, lameDuck, grace } = options;
  const names = commands[command].services;
  const { EventLog } = await import("@tcpkit/core");
  let running: readonly Running[] = [];
  const context: Context = {
    host,
    directory,
    data,
    log: names.includes("inspector") ? new EventLog() : undefined,
    report: (event) => voice.event(event),
    draining: draining.signal,
    running: () => running,
    say,
    language,
  };
  running = await openAll(names, options.port, context);
  voice.ready(running);
  for (const { service, listener, wanted } of running) {
    if (wanted === undefined) continue;
    voice.event({ event: "port-busy", service: service.name, wanted, port: listener.port });
  }
  const signal = await signals.next();
  const second = signals.next();
  draining.abort();
  if (lameDuck > 0) {
    voice.event({ event: "lame-duck", signal, seconds: lameDuck / 1000 });
    await Promise.race([sleep(lameDuck), second]);
  }
  voice.event({ event: "draining", signal, grace: grace / 1000 });
  const listeners = running.map(({ listener }) => listener);
  const exitCode = await drainAll(listeners, signal, second, grace, context.report);
  // A reader that has stopped reading must not hold us.
  await Promise.race([voice.flushed(), sleep(LAST_WORDS), signals.next()]);
  return exitCode;
}

/** Opens all or none. */
async function openAll(
  names: readonly ServiceName[],
  port: number | undefined,
  context: Context,
): Promise<Running[]> {
  const opening = names.map(async (name): Promise<Running> => {
    const service = services[name];
    const open = await service.prepare(context);
    const host = service.hostFor?.(context.host) ?? context.host;
    return { service, ...(await openOn(name, host, port, open)) };
  });
  const outcomes = await Promise.allSettled(opening);
  const running = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed === undefined) return running;
  await Promise.all(running.map(({ listener }) => listener.close({ deadline: 0 })));
  throw failed.reason;
}
