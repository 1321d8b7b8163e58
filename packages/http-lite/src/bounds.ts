// Bounds that a program gives, laid over the default ones. It knows numbers, not what they bound.
import { localError } from "./errors.ts";

/** Those bounds that differ; `undefined` stands for the default. */
type Given<Bounds> = { readonly [Name in keyof Bounds]?: Bounds[Name] | undefined };

/**
 * All bounds: the given ones, and the default where none is given. `Infinity` is no bound. Where they count something (`counts`),
 * as bytes, they are whole numbers; otherwise milliseconds.
 * @throws HttpError `bad-request` for what is no number, NaN, negative, or a count that is not whole.
 */
export function boundsOver<Bounds extends object>(
  defaults: Bounds,
  given: Given<Bounds> | undefined,
  counts: boolean,
): Bounds {
  const differing = Object.entries(given ?? {}).filter(([, bound]) => bound !== undefined);
  for (const [name, bound] of differing) {
    const possible = typeof bound === "number" && bound >= 0;
    if (possible && (!counts || Number.isInteger(bound) || bound === Infinity)) continue;
    const kind = counts ? "a whole number" : "a number of milliseconds";
    throw localError("bad-request", `${name} is ${kind} from 0 on, or Infinity, not ${String(bound)}`);
  }
  return { ...defaults, ...Object.fromEntries(differing) };
}
