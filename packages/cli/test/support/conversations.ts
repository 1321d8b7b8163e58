// What was said between a proxy and the server behind it: which requests the proxy wrote, told by the stamp that it puts
// into each, and which requests the server read out of the same bytes. Where the two differ, they do not agree where a
// request ends, and somebody can smuggle one past the proxy.
import type { Observation, Tap, Token } from "@tcpkit/core";

/** A proxy writes this field once into each request, with its own name and a number; no payload holds one. */
const STAMP = /^x-stamp: ((?:nginx|haproxy|varnish)-[\w-]+)\r$/gim;

/** A request, and where it began in the bytes of its connection. */
interface Stamped {
  /** `undefined`: the server refused its head, and so did not tell. It reads nothing after that. */
  readonly stamp: string | undefined;
  readonly start: number;
}

interface Conversation {
  received: Buffer;
  /** Which payload the proxy was working on, from which byte on. */
  readonly payloads: { readonly name: string; readonly start: number }[];
  readonly read: Stamped[];
  /** Where what was refused began. */
  fault: number;
  /** Final replies that the server sent. */
  answered: number;
}

/** Taps the server, one conversation a connection. */
export class Conversations implements Tap {
  /** The payload that is being sent. */
  payload = "";
  readonly #all = new Map<number, Conversation>();

  /** The server's connections, and the requests that it read or refused. */
  get counts(): { readonly connections: number; readonly requests: number } {
    const requests = [...this.#all.values()].reduce((sum, { read }) => sum + read.length, 0);
    return { connections: this.#all.size, requests };
  }

  observe(observation: Observation): void {
    if (observation.kind === "connection") {
      const received = Buffer.alloc(0);
      this.#all.set(observation.conn, { received, payloads: [], read: [], fault: 0, answered: 0 });
      return;
    }
    const conversation = "conn" in observation ? this.#all.get(observation.conn ?? 0) : undefined;
    if (conversation === undefined) return;
    if (observation.kind === "data" && observation.dir === "in") {
      conversation.payloads.push({ name: this.payload, start: observation.span.start });
      conversation.received = Buffer.concat([conversation.received, observation.bytes]);
    } else if (observation.kind === "message") {
      const { type, span, tokens = [] } = observation;
      if (type === "request") {
        const stamp = stamps(conversation.received, tokens).join(" and ");
        conversation.read.push({ stamp, start: span.start });
      } else if (type === "error") {
        conversation.fault = span.start;
      } else if (type === "response") {
        conversation.answered += 1;
      }
    } else if (observation.kind === "state" && observation.why === "error") {
      // In the middle of a body it is a request's that was read.
      const { from } = observation;
      if (from.startsWith("idle/")) conversation.read.push({ stamp: undefined, start: conversation.fault });
    }
  }

  /** A line for each connection on which the proxy and the server made different requests of the same bytes. */
  disagreements(): string[] {
    return [...this.#all.values()].map(difference).filter((line) => line !== undefined);
  }
}

/** The values of the stamp's field lines in a request that the server read: one, unless something is wrong. */
function stamps(received: Buffer, tokens: readonly Token[]): string[] {
  const words = tokens
    .filter(({ name }) => name.startsWith("field-"))
    .map(({ start, end }) => received.toString("latin1", start, end));
  return words.filter((_, index) => index % 2 === 1 && words[index - 1]?.toLowerCase() === "x-stamp");
}

function difference({ received, payloads, read, answered }: Conversation): string | undefined {
  const matches = [...received.toString("latin1").matchAll(STAMP)];
  const written: Stamped[] = matches.map(({ index, 1: stamp }) => ({ stamp, start: index }));
  const most = Math.max(read.length, written.length);
  for (let index = 0; index < most; index += 1) {
    const ours = read[index];
    const theirs = written[index];
    // What was refused may be any request, but a request it must be, and not a piece of a body.
    if (ours && theirs && (ours.stamp === undefined || ours.stamp === theirs.stamp)) continue;
    const start = (ours ?? theirs)?.start ?? 0;
    const name = payloads.findLast((one) => one.start <= start)?.name;
    const from = payloads.find((one) => one.name === name)?.start;
    const to = payloads.find((one) => one.start > start && one.name !== name)?.start;
    const bytes = JSON.stringify(received.toString("latin1", from, to));
    return `${name}: the proxy wrote ${written.length} requests, the server read ${read.length}: ${bytes}`;
  }
  if (answered <= read.length) return undefined;
  return `${payloads.at(-1)?.name}, or before: the server read ${read.length} requests and sent ${answered} replies`;
}
