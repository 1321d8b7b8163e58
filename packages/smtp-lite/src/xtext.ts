// Text inside a parameter's value, RFC 3461 section 4.
//
//   xtext   = *( xchar / hexchar )
//   xchar   = %d33-42 / %d44-60 / %d62-126            ; printable, but for "+" and "="
//   hexchar = "+" 2( DIGIT / "A"-"F" )

/** The text; `undefined` when it is no xtext, or holds anything but printable ASCII: a control could end a line somewhere. */
export function decodeXtext(xtext: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(xtext)) return undefined;
  const text = xtext.replaceAll(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return /^[ -~]*$/.test(text) ? text : undefined;
}

/** The inverse of `decodeXtext`, for ASCII. */
export function encodeXtext(text: string): string {
  return text.replaceAll(
    /[^!-*,-<>-~]/g,
    (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/**
 * RFC 6533 section 3: an address in an ORCPT of type `utf-8`. `\\x{E9}` stands for a character, and so, with SMTPUTF8, does the
 * character itself; "+", "=", backslash and space have the first way only. `undefined` when it is none, or holds a control.
 */
export function decodeUnicodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-[\]-~]|[^\0-\x7f]|\\x\{[0-9A-F]{2,6}\})*$/u.test(text)) return undefined;
  let valid = true;
  const decoded = text.replaceAll(/\\x\{([0-9A-F]+)\}/g, (_, hex: string) => {
    const codePoint = Number.parseInt(hex, 16);
    valid &&= codePoint <= 0x10_ffff;
    return valid ? String.fromCodePoint(codePoint) : "";
  });
  return valid && decoded.isWellFormed() && !/\p{Cc}/u.test(decoded) ? decoded : undefined;
}

/** The inverse of `decodeUnicodeXtext`: ASCII, whether SMTPUTF8 is in force or not. */
export function encodeUnicodeXtext(text: string): string {
  return text.replaceAll(
    /[^!-*,-<>-[\]-~]/gu,
    (character) => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, "0")}}`,
  );
}
