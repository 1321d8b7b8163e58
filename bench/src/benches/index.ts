// All benches, and why some of their targets are missed.
import type { Bench, Target } from "../bench.ts";
import { aim } from "../report.ts";
import { accept } from "./accept.ts";
import { bodies } from "./bodies.ts";
import { echo } from "./echo.ts";
import { http } from "./http.ts";
import { idle } from "./idle.ts";
import { parser } from "./parser.ts";
import { smtpClient } from "./smtp-client.ts";
import { smtp } from "./smtp.ts";

export const BENCHES: readonly Bench[] = [http, bodies, parser, echo, accept, idle, smtp, smtpClient];

/** The reason that a bench gives today for missing a target, whenever it was measured. */
export function whyMissed(name: string, missed: Target): string | undefined {
  const targets = BENCHES.find((bench) => bench.name === name)?.targets;
  return targets?.find((target) => target.scenario === missed.scenario && aim(target) === aim(missed))?.why;
}
