// Unix domain sockets leave their file behind when a process dies. This tells a dead one from a live one.
import { lstat, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { TcpError } from "./errors.ts";

/**
 * For a path that binding found in use: takes away the socket file of a server that is gone. A file that is no socket,
 * or one at which somebody answers, stays. Two processes must not do this at once: the slower one could take away the
 * file that the faster one has just made.
 * @throws TcpError `address-in-use`.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  // Abstract sockets (Linux) and named pipes (Windows) have no file.
  if (path.startsWith("\0") || process.platform === "win32") return;
  const file = await lstat(path).catch(() => undefined);
  if (file === undefined) return;
  if (!file.isSocket()) throw new TcpError("address-in-use", `${path} exists and is not a socket`);
  if (await answers(path)) throw new TcpError("address-in-use", `${path} is already in use`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Refused: nobody listens. Any other error (no permission, backlog full) means that somebody may.
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
