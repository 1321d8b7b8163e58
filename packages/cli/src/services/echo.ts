// The echo service.
import type { Service } from "./service.ts";

export const echo: Service = {
  name: "echo",
  scheme: "tcp",
  path: "",
  hint: (authority) => `nc ${authority.replace(/:(\d+)$/, " $1").replaceAll(/[[\]]/g, "")}`,
  async prepare({ host, log }) {
    const { serveEcho } = await import("@tcpkit/echo");
    return (port) => serveEcho({ host, port, tap: log });
  },
};
