// metricsTap against the real OpenTelemetry SDK: what a collector would get.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { metrics } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { expect, it } from "vitest";
import { drive, lineProtocol, listen, open, serve } from "../src/index.ts";
import type { Connection, Handler, LineEvent, Tap } from "../src/index.ts";
import { metricsTap } from "../src/observe/metrics.ts";
import { fakeClock } from "../src/testing/index.ts";
import { closed, joined, rawClient, readAll } from "./support.ts";

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}

  /** Every series, as `name{attribute=value,…}`, with its sum; of a histogram, its count and sum. */
  async series(): Promise<Record<string, unknown>> {
    const { resourceMetrics } = await this.collect();
    const series: Record<string, unknown> = {};
    for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
      for (const { attributes, value } of dataPoints) {
        const labels = Object.entries(attributes).map(([name, label]) => `${name}=${String(label)}`);
        const { count, sum } = Object(value) as { count?: number; sum?: number };
        series[`${descriptor.name}{${labels.toSorted().join(",")}}`] =
          count === undefined ? value : { count, sum };
      }
    }
    return series;
  }
}

function recorded(now = fakeClock()): { tap: Tap; reader: Reader; provider: MeterProvider } {
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  return { tap: metricsTap(provider.getMeter("test"), now), reader, provider };
}

it("counts a server's connections, bytes and messages, and how long they lasted", async () => {
  const clock = fakeClock();
  const { tap, reader } = recorded(clock);
  await using server = await serve(lineProtocol, (line) => line.text.toUpperCase(), { tap });
  const accepted = once(server, "connection") as Promise<[Connection]>;
  const client = await rawClient(server.port);
  const [connection] = await accepted;
  const where = `network.protocol.name=lines,network.transport=tcp,server.address=127.0.0.1,server.port=${server.port}`;
  expect(await reader.series()).toEqual({
    [`tcpkit.connection.active{${where}}`]: 1,
    [`tcpkit.connection.accepted{${where}}`]: 1,
  });

  clock.advance(1_500);
  client.end("hello\n你好\n");
  expect(await readAll(client)).toBe("HELLO\r\n你好\r\n");
  await closed(connection);
  const ended = where.concat(",tcpkit.close.reason=ended");
  const io = (direction: string): string => `network.io.direction=${direction},${where}`;
  expect(await reader.series()).toEqual({
    [`tcpkit.connection.active{${where}}`]: 0,
    [`tcpkit.connection.accepted{${where}}`]: 1,
    [`tcpkit.connection.closed{${ended}}`]: 1,
    [`tcpkit.connection.duration{${ended}}`]: { count: 1, sum: 1.5 },
    [`tcpkit.io{${io("receive")}}`]: 13,
    [`tcpkit.io{${io("transmit")}}`]: 15,
    [`tcpkit.message{${io("receive")},tcpkit.message.type=line}`]: 2,
    [`tcpkit.message{${io("transmit")},tcpkit.message.type=text}`]: 2,
    [`tcpkit.handler.duration{${where},tcpkit.message.type=line}`]: { count: 2, sum: 0 },
  });
});

it("counts what was turned away, by reason", async () => {
  const { tap, reader } = recorded();
  await using server = await listen({ tap, service: "door", deny: ["127.0.0.1"] });
  const dropped = once(server, "drop");
  const client = await rawClient(server.port);
  await dropped;
  client.destroy();
  expect(await reader.series()).toEqual({
    "tcpkit.connection.dropped{network.protocol.name=door,tcpkit.drop.reason=denied}": 1,
  });
});

it("counts a client's bytes from before it was connected, and names the server that it talks to", async () => {
  const { tap, reader } = recorded();
  await using server = await serve(lineProtocol, () => undefined);
  const client = open({ port: server.port, tap, service: "lines" });
  client.write("early\n");
  await once(client, "connect");
  client.end();
  await closed(client);
  const series = await reader.series();
  const where = `network.protocol.name=lines,network.transport=tcp,server.address=127.0.0.1,server.port=${server.port}`;
  expect(series[`tcpkit.io{network.io.direction=transmit,${where}}`]).toBe(6);
  expect(series[`tcpkit.connection.active{${where}}`]).toBe(0);
  expect(Object.keys(series).filter((name) => name.startsWith("tcpkit.connection.accepted"))).toEqual([]);
});

