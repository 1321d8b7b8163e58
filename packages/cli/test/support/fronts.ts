// Three proxies in front of one server, each as strict and as lax as it can be set up. All keep their connections to the
// server and share them among clients, which is where a request that was smuggled would do harm.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Proxy } from "./behind-proxy.ts";
import { NGINX, startNginx } from "./nginx.ts";

export interface Front {
  readonly name: string;
  readonly file: string;
  /** Writes the configuration, starts the proxy, and resolves once it answers on `socketPath`. */
  start(folder: string, socketPath: string, port: number): Promise<Proxy>;
}

function nginx(name: string, settings: string): Front {
  const configuration = (socketPath: string, port: number): string => `
  client_header_timeout 2s;
  client_body_timeout 2s;
  lingering_close off;
  upstream app {
    server 127.0.0.1:${port};
    keepalive 1;
  }
  server {
    listen unix:${socketPath};
    ${settings}
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_next_upstream off;
      proxy_read_timeout 2s;
      proxy_set_header Connection "";
      proxy_set_header X-Stamp nginx-$request_id;
      proxy_ignore_client_abort on;
    }
  }
`;
  return {
    name,
    file: NGINX,
    async start(folder, socketPath, port) {
      return ready(await startNginx(folder, configuration(socketPath, port)), socketPath);
    },
  };
}

function haproxy(name: string, settings: string): Front {
  const file = "/usr/sbin/haproxy";
  const configuration = (socketPath: string, port: number): string => `
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 2s
  timeout server 2s
frontend front
  bind unix@${socketPath}
  ${settings}
  http-request set-header X-Stamp haproxy-%[uuid()]
  default_backend app
backend app
  http-reuse always
  server one 127.0.0.1:${port} pool-max-conn 1
`;
  return {
    name,
    file,
    async start(folder, socketPath, port) {
      const path = join(folder, "haproxy.cfg");
      await writeFile(path, configuration(socketPath, port));
      return ready(new Proxy(file, ["-db", "-f", path]), socketPath);
    },
  };
}

function varnish(name: string): Front {
  const file = "/usr/sbin/varnishd";
  const configuration = (port: number): string => `
vcl 4.1;
backend app {
  .host = "127.0.0.1";
  .port = "${port}";
  .first_byte_timeout = 2s;
  .between_bytes_timeout = 2s;
}
sub vcl_recv {
  call vcl_req_host;
  call vcl_req_method;
  return (pass);
}
sub vcl_pipe {
  set bereq.http.X-Stamp = "varnish-" + bereq.xid;
}
sub vcl_backend_fetch {
  set bereq.http.X-Stamp = "varnish-" + bereq.xid;
}
`;
  return {
    name,
    file,
    async start(folder, socketPath, port) {
      const path = join(folder, "app.vcl");
      await writeFile(path, configuration(port));
      const parameters = ["-p", "timeout_idle=2", "-p", "pipe_timeout=2"];
      const state = join(folder, "state");
      const args = [
        "-F",
        "-j",
        "none",
        "-n",
        state,
        "-a",
        socketPath,
        "-f",
        path,
        "-s",
        "malloc,16M",
        ...parameters,
      ];
      return ready(new Proxy(file, args), socketPath);
    },
  };
}

async function ready(proxy: Proxy, socketPath: string): Promise<Proxy> {
  await proxy.ready(socketPath);
  return proxy;
}

/** One that reads a whole request before it passes it on. */
export const plainNginx: Front = nginx("nginx", "");

/** What each does by itself, and what it does when it is asked to pass on as much as it can, as it comes. */
export const fronts: readonly Front[] = [
  plainNginx,
  nginx(
    "nginx, streaming and lax",
    "proxy_request_buffering off; ignore_invalid_headers off; underscores_in_headers on;",
  ),
  haproxy("HAProxy", ""),
  haproxy("HAProxy, lax", "option accept-invalid-http-request"),
  varnish("Varnish"),
];
