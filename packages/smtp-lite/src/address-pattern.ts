// Which addresses a test means. It knows how they are compared; not whose they are.
import type { Path } from "./address.ts";

/**
 * `"ann@example.com"`: this address; `"@example.com"`: every one of the domain; or a regular expression for the whole address.
 * Strings are compared without regard to case.
 */
export type AddressPattern = string | RegExp;

/** True when the address is one that the pattern means. An empty string means `<>`, and so does `null`. */
export function matchesAddress(pattern: AddressPattern | null, path: Path | null): boolean {
  const address = path?.address ?? "";
  if (pattern instanceof RegExp) return matchesText(pattern, address);
  const wanted = (pattern ?? "").toLowerCase();
  const found = address.toLowerCase();
  return wanted.startsWith("@") ? found.endsWith(wanted) : found === wanted;
}

/** True when the text is `pattern`, or fits it. */
export function matchesText(pattern: string | RegExp, text: string): boolean {
  // `search` begins at the start, whatever a regular expression with `g` remembers.
  return pattern instanceof RegExp ? text.search(pattern) >= 0 : text === pattern;
}
