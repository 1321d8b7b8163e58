// The SMTP service: takes every mail, tells of it, keeps it.
import type { MailDirectory } from "@tcpkit/smtp-lite";
import { CliError } from "../errors.ts";
import { reasonOf } from "../reason.ts";
import type { Service } from "./service.ts";

export const smtp: Service = {
  name: "smtp",
  scheme: "smtp",
  path: "",
  hint: (authority) => `swaks --server ${authority} --to you@example.com`,
  async prepare({ host, log, data, report }) {
    // Once, whatever the number of ports that are tried. When none is free, it goes with the process: nothing was written.
    const directory = data === undefined ? undefined : await openDirectory(data);
    const { serveSmtpDemo } = await import("../demos/smtp.ts");
    return (port) => serveSmtpDemo({ host, port, tap: log, directory, report });
  },
};

/** Makes the directory, proves that a file can be made in it, and opens it: to fail now is better than at the first mail. */
async function openDirectory(directory: string): Promise<MailDirectory> {
  const { randomUUID } = await import("node:crypto");
  const { rm, writeFile } = await import("node:fs/promises");
  const path = await import("node:path");
  const { openMailDirectory } = await import("@tcpkit/smtp-lite");
  const { makeFolder } = await import("../folder.ts");
  try {
    await makeFolder(directory);
    const probe = path.join(directory, `.tcpkit-${randomUUID()}`);
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
    return await openMailDirectory(directory);
  } catch (cause) {
    throw new CliError(1, "error.data-not-writable", { directory, reason: reasonOf(cause) }, cause);
  }
}
