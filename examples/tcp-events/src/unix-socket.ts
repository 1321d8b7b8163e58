// "A port or a Domain Socket", says the chapter of `listen`: the same events over a Unix domain socket.
// True: the address is a file. It outlives a process that is killed, and plain `net` then fails with EADDRINUSE for
// ever; here the file is probed first: taken away when nobody answers, left alone when somebody does.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, listen, TcpError } from "@tcpkit/core";

/** A server that is killed as soon as it listens. */
const KILLED = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;

export async function main(print: (line: string) => void): Promise<void> {
  // A directory of our own: on Linux a path of at most 107 bytes.
  const directory = mkdtempSync(join(tmpdir(), "tcpkit-"));
  const path = join(directory, "example.sock");
  try {
    spawnSync(process.execPath, ["-e", KILLED, path]);
    print(`a killed server has left its socket file: ${existsSync(path)}`);

    const server = await listen({ path });
    print(`listening, kind of address: ${server.address.kind}`);
    print(`who may connect: ${(statSync(path).mode & 0o777).toString(8)}`);
    try {
      await listen({ path });
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
      print(`a second server on the same path: ${error.code}`);
    }

    server.on("connection", (connection) => connection.write("Welcome!\r\n"));
    const client = await connect({ path });
    const [greeting] = (await once(client, "data")) as [Buffer];
    print(`client: data ${JSON.stringify(greeting.toString())}`);
    client.end();
    await server.close();
    print(`after close() the file is there: ${existsSync(path)}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) await main(console.log);
