// What comes before the first word of a server: a name to look up, a delay, and the question whether the client is welcome.
import { Deadline } from "@tcpkit/core";
import type { Connection, DeadlineTimer } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { ask } from "./hook-call.ts";
import type { Introduced } from "./mail-transaction.ts";
import { LOOKUP_TIME, nameOf } from "./reverse-lookup.ts";
import type { Settings } from "./settings.ts";
import { asGreeting } from "./welcome.ts";

/** The greeting for a client, or what `onConnect` says instead. */
export function greet(connection: Connection, who: Introduced, settings: Settings): Reply | Promise<Reply> {
  const { greetingDelay, reverseLookup } = settings;
  if (greetingDelay === 0 && reverseLookup === undefined) return welcome(who, settings);
  return greetLate(connection, who, settings);
}

function welcome({ client }: Introduced, settings: Settings): Reply | Promise<Reply> {
  const { hooks, report } = settings;
  const { greeting } = settings.welcome;
  if (hooks.onConnect === undefined) return greeting;
  const reply = ask(
    () => hooks.onConnect?.(client),
    () => greeting,
    report,
  );
  return reply instanceof Promise ? reply.then(asGreeting) : asGreeting(reply);
}

/** Whoever talks before it gives itself away: the session tells (`early-input`). */
async function greetLate(connection: Connection, who: Introduced, settings: Settings): Promise<Reply> {
  const { greetingDelay, reverseLookup } = settings;
  const { timer } = connection;
  const { remoteAddress } = who.client;
  if (reverseLookup !== undefined && remoteAddress !== "") {
    const remoteName = await within(timer, LOOKUP_TIME, nameOf(remoteAddress, reverseLookup));
    who.client = { ...who.client, remoteName };
  }
  if (greetingDelay > 0) await within(timer, greetingDelay);
  // Nobody is there any more to be asked about.
  return connection.closeReason === undefined ? welcome(who, settings) : settings.welcome.greeting;
}

/** What `work` gives, or `undefined` after so many milliseconds. */
async function within<T>(
  timer: DeadlineTimer,
  milliseconds: number,
  work?: Promise<T>,
): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<T | undefined>();
  using deadline = new Deadline(timer, () => resolve(undefined));
  deadline.set(milliseconds);
  void work?.then(resolve);
  return await promise;
}
