// `tcpkit http DIR`: the files of DIR by ranges and conditions, and no way out of it.
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cli, runTool } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

const content = Buffer.from(Uint8Array.from({ length: 500_000 }, (_byte, index) => (index * 31) & 0xff));
let folder: string;
let cli: Cli;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tcpkit-cli-"));
  const root = join(folder, "public");
  await mkdir(join(root, "sub"), { recursive: true });
  await writeFile(join(root, "data.bin"), content);
  await writeFile(join(root, "sub", "index.html"), "<p>sub");
  await writeFile(join(root, "name with %.txt"), "odd");
  await writeFile(join(root, ".hidden"), "secret");
  await writeFile(join(folder, "secret.txt"), "secret");
  await symlink(join(folder, "secret.txt"), join(root, "link.txt"));
  cli = new Cli(["http", root, "--port", "0", "--json"]);
  base = (await cli.ready()).http.url;
});

afterAll(async () => {
  cli.kill("SIGTERM");
  await cli.exited;
  await rm(folder, { recursive: true });
});

describe.skipIf(!hasTool("curl"))("curl", () => {
  /** The status, the head in lower case, the body. */
  const get = async (
    path: string,
    ...args: string[]
  ): Promise<{ status: number; head: string; body: Buffer }> => {
    const url = new URL(base).origin + path;
    const { stdout } = await runTool("curl", ["-sSi", "--path-as-is", "--max-time", "50", ...args, url]);
    const border = stdout.indexOf("\r\n\r\n") + 4;
    const head = stdout.toString("latin1", 0, border).toLowerCase();
    return { status: Number(head.split(" ")[1]), head, body: stdout.subarray(border) };
  };

  it("a whole file, its length and type", async () => {
    const { status, head, body } = await get("/files/data.bin");
    expect(status).toBe(200);
    expect(head).toContain("content-length: 500000\r\n");
    expect(body.equals(content)).toBe(true);
    expect((await get("/files/sub/")).head).toContain("content-type: text/html");
    expect((await get("/files/name%20with%20%25.txt")).body.toString()).toBe("odd");
  });

  it("ranges", async () => {
    const first = await get("/files/data.bin", "-r", "0-99");
    expect(first.status).toBe(206);
    expect(first.head).toContain("content-range: bytes 0-99/500000\r\n");
    expect(first.body.equals(content.subarray(0, 100))).toBe(true);
    const middle = await get("/files/data.bin", "-r", "1000-200999");
    expect(middle.body.equals(content.subarray(1000, 201_000))).toBe(true);
    expect((await get("/files/data.bin", "-r", "-7")).body.equals(content.subarray(-7))).toBe(true);
    const beyond = await get("/files/data.bin", "-r", "500000-");
    expect(beyond.status).toBe(416);
    expect(beyond.head).toContain("content-range: bytes */500000\r\n");
  });

  it("conditions", async () => {
    const { head } = await get("/files/data.bin");
    const etag = /etag: (.*)\r\n/.exec(head)?.[1] ?? "";
    const unchanged = await get("/files/data.bin", "-H", `If-None-Match: ${etag}`);
    expect(unchanged.status).toBe(304);
    expect(unchanged.body).toHaveLength(0);
    expect((await get("/files/data.bin", "-H", 'If-None-Match: "other"')).status).toBe(200);
  });

  it("HEAD, and 405 with Allow", async () => {
    const { status, head, body } = await get("/files/data.bin", "-I");
    expect({ status, length: body.length }).toEqual({ status: 200, length: 0 });
    expect(head).toContain("content-length: 500000\r\n");
    const posted = await get("/files/data.bin", "-d", "x");
    expect(posted.status).toBe(405);
    expect(posted.head).toContain("allow: get, head, options\r\n");
  });

  it.each([
    "/files/../secret.txt",
    "/files/%2e%2e/secret.txt",
    "/files/..%2fsecret.txt",
    "/files/%2e%2e%2fsecret.txt",
    "/files/..%5csecret.txt",
    "/files/sub/../../secret.txt",
    "/files//etc/passwd",
    "/files/%2fetc%2fpasswd",
    "/files/link.txt",
    "/files/.hidden",
    "/files/%00",
    "/files/data.bin%00.txt",
    "/files/%ff",
    "/files/./data.bin",
    "/files/nothing",
    "/../secret.txt",
  ])("%s leads nowhere", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body.toString()).not.toContain("secret\n");
    expect(body.toString()).not.toMatch(/^secret/);
    expect(body.toString()).not.toContain("root:");
  });

  it("the server is still there", async () => {
    expect((await get("/hello")).body.toString()).toBe("Hello, World!");
  });
});
