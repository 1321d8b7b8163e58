// Reply codes as types, and what their first digit says. It knows which codes exist and which belong together; it knows no
// bytes.

/** Codes that refuse: `4xx` for now (the client tries again later), `5xx` for good. RFC 5321 section 4.2.3. */
export type RefusalCode =
  | 421
  | 450
  | 451
  | 452
  | 454
  | 455
  | 500
  | 501
  | 502
  | 503
  | 504
  | 521
  | 530
  | 534
  | 535
  | 538
  | 550
  | 551
  | 552
  | 553
  | 554
  | 555
  | 556;

/**
 * An enhanced status code whose class is the first digit of `Code`, as RFC 2034 section 4 demands:
 * `EnhancedFor<550>` is `` `5.${number}.${number}` ``.
 */
export type EnhancedFor<Code extends number> = `${Code}` extends `${infer Class extends 2 | 4 | 5}${string}`
  ? `${Class}.${number}.${number}`
  : never;

/** A reply as a value: one code, at least one line. */
export interface Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /** RFC 3463 code such as `"5.1.1"`. Its class is the first digit of `code`; greeting, EHLO and 354 have none. */
  readonly enhanced?: string;
  /**
   * Text without codes and line endings: printable ASCII and tabs. What a server sent us may be any other text too, but without
   * control characters.
   */
  readonly lines: readonly [string, ...string[]];
}

/** It says yes. A client goes by the first digit of a code, and so knows those that it has never seen (RFC 5321 section 4.2). */
export function isPositive({ code }: Reply): boolean {
  return code >= 200 && code < 300;
}

/** It says: go on. */
export function isIntermediate({ code }: Reply): boolean {
  return code >= 300 && code < 400;
}
