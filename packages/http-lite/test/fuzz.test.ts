// Whatever bytes come, and however they are cut: no crash, no hang, no difference, no memory without bound.
//
//   FUZZ_RUNS=1000000 pnpm vitest run fuzz --project "fast read"
//   FUZZ_SEED=…  the seed that a failure names, to see it again
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { it } from "vitest";
import { toClient, toServer } from "./fuzz-inputs.ts";
import { cut, play } from "./fuzz-play.ts";
import type { Situation } from "./fuzz-play.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** Runs between which others get their turn: the test runner wants to hear from us. */
const BATCH = 5000;

const situation = (role: Situation["role"]): fc.Arbitrary<Situation> =>
  fc.record({
    role: fc.constant(role),
    limits: fc.constantFrom("default", "small"),
    switches: fc.boolean(),
    answers: fc.constantFrom("at the end", "at once"),
    method: fc.constantFrom("GET", "HEAD", "POST"),
    ending: fc.constantFrom("end", "timeout", "drain"),
  });

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 });

it.each([
  ["server", toServer],
  ["client", toClient],
] as const)("the %s's end stays sound", { timeout: 0 }, async (role, inputs) => {
  const runs = Math.ceil(RUNS / 2);
  console.log(`fuzzing the ${role}'s end: ${runs} inputs, FUZZ_SEED=${SEED}`);
  const property = fc.property(situation(role), inputs, sizes, (how, input, pieces) => {
    const bytes = Buffer.from(input, "latin1");
    const whole = play(how, [bytes]);
    const inPieces = play(how, cut(bytes, pieces));
    assert.deepEqual(inPieces, whole, "cut in pieces it means something else");
  });
  for (let done = 0; done < runs; done += BATCH) {
    fc.assert(property, { numRuns: Math.min(BATCH, runs - done), seed: SEED + done });
    await turn();
  }
});
