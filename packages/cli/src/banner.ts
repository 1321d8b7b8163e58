// What a person sees on a terminal: one line a service, and what to try. Colour only where it is wanted.
import type { Writable } from "node:stream";
import { styleText } from "node:util";
import { authorityOf, urlOf } from "./ready.ts";
import type { Translate } from "./messages/index.ts";
import type { Running } from "./services/service.ts";

export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

/** Styles for one stream: plain unless it is a terminal, and `NO_COLOR` is respected (`styleText` sees to both). */
export function styleFor(stream: Writable): Style {
  return (format, text) => styleText(format, text, { stream, validateStream: true });
}

/** The lines of the banner. `milliseconds` is how long it took from the start of the process. */
export function bannerLines(
  running: readonly Running[],
  about: { readonly version: string; readonly milliseconds: number },
  say: Translate,
  style: Style,
): string[] {
  const { version, milliseconds } = about;
  const lines = [style("bold", say("banner.ready", { version, milliseconds })), ""];
  const nameWidth = Math.max(...running.map(({ service }) => service.name.length));
  const urlWidth = Math.max(...running.map((item) => urlOf(item).length));
  for (const item of running) {
    const name = item.service.name.padEnd(nameWidth);
    const command = item.service.hint(authorityOf(item.listener));
    const hint = command === undefined ? say("banner.open") : say("banner.try", { command });
    lines.push(
      `  ${style("green", name)}  ${style("cyan", urlOf(item).padEnd(urlWidth))}  ${style("dim", hint)}`,
    );
  }
  lines.push("");
  for (const { service, listener, wanted } of running) {
    if (wanted === undefined) continue;
    const words = { service: service.name, wanted, port: listener.port };
    lines.push(style("yellow", say("banner.portBusy", words)));
  }
  const demo = running[0]?.listener.host;
  for (const { service, listener } of running) {
    if (service.hostFor !== undefined && service.hostFor(demo ?? "") !== demo) {
      lines.push(style("yellow", say("banner.loopback", { host: listener.host })));
    }
  }
  lines.push(say("banner.stop"), "");
  return lines;
}
