// Faults at random, that come again: the same seed makes the same script. It knows faults, not what carries them out.
import { drip, endAfter, merge, resetAfter, splitAt, splitEvery, stallAfter } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { DirectedFaults } from "./pair.ts";

/** A script for `pair({ faults })`. Put its `name` into the message of whatever fails. */
export interface RandomFaults extends DirectedFaults {
  /** The seed and the faults, to be printed: `"seed 7: to server drip(300), to client nothing"`. */
  readonly name: string;
  readonly toServer: readonly Fault[];
  readonly toClient: readonly Fault[];
}

/**
 * Up to three faults for each direction, chosen by `seed` (an integer): cuts, merges, drips and pauses, and in one
 * direction of four something that does not heal: a reset, an end, or a stall for ever. Their offsets lie within the
 * first `within` bytes. Default: 256.
 */
export function randomFaults(seed: number, within: number = 256): RandomFaults {
  const random = generator(seed);
  const toServer = direction(random, within);
  const toClient = direction(random, within);
  return {
    name: `seed ${seed}: to server ${names(toServer)}, to client ${names(toClient)}`,
    toServer,
    toClient,
  };
}

type Random = (below: number) => number;

function direction(random: Random, within: number): Fault[] {
  const faults = Array.from({ length: random(3) }, () => healing(random, within));
  if (random(4) === 0) faults.push(final(random, within));
  return faults;
}

function healing(random: Random, within: number): Fault {
  switch (random(5)) {
    case 0:
      return splitEvery(1 + random(16));
    case 1:
      return splitAt(...Array.from({ length: 1 + random(4) }, () => 1 + random(within)));
    case 2:
      return merge(2 + random(7));
    case 3:
      return drip(1 + random(1000));
    default:
      return stallAfter(random(within), 1 + random(60_000));
  }
}

function final(random: Random, within: number): Fault {
  switch (random(3)) {
    case 0:
      return resetAfter(random(within));
    case 1:
      return endAfter(random(within));
    default:
      return stallAfter(random(within));
  }
}

function names(faults: readonly Fault[]): string {
  return faults.map(({ name }) => name).join(" ") || "nothing";
}

/** Mulberry32: whole numbers from 0 to below a bound. Small, and good enough to choose faults by. */
function generator(seed: number): Random {
  let state = Math.trunc(seed);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
