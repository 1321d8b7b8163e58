// The HTTP service: the demo routes on http-lite.
import { CliError } from "../errors.ts";
import { reasonOf } from "../reason.ts";
import type { Service } from "./service.ts";

export const http: Service = {
  name: "http",
  scheme: "http",
  path: "/",
  hint: (authority) => `curl -i http://${authority}/hello`,
  async prepare({ host, log, directory, draining, report, say, language }) {
    if (directory !== undefined) await checkDirectory(directory);
    const { serveHttpDemo } = await import("../demos/http.ts");
    return (port) => serveHttpDemo({ host, port, tap: log, directory, draining, report, say, language });
  },
};

async function checkDirectory(directory: string): Promise<void> {
  const { opendir } = await import("node:fs/promises");
  try {
    await (await opendir(directory)).close();
  } catch (cause) {
    throw new CliError(1, "error.bad-directory", { directory, reason: reasonOf(cause) }, cause);
  }
}
