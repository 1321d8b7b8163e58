// Real HAProxy and nginx in front of a listener of core's, as one would deploy them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lineProtocol, serve } from "../src/index.ts";
import type { Connection } from "../src/index.ts";
import { rawClient } from "./support.ts";

/** A proxy as one process in the foreground, which needs no file outside its folder. */
interface Program {
  readonly command: string;
  /** Further files that it must have. */
  readonly needs: readonly string[];
  arguments(folder: string, file: string): string[];
  /** Carries TCP from port `front` to port `target`; `option` is what makes it send the header. */
  configuration(front: number, target: number, option: string): string;
}

const haproxy: Program = {
  command: "/usr/sbin/haproxy",
  needs: [],
  arguments: (_, file) => ["-db", "-f", file],
  configuration: (front, target, option) => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind 127.0.0.1:${front}
  server core 127.0.0.1:${target} ${option}
`,
};

const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

const nginx: Program = {
  command: "/usr/sbin/nginx",
  needs: [streamModule],
  arguments: (folder, file) => ["-p", folder, "-c", file, "-e", "stderr"],
  configuration: (front, target, option) => `
load_module ${streamModule};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
stream {
  server {
    listen 127.0.0.1:${front};
    proxy_pass 127.0.0.1:${target};
    ${option};
  }
}
`,
};

/** Whether its tests are to be skipped; never in CI, where they fail instead. */
function missing({ command, needs }: Program): boolean {
  const absent = [command, ...needs].filter((file) => !existsSync(file));
  if (absent.length > 0) console.warn(`SKIPPED: ${absent.join(" and ")} not installed, see .ci/run`);
  return absent.length > 0 && process.env["CI"] === undefined;
}

/** A port that was free a moment ago: a proxy cannot tell which one it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves with a connection through the proxy once that listens. */
async function through(port: number): Promise<Socket> {
  for (;;) {
    try {
      return await rawClient(port);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Runs the proxy around `use`. */
async function withProxy(
  program: Program,
  option: string,
  target: number,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-proxy-"));
  const file = join(folder.path, "proxy.conf");
  await writeFile(file, program.configuration(port, target, option));
  const child = spawn(program.command, program.arguments(folder.path, file), { stdio: "ignore" });
  try {
    await use(port);
  } finally {
    const gone = once(child, "exit");
    if (child.kill("SIGKILL")) await gone;
  }
}

/** Sends a line through the proxy; the handler must know whose it is, and by which header. */
async function understood(
  program: Program,
  option: string,
  version: number,
  tlvs: readonly string[],
): Promise<void> {
  const whose = ({ remote, peer, proxy }: Connection): string =>
    JSON.stringify({
      remote,
      proxied: peer?.kind === "tcp" && remote?.kind === "tcp" && peer.port !== remote.port,
      version: proxy?.version,
      tlvs: proxy?.tlvs.map(({ type }) => type),
    });
  await using listener = await serve(
    lineProtocol,
    ({ text }, { connection }) => `${text} ${whose(connection)}`,
    { proxyProtocol: { from: ["127.0.0.1"] } },
  );
  await withProxy(program, option, listener.port, async (port) => {
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
}

describe("the header of HAProxy", () => {
  it.skipIf(missing(haproxy)).each([
    ["send-proxy", 1, []],
    ["send-proxy-v2", 2, []],
    ["send-proxy-v2 proxy-v2-options crc32c,unique-id", 2, ["crc32c", "unique-id"]],
  ])("with %s is understood", (option, version, tlvs) => understood(haproxy, option, version, tlvs));
});

describe("the header of nginx's stream module", () => {
  it.skipIf(missing(nginx))("is understood", () => understood(nginx, "proxy_protocol on", 1, []));
});
