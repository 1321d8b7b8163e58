// Postfix's smtp-source: SMTP load in C.
import type { Load } from "../bench.ts";
import { runLoad } from "../load-process.ts";

export interface Mail {
  /** Bytes of each message, or a file that holds its lines; it is dot-stuffed on its way. */
  readonly message: number | { readonly file: string };
  /** Connections at once. */
  readonly sessions: number;
  /** Send all over the same connections, instead of a new one for each message. */
  readonly keep: boolean;
}

/**
 * Sends messages for about `seconds`. smtp-source knows counts only, so a first batch of one message for each
 * connection tells how many fill the time that is left. @throws Error when the server refuses one.
 */
export async function smtpSource(port: number, seconds: number, mail: Mail): Promise<Load> {
  const { message, sessions, keep } = mail;
  const content = typeof message === "number" ? `-l${message}` : `-F${message.file}`;
  const args = [content, `-s${sessions}`, ...(keep ? ["-d"] : []), "-M", "localhost"];
  let operations = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    const rate = operations / elapsed;
    const batch = operations === 0 ? sessions : Math.max(sessions, Math.ceil(rate * (seconds - elapsed)));
    await runLoad(["smtp-source", ...args, `-m${batch}`, `127.0.0.1:${port}`]);
    operations += batch;
    elapsed = (performance.now() - start) / 1000;
  } while (elapsed < 0.9 * seconds);
  return { operations, seconds: elapsed };
}
