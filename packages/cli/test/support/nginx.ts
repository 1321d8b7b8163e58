// nginx as the tests run it: one process in the foreground, and every file of its own in its folder. What it serves is
// for whoever starts it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Proxy } from "./behind-proxy.ts";

/** Debian's place for it is not on everybody's PATH. */
export const NGINX = "/usr/sbin/nginx";

/** Starts it in `folder`; `http` is what its `http` block holds. */
export async function startNginx(folder: string, http: string): Promise<Proxy> {
  const configuration = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ${http}
}
`;
  await writeFile(join(folder, "nginx.conf"), configuration);
  return new Proxy(NGINX, ["-p", folder, "-c", "nginx.conf", "-e", "stderr"]);
}
