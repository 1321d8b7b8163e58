// Plays the vectors: what a session makes of bytes, written as short lines that a person can compare.
import { readFileSync } from "node:fs";
import { HttpSession } from "../src/index.ts";
import type { HttpEvent, HttpLimits, HttpReply } from "../src/index.ts";

export interface Vector {
  readonly name: string;
  /** The rule that it shows. */
  readonly ref: string;
  /** One character a byte. */
  readonly input: string;
  readonly events: readonly string[];
  /** The last head's field lines, where they matter. */
  readonly fields?: readonly (readonly [string, string])[];
  /** What the last request would switch to. */
  readonly offers?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  /** Methods that are served, where not the default ones. */
  readonly methods?: readonly string[];
  /** The method of the request that a reply answers, in the client's role. Default: GET. */
  readonly method?: string;
  /** Several requests, in the client's role, all of them sent before the first byte comes. */
  readonly asks?: readonly Ask[];
  /** What the other protocol begins with, behind a reply that switches. */
  readonly rest?: string;
}

/** A request of a client. */
interface Ask {
  /** Default: GET. */
  readonly method?: string;
  /** Default: "/". */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The files whose vectors are for a client. */
export const REPLY_VECTORS: readonly string[] = ["replies.json", "pipelines.json", "switched-replies.json"];

/** The files whose vectors are for a server. */
export const REQUEST_VECTORS: readonly string[] = [
  "request-lines.json",
  "fields.json",
  "body-framing.json",
  "connections.json",
  "upgrades.json",
];

export function vectors(file: string): Vector[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8")) as Vector[];
}

/** Events as plain values that can be compared: pieces of a body joined, strings made. */
export function plain(events: readonly HttpEvent[]): PlainEvent[] {
  const all: PlainEvent[] = [];
  for (const event of events) {
    const text = line(event);
    const last = all.at(-1);
    if (event.type === "data" && last?.text.startsWith("data ") === true) {
      all[all.length - 1] = { ...last, text: last.text + text.slice(5), end: event.type === "data" ? -1 : 0 };
    } else {
      // Chunk framing stands between the pieces of a body: only where the first begins is the same for each cut.
      const end = event.type === "data" ? -1 : event.end;
      all.push({
        text,
        start: event.start,
        end,
        fields: "headers" in event ? [...event.headers.lines()] : [],
        offers: event.type === "request" ? event.upgrade : [],
      });
    }
  }
  return all;
}

export interface PlainEvent {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly offers: readonly string[];
}

function line(event: HttpEvent): string {
  switch (event.type) {
    case "request": {
      const { method, target, version, framing, expectsContinue } = event;
      return `request ${method} ${target} ${version}${frame(framing)}${expectsContinue ? " expects" : ""}`;
    }
    case "response":
      return `response ${event.status} ${event.version}${frame(event.framing)}${event.switches ? " switches" : ""}`;
    case "informational":
      return `informational ${event.status}`;
    case "data":
      return `data ${Buffer.from(event.bytes).toString("latin1")}`;
    case "end":
      return ["end", ...Array.from(event.trailers, ([name, value]) => `${name}=${value}`)].join(" ");
    case "error":
      return `error ${event.error.code} ${event.error.status}`;
  }
}

function frame(framing: { readonly type: string; readonly length?: number }): string {
  if (framing.type === "none") return "";
  return framing.length === undefined ? ` ${framing.type}` : ` length ${framing.length}`;
}

/** Answers as a simple server does: when the request is complete, or when it is broken. It opens no tunnels. */
export function answer(event: HttpEvent): HttpReply | undefined {
  if (event.type === "error") return { type: "response", status: event.error.status };
  const complete = event.type === "end" || (event.type === "request" && event.framing.type === "none");
  if (!complete) return undefined;
  const tunnel = event.type === "request" && event.method === "CONNECT";
  return { type: "response", status: tunnel ? 403 : 200, body: "ok" };
}

export function serverSession(vector: Pick<Vector, "limits" | "methods">): HttpSession {
  return new HttpSession({ limits: vector.limits, methods: vector.methods });
}

/** A client that has asked. */
export function clientSession(vector: Pick<Vector, "limits" | "method" | "asks">): HttpSession {
  const { limits, asks = [{ method: vector.method ?? "GET" }] } = vector;
  const session = new HttpSession({ role: "client", limits, pipelining: asks.length });
  for (const { method = "GET", target = "/", headers } of asks) {
    session.send({ type: "request", method, target, headers: { host: "a", ...headers } });
  }
  return session;
}
