// Which rules of a fault policy make no sense: what TypeScript does not see, or a program without it.
import { inspect } from "node:util";
import { badArgument } from "./errors.ts";
import type { EndFault, FaultRule, FaultStage } from "./fault-rules.ts";
import { SmtpReply } from "./reply.ts";

const STAGES: Readonly<Record<FaultStage, true>> = {
  connect: true,
  ehlo: true,
  auth: true,
  mail: true,
  rcpt: true,
  data: true,
  end: true,
};

/** @throws SmtpError `bad-argument` */
export function checkRule(rule: FaultRule): void {
  const { at, attempt, probability, fault } = rule;
  if (!Object.hasOwn(STAGES, at)) {
    throw badArgument(`\`at\` is one of ${Object.keys(STAGES).join(", ")}, not ${inspect(at)}`);
  }
  const attempts = attempt === undefined ? [] : [attempt].flat();
  if (!attempts.every((number) => Number.isSafeInteger(number) && number > 0))
    throw badArgument("`attempt` counts from 1");
  if (probability !== undefined && !(probability >= 0 && probability <= 1))
    throw badArgument("`probability` goes from 0 to 1");
  checkFault(fault, at);
}

function checkFault(fault: EndFault, at: FaultStage): void {
  switch (fault?.type) {
    case "drop":
      return;
    case "reply":
      if (!(fault.reply instanceof SmtpReply)) throw badArgument("`reply` is an SmtpReply");
      return;
    case "lose-reply":
      if (at !== "end") throw badArgument("`lose-reply` is for the stage `end`: nothing is taken before");
      return;
    case "delay":
    case "drip":
      if (!(fault.milliseconds >= 0 && fault.milliseconds < 2 ** 31))
        throw badArgument("`milliseconds` goes from 0 to 2 ** 31 - 1");
      return;
    default:
      throw badArgument(`\`fault\` has a type that nobody knows: ${inspect(fault)}`);
  }
}
