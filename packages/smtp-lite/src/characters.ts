// Sets of characters, for grammars. It knows no grammar.

/** A set of ASCII characters, asked by their codes: 1 for those that are in it. */
export function characters(all: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const character of all) set[character.charCodeAt(0)] = 1;
  return set;
}

/** True when a text needs no SMTPUTF8. */
export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
