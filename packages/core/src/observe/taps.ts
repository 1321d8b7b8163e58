// Several taps as one. It knows nothing of what they do.
import type { Tap } from "./record.ts";

/**
 * One tap of several: each sees everything, in the order given. What is `undefined` is left out, and where nothing is
 * left the result is `undefined`, so that a listener without observers makes nothing for them.
 */
export function taps(...all: readonly (Tap | undefined)[]): Tap | undefined {
  const some = all.filter((tap) => tap !== undefined);
  if (some.length <= 1) return some[0];
  return {
    observe(observation) {
      for (const tap of some) tap.observe(observation);
    },
  };
}
