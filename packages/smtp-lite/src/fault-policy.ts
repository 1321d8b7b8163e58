// A server that misbehaves on purpose, and in the same way each time. It knows when which rule applies; the fault itself is
// carried out in faulty-conversation.ts.
import { createHash } from "node:crypto";
import { assertNever, drive, systemClock } from "@tcpkit/core";
import type { Clock, Connection, DriveOptions, Handler, Protocol, Session } from "@tcpkit/core";
import { matchesAddress, matchesText } from "./address-pattern.ts";
import type { Reply } from "./codes.ts";
import { badArgument } from "./errors.ts";
import { checkRule } from "./fault-check.ts";
import type { Moment } from "./fault-moment.ts";
import type { EndFault, FaultRule } from "./fault-rules.ts";
import { FaultyConversation } from "./faulty-conversation.ts";
import type { SmtpEvent } from "./server-events.ts";

export interface FaultPolicyOptions {
  /** An integer: with the same one, rules with a `probability` decide the same. Default: 1. */
  readonly seed?: number | undefined;
  /** The clock of delays and drips, for tests with a fake one. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** A fault that happened. */
export interface AppliedFault {
  readonly rule: FaultRule;
  /** Which attempt it was, as the rule counts. */
  readonly attempt: number;
  /** Who and what it was about: the client's address, then what the stage is about. */
  readonly subject: string;
}

/** Attempts that are remembered for each rule, and faults in `applied`: the oldest are forgotten. */
const REMEMBERED = 10_000;

/**
 * Rules for what goes wrong, for the option `faults` of `serveSmtp` and `createTestInbox`:
 * `new FaultPolicy([greylist()], { seed: 7 })`. It counts attempts: use one for several servers, and they count together.
 */
export class FaultPolicy {
  readonly #rules: readonly { readonly rule: FaultRule; readonly attempts: Map<string, number> }[];
  readonly #seed: number;
  readonly #clock: Clock;
  readonly #applied: AppliedFault[] = [];

  /** @throws SmtpError `bad-argument` for a `seed` that is no integer, or a rule that makes no sense. */
  constructor(rules: readonly FaultRule[], options: FaultPolicyOptions = {}) {
    const { seed = 1, clock = systemClock } = options;
    if (!Number.isSafeInteger(seed)) throw badArgument("`seed` is no integer");
    for (const rule of rules) checkRule(rule);
    this.#rules = rules.map((rule) => ({ rule, attempts: new Map() }));
    this.#seed = seed;
    this.#clock = clock;
  }

  /** The faults that happened, in order: the last 10,000. */
  get applied(): readonly AppliedFault[] {
    return this.#applied;
  }

  /** As core's `drive`, with faults. @internal */
  drive(
    connection: Connection,
    protocol: Protocol<SmtpEvent, Reply>,
    handler: Handler<SmtpEvent, Reply>,
    options: DriveOptions,
  ): void {
    const conversation = new FaultyConversation(connection, handler, this.#clock, (moment) =>
      this.#find(moment),
    );
    const session = (): Session<SmtpEvent, Reply> => conversation.quiet(protocol.session());
    drive(connection, { ...protocol, session }, conversation.handle, options);
  }

  /** The fault for this moment, if any. */
  #find(moment: Moment): EndFault | undefined {
    const subject = subjectOf(moment);
    for (const [index, { rule, attempts }] of this.#rules.entries()) {
      if (!matches(rule, moment)) continue;
      const attempt = (attempts.get(subject) ?? 0) + 1;
      attempts.delete(subject);
      attempts.set(subject, attempt);
      forgetOldest(attempts);
      if (rule.attempt !== undefined && ![rule.attempt].flat().includes(attempt)) continue;
      if (rule.probability !== undefined) {
        if (chance(this.#seed, index, subject, attempt) >= rule.probability) continue;
      }
      this.#applied.push({ rule, attempt, subject });
      if (this.#applied.length > REMEMBERED) this.#applied.shift();
      return rule.fault;
    }
    return undefined;
  }
}

function subjectOf({ stage, remoteAddress, name, mechanism, from, to }: Moment): string {
  switch (stage) {
    case "connect":
      return remoteAddress;
    case "ehlo":
      return `${remoteAddress} ${name}`;
    case "auth":
      return `${remoteAddress} ${mechanism}`;
    default:
      return [remoteAddress, ...[from, ...to].map((path) => `<${path?.address ?? ""}>`)].join(" ");
  }
}

function matches(rule: FaultRule, moment: Moment): boolean {
  if (rule.at !== moment.stage) return false;
  if (rule.remoteAddress !== undefined && rule.remoteAddress !== moment.remoteAddress) return false;
  switch (rule.at) {
    case "connect":
      return true;
    case "ehlo":
      return rule.name === undefined || matchesText(rule.name, moment.name);
    case "auth":
      return rule.mechanism === undefined || rule.mechanism === moment.mechanism;
    case "mail":
      return rule.from === undefined || matchesAddress(rule.from, moment.from);
    case "rcpt":
    case "data":
    case "end": {
      const { from, to } = rule;
      if (from !== undefined && !matchesAddress(from, moment.from)) return false;
      return to === undefined || moment.to.some((path) => matchesAddress(to, path));
    }
    default:
      return assertNever(rule);
  }
}

/** From 0 to 1, the same for the same arguments, whatever else goes on at the same time. */
function chance(seed: number, rule: number, subject: string, attempt: number): number {
  const digest = createHash("sha256").update(`${seed} ${rule} ${attempt} ${subject}`).digest();
  return digest.readUInt32BE() / 2 ** 32;
}

function forgetOldest(attempts: Map<string, number>): void {
  const [oldest] = attempts.keys();
  if (attempts.size > REMEMBERED && oldest !== undefined) attempts.delete(oldest);
}