it("measures handlers, those with a promise until it settles, and tells failures apart", async () => {
  const clock = fakeClock();
  const { tap, reader } = recorded(clock);
  const waiting = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  const handler: Handler<LineEvent, string> = ({ text }) => {
    clock.advance(20);
    if (text === "now") return "done";
    if (text === "throw") throw new RangeError("broken");
    asked.resolve();
    return waiting.promise;
  };
  await using server = await serve(lineProtocol, handler, { tap });
  server.on("connection", (connection) => connection.on("error", () => {}));

  const patient = await rawClient(server.port);
  patient.write("now\nlater\n");
  await asked.promise;
  clock.advance(2_000);
  waiting.resolve("done");
  patient.end();
  expect(await readAll(patient)).toBe("done\r\ndone\r\n");

  const accepted = once(server, "connection") as Promise<[Connection]>;
  const unlucky = await rawClient(server.port);
  unlucky.write("throw\n");
  await closed((await accepted)[0]);
  unlucky.destroy();

  const where = `network.protocol.name=lines,network.transport=tcp,server.address=127.0.0.1,server.port=${server.port}`;
  const series = await reader.series();
  expect(series[`tcpkit.handler.duration{${where},tcpkit.message.type=line}`]).toEqual({
    count: 2,
    sum: 2.04,
  });
  expect(series[`tcpkit.handler.duration{error.type=RangeError,${where},tcpkit.message.type=line}`]).toEqual({
    count: 1,
    sum: 0.02,
  });
});

it("counts a handler whose promise is rejected as failed, whatever it is rejected with", async () => {
  const { tap, reader } = recorded();
  const handler: Handler<LineEvent, string> = ({ text }) =>
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- programs do that
    Promise.reject(text === "words" ? text : new TypeError(text));
  await using server = await serve(lineProtocol, handler, { tap });
  server.on("connection", (connection) => connection.on("error", () => {}));
  for (const line of ["words\n", "error\n"]) {
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const client = await rawClient(server.port);
    client.write(line);
    await closed((await accepted)[0]);
    client.destroy();
  }
  const failures = Object.entries(await reader.series()).filter(([name]) => name.includes("error.type"));
  expect(failures.map(([name, value]) => [/error\.type=(\w+)/.exec(name)?.[1], value])).toEqual([
    ["Error", { count: 1, sum: 0 }],
    ["TypeError", { count: 1, sum: 0 }],
  ]);
});

it("counts no connection that never was", async () => {
  const { tap, reader } = recorded();
  const server = await listen();
  await server.close();
  const client = open({ port: server.port, tap });
  client.write("nobody hears this");
  await closed(client);
  expect(await reader.series()).toEqual({});
});

it("counts a reset as such", async () => {
  const { tap, reader } = recorded();
  const { listener, server, client } = await joined({ tap });
  const gone = closed(server);
  client.reset();
  await gone;
  await listener.close();
  const reasons = Object.keys(await reader.series()).filter((name) => name.includes(".closed{"));
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toContain("tcpkit.close.reason=reset");
});

it("takes its meter from the global provider when it is given none", async () => {
  const { provider, reader } = recorded();
  metrics.setGlobalMeterProvider(provider);
  const { listener, server, client } = await joined({ tap: metricsTap() });
  drive(server, lineProtocol, () => undefined);
  client.end();
  await closed(server);
  await listener.close();
  expect(Object.keys(await reader.series()).join()).toContain("tcpkit.connection.closed");
  metrics.disable();
});

it(
  "is the only part that needs OpenTelemetry: the rest of core runs without it",
  { timeout: 30_000 },
  async () => {
    const src = join(import.meta.dirname, "../src");
    const without = (entry: string): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [
        "--input-type=module",
        "--eval",
        `import { registerHooks } from "node:module";
      import { pathToFileURL } from "node:url";
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier.startsWith("@opentelemetry/")) throw new Error("not installed");
          return next(specifier, context);
        },
      });
      const { serve, lineProtocol, EventLog } = await import(pathToFileURL(${JSON.stringify(join(src, "index.ts"))}));
      const server = await serve(lineProtocol, () => undefined, { tap: new EventLog() });
      await server.close();
      await import(pathToFileURL(${JSON.stringify(join(src, entry))}));
      console.log("runs");`,
      ]);
    expect((await without("testing/index.ts")).stdout).toBe("runs\n");
    await expect(without("observe/metrics.ts")).rejects.toThrow("not installed");
  },
);
