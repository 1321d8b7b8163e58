// The one error class of the command line: what a person or a script did that cannot be served. It becomes one
// sentence on standard error and an exit code, never a stack trace. It knows no wording: that is the catalogs'.
import type { MessageKey, Parameters } from "./messages/index.ts";

/** The messages that are errors; the part after `error.` is a stable code. */
export type ErrorKey = Extract<MessageKey, `error.${string}`>;

/** 1: it could not be done here and now. 2: it was asked for wrongly. */
export type ExitCode = 1 | 2;

/** A failure with one sentence for the person who typed the command. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** A key of the message catalogs, for example `error.port-busy`. */
  readonly code: ErrorKey;
  readonly exitCode: ExitCode;
  readonly parameters: Parameters;

  constructor(exitCode: ExitCode, code: ErrorKey, parameters: Parameters = {}, cause?: unknown) {
    super(code, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    this.code = code;
    this.parameters = parameters;
  }
}
