// How servers that Node does not run are started: what they are called, and what they are configured with.
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Given } from "./bench.ts";

const peers = createRequire(new URL("../peers/package.json", import.meta.url));

/** The `package.json` of a large peer, which is installed apart. @throws Error when it is not. */
function peer(name: string): string {
  try {
    return peers.resolve(`${name}/package.json`);
  } catch {
    throw new Error("not installed; npm install --prefix bench/peers --ignore-scripts");
  }
}

/** The packages of Bun and Deno are programs for this platform; their own names are shims that install scripts fill. */
const BINARIES = {
  bun: [`@oven/bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}`, "bin/bun"],
  deno: [`@deno/${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`, "deno"],
} as const;

/** Runs a script of `servers/` by Bun. @throws Error when Bun is not there for this platform. */
export function byBun(file: string, { port }: Given): readonly string[] {
  return [binary("bun"), script(file), String(port)];
}

/** Runs a script of `servers/` by Deno. @throws Error when Deno is not there for this platform. */
export function byDeno(file: string, { port }: Given): readonly string[] {
  return [binary("deno"), "run", "--allow-net", "--no-config", script(file), String(port)];
}

/** One nginx process that answers by itself. Every file of its own is in its folder. */
export function nginx({ port, folder }: Given): readonly string[] {
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  # As many requests a connection as all the others take.
  keepalive_requests 1000000000;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  default_type text/plain;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = /hello { return 200 "Hello, World!"; }
  }
}
`,
  );
  // Debian's place for it is not on everybody's PATH.
  const program = existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
  return [program, "-p", folder, "-c", file, "-e", "stderr"];
}

/** Postfix's smtp-sink, which refuses to run as root. */
export function smtpSink(port: number): readonly string[] {
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  return ["smtp-sink", ...user, `127.0.0.1:${port}`, "1024"];
}

/** One Haraka process with a single plugin, which takes every recipient and keeps no message. */
export function haraka({ port, folder, node }: Given): readonly string[] {
  const home = dirname(peer("haraka"));
  const config = join(folder, "config");
  const plugins = join(folder, "plugins");
  // As Haraka's own installer begins.
  cpSync(join(home, "config"), config, { recursive: true });
  writeFileSync(join(config, "smtp.ini"), `listen=127.0.0.1:${port}\nnodes=0\n`);
  writeFileSync(join(config, "log.ini"), "[main]\nlevel=error\n");
  writeFileSync(join(config, "plugins"), "accept\n");
  mkdirSync(plugins);
  // `OK` is given to plugins. Ours asks no name server for a client's name either.
  writeFileSync(
    join(plugins, "accept.js"),
    `exports.hook_lookup_rdns = (next) => next(OK, "localhost");
exports.hook_rcpt = (next) => next(OK);
exports.hook_queue = (next) => next(OK);
`,
  );
  return ["env", `HARAKA=${folder}`, node, join(home, "haraka.js")];
}

function binary(name: keyof typeof BINARIES): string {
  const [platform, file] = BINARIES[name];
  return join(dirname(createRequire(peer(name)).resolve(`${platform}/package.json`)), file);
}

function script(file: string): string {
  return fileURLToPath(new URL(`servers/${file}`, import.meta.url));
}
