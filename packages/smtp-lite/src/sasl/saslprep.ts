// User names and passwords as both sides compare them. It knows RFC 4013 (SASLprep); it knows no mechanism.
//
// A stand-in in two respects, since Node has no stringprep: normalization and character classes are of Node's Unicode, not of
// Unicode 3.2, so code points that were unassigned then are let in; and the check of text of mixed direction (RFC 3454
// section 6) is left out. Both only refuse strings, they change none: what RFC 4013 lets in comes out here as it does there,
// but for the few characters whose normalization Unicode has corrected since.

/** RFC 3454 table C.1.2, non-ASCII spaces: each becomes a space. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;

/** Table B.1, commonly mapped to nothing: soft hyphens, joiners, variation selectors. */
// oxlint-disable-next-line no-misleading-character-class -- joiners are what it is about
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/** Tables C.2.1 to C.9: controls, private use, non-characters, surrogates, and what changes how a text is shown. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u0340\u0341\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** Prepares a user name or password. `undefined`: it has a character that may not be in one, or nothing is left of it. */
export function saslprep(text: string): string | undefined {
  const prepared = text.replaceAll(SPACES, " ").replaceAll(NOTHING, "").normalize("NFKC");
  return prepared === "" || PROHIBITED.test(prepared) ? undefined : prepared;
}
