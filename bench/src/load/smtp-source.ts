// Postfix's smtp-source: SMTP load in C.
import type { Load } from "../bench.ts";
import { runLoad } from "../load-process.ts";

export interface Mail {
  /** Bytes of each message. */
  readonly size: number;
  /** Connections at once. */
  readonly sessions: number;
  /** Messages that one call of smtp-source sends. */
  readonly batch: number;
  /** Send all over the same connections, instead of a new one for each message. */
  readonly keep: boolean;
}

/** Sends batches until `seconds` are over. @throws Error when the server refuses one. */
export async function smtpSource(port: number, seconds: number, mail: Mail): Promise<Load> {
  const { size, sessions, batch, keep } = mail;
  const args = [`-l${size}`, `-s${sessions}`, `-m${batch}`, ...(keep ? ["-d"] : []), "-M", "localhost"];
  let operations = 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < seconds * 1000) {
    await runLoad(["smtp-source", ...args, `127.0.0.1:${port}`]);
    operations += batch;
    elapsed = performance.now() - start;
  }
  return { operations, seconds: elapsed / 1000 };
}
