// The SMTP service: takes every mail, tells of it, keeps it.
import { CliError } from "../errors.ts";
import { reasonOf } from "../reason.ts";
import type { Service } from "./service.ts";

export const smtp: Service = {
  name: "smtp",
  scheme: "smtp",
  path: "",
  hint: (authority) => `swaks --server ${authority} --to you@example.com`,
  async prepare({ host, log, data, report }) {
    if (data !== undefined) await prepareDirectory(data);
    const { serveSmtpDemo } = await import("../demos/smtp.ts");
    return (port) => serveSmtpDemo({ host, port, tap: log, data, report });
  },
};

/** Makes the directory and proves that a file can be made in it: to fail now is better than at the first mail. */
async function prepareDirectory(directory: string): Promise<void> {
  const { rm, writeFile } = await import("node:fs/promises");
  const { makeFolder } = await import("../folder.ts");
  const path = await import("node:path");
  try {
    await makeFolder(directory);
    const probe = path.join(directory, `.tcpkit-${process.pid}`);
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
  } catch (cause) {
    throw new CliError(1, "error.data-not-writable", { directory, reason: reasonOf(cause) }, cause);
  }
}
