// `tcpkit smtp --data DIR` when DIR is not as it should be: who is told, and in which words.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, listen } from "@tcpkit/core";
import { sendMail } from "@tcpkit/smtp-lite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serveSmtpDemo } from "../src/demos/smtp.ts";
import { translator } from "../src/messages/index.ts";
import { smtp } from "../src/services/smtp.ts";
import type { Context } from "../src/services/service.ts";
import { Cli, runCli } from "./support/cli.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "tcpkit-mail-"));
});
afterEach(() => rm(data, { recursive: true, force: true }));

const mail = { from: "a@example.com", to: "b@example.com", data: "Subject: hi\n\nhello\n" };

/** Resolves once somebody listens. */
async function reach(port: number): Promise<void> {
  for (;;) {
    const socket = await connect({ port }).catch(() => undefined);
    socket?.destroy();
    if (socket !== undefined) return;
  }
}

it.each([[[]], [["--json"]]])("--quiet %j: a mail that cannot be kept is told", async (flags) => {
  const free = await listen();
  const { port } = free;
  await free.close();
  await using cli = new Cli(["smtp", "--port", `${port}`, "--data", data, "--quiet", ...flags]);
  await reach(port);
  await rm(data, { recursive: true });
  await expect(sendMail({ port, ...mail })).rejects.toMatchObject({ code: "refused" });
  if (flags.length > 0) expect(await cli.event("failed")).toMatchObject({ reason: "ENOENT" });
  else await cli.said("smtp could not serve a client: ENOENT");
  cli.kill("SIGTERM");
  expect((await cli.exited).code).toBe(0);
});

it("a journal that cannot be replayed is the directory's fault, not the port's, and is looked at once", async () => {
  await writeFile(
    join(data, ".tcpkit-journal-1"),
    "tcpkit-mail-journal 1 some-boot 1-1-1\none 1 a2144478\nx\n",
  );
  await mkdir(join(data, "one.eml"));
  const { code, stderr } = await runCli(["smtp", "--data", data]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: `tcpkit: Mail cannot be kept in ${data}: EISDIR.\n` });
});

/** What a service is given; the rest of it `smtp` does not ask for. */
function context(): Context {
  const { signal } = new AbortController();
  const known = {
    host: "127.0.0.1",
    log: undefined,
    directory: undefined,
    report: () => {},
    draining: signal,
  };
  return { ...known, running: () => [], say: translator("en"), language: "en", data };
}

it("a probe that a killed process has left is in nobody's way, and none is left", async () => {
  const left = `.tcpkit-${process.pid}`;
  await writeFile(join(data, left), "");
  const open = await smtp.prepare(context());
  await (await open(0)).close();
  expect(await readdir(data)).toEqual([left]);
});

it("a directory that cannot be closed in good order is one sentence, after the last connection", async () => {
  const directory = {
    path: data,
    write: () => Promise.reject(new Error("unused")),
    close: () => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" })),
  };
  const { port, close } = await serveSmtpDemo({
    host: "127.0.0.1",
    port: 0,
    tap: undefined,
    directory,
    report: () => {},
  });
  await reach(port);
  const closing = close();
  await expect(closing).rejects.toMatchObject({
    name: "CliError",
    code: "error.data-not-closed",
    exitCode: 1,
    parameters: { directory: data, reason: "EIO" },
  });
});
