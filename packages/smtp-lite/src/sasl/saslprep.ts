// User names and passwords as both sides compare them. It knows RFC 4013 (SASLprep); it knows no mechanism.
//
// Normalization and character classes are of Node's Unicode, not of Unicode 3.2, since Node has no stringprep: code points that
// were unassigned then are let in. What RFC 4013 lets in comes out here as it does there, but for the few characters whose
// normalization Unicode has corrected since.

/** RFC 3454 table C.1.2, non-ASCII spaces: each becomes a space. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;

/** Table B.1, commonly mapped to nothing: soft hyphens, joiners, variation selectors. */
// oxlint-disable-next-line no-misleading-character-class -- joiners are what it is about
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/** Tables C.2.1 to C.9: controls, private use, non-characters, surrogates, and what changes how a text is shown. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u0340\u0341\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** Table D.1, written from right to left: Hebrew, Arabic, Syriac, Thaana, and their presentation forms. */
const RIGHT_TO_LEFT =
  /[\u05be\u05c0\u05c3\u05d0-\u05ea\u05f0-\u05f4\u061b\u061f\u0621-\u063a\u0640-\u064a\u066d-\u066f\u0671-\u06d5\u06dd\u06e5\u06e6\u06fa-\u06fe\u0700-\u070d\u0710\u0712-\u072c\u0780-\u07a5\u07b1\ufb1d\ufb1f-\ufb28\ufb2a-\ufb36\ufb38-\ufb3c\ufb3e\ufb40\ufb41\ufb43\ufb44\ufb46-\ufbb1\ufbd3-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfc\ufe70-\ufe74\ufe76-\ufefc]/u;

/** Prepares a user name or password. `undefined`: it has a character that may not be in one, or nothing is left of it. */
export function saslprep(text: string): string | undefined {
  const prepared = text.replaceAll(SPACES, " ").replaceAll(NOTHING, "").normalize("NFKC");
  return prepared === "" || PROHIBITED.test(prepared) || isMixed(prepared) ? undefined : prepared;
}

/**
 * RFC 3454 section 6: text with a character from right to left begins and ends with one, and has no letter from left to right.
 * Digits and signs have no direction.
 */
function isMixed(text: string): boolean {
  if (!RIGHT_TO_LEFT.test(text)) return false;
  const characters = Array.from(text);
  const ends = [characters[0], characters.at(-1)];
  if (!ends.every((end = "") => RIGHT_TO_LEFT.test(end))) return true;
  return characters.some((character) => /\p{L}/u.test(character) && !RIGHT_TO_LEFT.test(character));
}
