// Conditional and range requests: whether the client has it already, and which part it wants (RFC 9110 §13, §14).
// It knows fields and a file's validators, not files.
import { parseDate } from "./date.ts";
import type { HeaderMap } from "./fields.ts";

/** What identifies a version of a representation. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  readonly etag: string;
  readonly lastModified: Date;
}

/** The status that a precondition leads to, or `undefined` to go on. In the order of RFC 9110 §13.2.2. */
export function precondition(headers: HeaderMap, validators: Validators): 304 | 412 | undefined {
  const seconds = wholeSeconds(validators.lastModified);
  const ifMatch = headers.get("if-match");
  const ifUnmodifiedSince = headers.get("if-unmodified-since");
  if (ifMatch !== undefined) {
    if (!listsTag(ifMatch, validators.etag, "strong")) return 412;
  } else if (ifUnmodifiedSince !== undefined) {
    const date = parseDate(ifUnmodifiedSince);
    if (date !== undefined && seconds > date.getTime()) return 412;
  }
  const ifNoneMatch = headers.get("if-none-match");
  const ifModifiedSince = headers.get("if-modified-since");
  if (ifNoneMatch !== undefined) {
    if (listsTag(ifNoneMatch, validators.etag, "weak")) return 304;
  } else if (ifModifiedSince !== undefined) {
    const date = parseDate(ifModifiedSince);
    if (date !== undefined && seconds <= date.getTime()) return 304;
  }
  return undefined;
}

/** A part of a representation: the first byte and the one behind the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The part that is asked for, or `undefined` for the whole: also where Range is malformed, has several parts or
 * another unit, or If-Range names another version, all of which RFC 9110 §14.2 lets a server ignore.
 */
export function rangeOf(
  headers: HeaderMap,
  size: number,
  validators: Validators,
): Range | "unsatisfiable" | undefined {
  const value = headers.get("range");
  if (value === undefined) return undefined;
  const ifRange = headers.get("if-range");
  if (ifRange !== undefined && ifRange !== validators.etag && !isStrongDate(ifRange, validators))
    return undefined;
  const match = /^bytes=[ \t]*([0-9]{0,15})-([0-9]{0,15})[ \t]*$/i.exec(value);
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return undefined;
    // suffix-range: the last n bytes
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** True when a list of entity tags, or "*", names this one (RFC 9110 §8.8.3.2). */
function listsTag(list: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (list === "*") return true;
  for (const [, weak, tag] of list.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag === etag && (comparison === "weak" || weak === undefined)) return true;
  }
  return false;
}

/**
 * The date of this version, once its second is over: before, the file may change again under the same date (RFC 9110 §8.8.2.2).
 * Who took a date that was younger than that for If-Range has broken §13.1.5.
 */
function isStrongDate(text: string, { lastModified }: Validators): boolean {
  const seconds = wholeSeconds(lastModified);
  return parseDate(text)?.getTime() === seconds && Date.now() >= seconds + 1000;
}

/** A date as fields carry it has no milliseconds. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}
