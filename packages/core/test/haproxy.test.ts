// Real HAProxy in front of a listener of core's, as one would deploy it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lineProtocol, serve } from "../src/index.ts";
import type { Connection, Listener } from "../src/index.ts";
import { rawClient } from "./support.ts";

const missing = spawnSync("haproxy", ["-v"]).status !== 0;
if (missing) console.warn("SKIPPED: haproxy is not installed (apt-get install haproxy)");

/** A port that was free a moment ago: HAProxy cannot tell which one it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves with a connection through HAProxy once that listens. */
async function through(port: number): Promise<Socket> {
  for (;;) {
    try {
      return await rawClient(port);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Runs HAProxy in the foreground, with `options` for its server line, around `use`. */
async function withHaproxy(
  target: Listener,
  options: string,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "tcpkit-haproxy-"));
  const file = join(folder, "haproxy.cfg");
  await writeFile(
    file,
    [
      "defaults",
      "  mode tcp",
      "  timeout connect 5s",
      "  timeout client 30s",
      "  timeout server 30s",
      "listen front",
      `  bind 127.0.0.1:${port}`,
      `  server core 127.0.0.1:${target.port} ${options}`,
      "",
    ].join("\n"),
  );
  const haproxy = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
  try {
    await use(port);
  } finally {
    const gone = once(haproxy, "exit");
    haproxy.kill("SIGKILL");
    await gone;
    await rm(folder, { recursive: true });
  }
}

describe("HAProxy", () => {
  it.skipIf(missing && process.env["CI"] === undefined).each([
    ["send-proxy", 1, []],
    ["send-proxy-v2", 2, []],
    ["send-proxy-v2 proxy-v2-options crc32c,unique-id", 2, ["crc32c", "unique-id"]],
  ] as const)("with %s is understood", async (options, version, tlvs) => {
    await using listener = await serve(
      lineProtocol,
      (line, { connection }) => line.text + describeIt(connection),
      {
        proxyProtocol: { from: ["127.0.0.1"] },
      },
    );
    const describeIt = ({ remote, peer, proxy }: Connection): string =>
      ` ${JSON.stringify({
        remote,
        proxied: peer?.kind === "tcp" && remote?.kind === "tcp" && peer.port !== remote.port,
        version: proxy?.version,
        tlvs: proxy?.tlvs.map(({ type }) => type),
      })}`;
    await withHaproxy(listener, options, async (port) => {
      const client = await through(port);
      client.write("hello\r\n");
      const [chunk] = (await once(client, "data")) as [Buffer];
      const [word, rest = ""] = String(chunk).trim().split(/ (.*)/);
      expect(word).toBe("hello");
      expect(JSON.parse(rest)).toEqual({
        remote: { kind: "tcp", host: "127.0.0.1", port: client.localPort },
        proxied: true,
        version,
        tlvs,
      });
      client.end();
    });
  });
});
