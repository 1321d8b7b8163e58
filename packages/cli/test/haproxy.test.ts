// HAProxy's recipe of docs/scaling.md, as it stands there: two servers, each drained and started again while clients go
// on asking. Only its addresses, how often it checks, and that it never tries twice are the test's.
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Load, Proxy, recipe } from "./support/behind-proxy.ts";
import { Cli } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

/** Debian's place for it is not on everybody's PATH. */
const haproxyFile = "/usr/sbin/haproxy";

const demo = (port: number): Cli =>
  new Cli(["http", "--port", String(port), "--json", "--lame-duck", "2", "--grace", "30"]);

it.skipIf(!hasTool(haproxyFile))(
  "servers behind HAProxy are restarted one after the other, and no request fails",
  { timeout: 60_000 },
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-haproxy-"));
    await using one = demo(0);
    await using two = demo(0);
    const ports = { one: (await one.ready()).http.port, two: (await two.ready()).http.port };
    const front = join(folder.path, "front");
    const file = join(folder.path, "haproxy.cfg");
    await writeFile(
      file,
      recipe("haproxy", {
        "bind :80": `bind unix@${front}`,
        "10.0.0.1:8080": `127.0.0.1:${ports.one}`,
        "10.0.0.2:8080": `127.0.0.1:${ports.two}`,
        "inter 1s": "inter 100ms",
        // Without its safety net a request to a server that no longer accepts would fail, and be seen.
        "option redispatch": "retries 0",
      }),
    );
    await using haproxy = new Proxy(haproxyFile, ["-db", "-f", file]);
    await haproxy.ready(front);

    const load = new Load(front);
    await load.servedBy("one", "two");
    await using replacements = new AsyncDisposableStack();
    for (const [name, server] of [
      ["one", one],
      ["two", two],
    ] as const) {
      server.kill("SIGTERM");
      await haproxy.said(`Server app/${name} is DOWN`);
      expect(await server.event("drained")).toMatchObject({ cut: 0 });
      expect(await server.exited).toEqual({ code: 0, signal: null });
      await load.servedBy(name === "one" ? "two" : "one");
      await replacements.use(demo(ports[name])).ready();
      await haproxy.said(`Server app/${name} is UP`);
      await load.servedBy("one", "two");
    }
    await load.end();
    expect(load.failures).toEqual([]);
  },
);
