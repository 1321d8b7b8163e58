// What every client here is asked to do: the same message again and again, over so many connections.
import { task } from "./work.ts";
import type { Task } from "./work.ts";

interface SendTask extends Task {
  readonly port: number;
  /** Connections at once. */
  readonly connections: number;
  /** Bytes of a message. */
  readonly bytes: number;
  /** Send all over the same connections, instead of a new one for each message. */
  readonly keep: boolean;
}

/** Messages for each connection between two looks at the clock. */
export const BATCH = 16;

export const FROM = "me@example.com";
export const TO = "you@example.com";

/** What is to be done, and the message, header and all. */
export function mailing(): SendTask & { readonly message: Buffer } {
  const options = task() as SendTask;
  const header = `From: <${FROM}>\r\nTo: <${TO}>\r\nSubject: one of many\r\n\r\n`;
  const line = `${"x".repeat(70)}\r\n`;
  const message = Buffer.from(header + line.repeat(Math.ceil((options.bytes - header.length) / line.length)));
  return { ...options, message };
}
