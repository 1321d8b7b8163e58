// Makes text from elsewhere safe to print on a terminal.

/** Without control characters (C0, DEL, C1) and without those that turn the direction of text around. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u{2028}-\u{202e}\u{2066}-\u{2069}]/gu, "");
}
