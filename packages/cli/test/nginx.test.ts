// nginx's recipe of docs/scaling.md, as it stands there: two servers, each drained and started again while clients go on
// asking. Only its addresses and how long it keeps away from a server that failed are the test's.
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Load, recipe } from "./support/behind-proxy.ts";
import { Cli } from "./support/cli.ts";
import { NGINX, startNginx } from "./support/nginx.ts";
import { hasTool } from "./support/tools.ts";

const demo = (port: number): Cli => new Cli(["http", "--port", String(port), "--json", "--grace", "30"]);

it.skipIf(!hasTool(NGINX))(
  "servers behind nginx are restarted one after the other, and no request fails",
  { timeout: 60_000 },
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-nginx-"));
    await using first = demo(0);
    await using second = demo(0);
    const one = `127.0.0.1:${(await first.ready()).http.port}`;
    const two = `127.0.0.1:${(await second.ready()).http.port}`;
    const front = join(folder.path, "front");
    const http = recipe("nginx", {
      "listen 80": `listen unix:${front}`,
      "10.0.0.1:8080": one,
      "10.0.0.2:8080": two,
      "fail_timeout=2s": "fail_timeout=1s",
    });
    await using nginx = await startNginx(folder.path, http);
    await nginx.ready(front);

    const load = new Load(front);
    await load.servedBy(one, two);
    await using replacements = new AsyncDisposableStack();
    for (const [address, server, other] of [
      [one, first, two],
      [two, second, one],
    ] as const) {
      server.kill("SIGTERM");
      expect(await server.event("drained")).toMatchObject({ cut: 0 });
      expect(await server.exited).toEqual({ code: 0, signal: null });
      await load.servedBy(other);
      await replacements.use(demo(Number(new URL(`http://${address}`).port))).ready();
      await load.servedBy(one, two);
    }
    await load.end();
    expect(load.failures).toEqual([]);
  },
);
