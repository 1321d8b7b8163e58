// The inspector service: the page that shows the wire of the others.
import { setFlagsFromString } from "node:v8";
import { authorityOf, urlOf } from "../ready.ts";
import type { Running, Service } from "./service.ts";

export const inspector: Service = {
  name: "inspector",
  scheme: "http",
  path: "/",
  hint: () => undefined,
  // It shows everything that anybody says to the others: whatever they are opened to, it stays on this machine.
  hostFor: (host) => (isLoopback(host) ? host : "127.0.0.1"),
  async prepare({ log, host, running }) {
    const { serveInspector } = await import("@tcpkit/inspector");
    if (log === undefined) throw new Error("the inspector needs an event log");
    // Every byte makes records. They die young, and V8 would rather grow its young generation by some 40 MB than sweep it
    // as often: here, where nothing is measured, memory matters more.
    setFlagsFromString("--semi-space-growth-factor=1");
    const services = (): ReturnType<typeof shown>[] =>
      running()
        .filter(({ service }) => service !== inspector)
        .map((item) => shown(item));
    return (port) => serveInspector(log, { host: inspector.hostFor?.(host), port, services });
  },
};

/** A service as the page offers it to be tried. */
function shown(item: Running): {
  name: string;
  host: string;
  port: number;
  url: string;
  hint: string | undefined;
} {
  const { service, listener } = item;
  const { host, port } = listener;
  return { name: service.name, host, port, url: urlOf(item), hint: service.hint(authorityOf(listener)) };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
