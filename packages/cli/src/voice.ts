// How the program speaks: NDJSON on standard output, or words for a person. It knows wording and streams, no servers.
import { assertNever } from "@tcpkit/core";
import { bannerLines, styleFor } from "./banner.ts";
import type { RunOptions } from "./args.ts";
import type { Event } from "./events.ts";
import { Lines } from "./lines.ts";
import type { Translate } from "./messages/index.ts";
import { readyLine } from "./ready.ts";
import type { Running } from "./services/service.ts";
import { version } from "./version.ts";

export interface Voice {
  /** Everything listens. */
  ready(running: readonly Running[]): void;
  event(event: Event): void;
  /** Resolves when everything said has left. */
  flushed(): Promise<void>;
}

export function voiceFor({ json, quiet }: RunOptions, say: Translate): Voice {
  const lost = (lines: number): Event => ({ event: "dropped", lines });
  const toText = (event: Event): string => sentence(event, say);
  const stdout = new Lines(process.stdout, (lines) =>
    json ? JSON.stringify(lost(lines)) : toText(lost(lines)),
  );
  const stderr = new Lines(process.stderr, (lines) => toText(lost(lines)));
  return {
    ready(running) {
      if (json) stdout.write(readyLine(running));
      else if (!quiet) {
        const about = { version: version(), milliseconds: Math.round(performance.now()) };
        for (const line of bannerLines(running, about, say, styleFor(process.stderr))) stderr.write(line);
      }
    },
    event(event) {
      // Somebody was told that it could not be done: that is no talk.
      if (quiet && event.event !== "failed") return;
      if (json) stdout.write(JSON.stringify(event));
      // A mail is what a person runs the server for, so it goes where results go; the rest is talk.
      else if (event.event === "message") stdout.write(toText(event));
      // The banner has said it already.
      else if (event.event !== "port-busy") stderr.write(toText(event));
    },
    async flushed() {
      await Promise.all([stdout.flushed(), stderr.flushed()]);
    },
  };
}

/** An event in words, on one line. */
function sentence(event: Event, say: Translate): string {
  switch (event.event) {
    case "message":
      return say("mail.line", {
        time: event.time,
        from: event.from === "" ? say("mail.nullSender") : event.from,
        to: event.to.join(", "),
        size: event.size,
        subject: event.subject === "" ? say("mail.noSubject") : event.subject,
      });
    case "port-busy":
      return say("banner.portBusy", { service: event.service, wanted: event.wanted, port: event.port });
    case "failed":
      return say("banner.failed", { service: event.service, reason: event.reason });
    case "lame-duck":
      return say("banner.lameDuck", { signal: event.signal, seconds: event.seconds });
    case "draining":
      return say("banner.draining", { signal: event.signal, seconds: event.grace });
    case "drained":
      return say("banner.drained", { drained: event.drained, cut: event.cut });
    case "dropped":
      return say("output.dropped", { lines: event.lines });
    default:
      return assertNever(event);
  }
}
