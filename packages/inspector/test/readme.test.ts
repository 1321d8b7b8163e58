// The first block of the README runs as it stands, but for its ports.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { connect } from "@tcpkit/core";
import { expect, it } from "vitest";
import { openStream } from "./support/event-source.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));

it("the README's first block shows a connection", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const source = block.replace("port: 7070", "port: 0").replace("port: 7000", "port: 0");
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], { cwd: folder });
  try {
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    let line = "";
    for await (const text of child.stdout.setEncoding("utf8")) {
      line += text as string;
      if (line.includes("\n")) break;
    }
    expect(errors).toBe("");
    const [, page, port] =
      /open http:\/\/127\.0\.0\.1:(\d+)\/ and try: nc 127\.0\.0\.1 (\d+)/.exec(line) ?? [];
    const client = await connect({ host: "127.0.0.1", port: Number(port) });
    const answer = new Promise<string>((resolve) => {
      client.once("data", (chunk) => resolve(chunk.toString()));
    });
    client.write("hello\r\n");
    expect(await answer).toBe("you said hello\r\n");
    await using stream = await openStream(Number(page));
    await stream.next();
    const { data } = await stream.next();
    expect(JSON.stringify(data)).toContain('"text":"you said hello"');
    client.destroy();
  } finally {
    child.kill();
  }
});
