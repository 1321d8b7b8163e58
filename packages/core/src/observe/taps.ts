// Several taps as one. It knows nothing of what they do.
import type { HandlingDone, Tap } from "./record.ts";

/**
 * One tap of several: each sees everything, in the order given. What is `undefined` is left out, and where nothing is
 * left the result is `undefined`, so that a listener without observers makes nothing for them.
 */
export function taps(...all: readonly (Tap | undefined)[]): Tap | undefined {
  const some = all.filter((tap) => tap !== undefined);
  if (some.length <= 1) return some[0];
  const joined: Tap = {
    messages: some.some((tap) => tap.messages !== false),
    observe(observation) {
      for (const tap of some) tap.observe(observation);
    },
  };
  if (some.some((tap) => tap.handling !== undefined)) {
    joined.handling = (conn, type): HandlingDone => {
      const done = some.map((tap) => tap.handling?.(conn, type));
      return (failure) => {
        for (const tell of done) tell?.(failure);
      };
    };
  }
  return joined;
}
