// `pnpm check:package`: are the packages right as their users get them? Builds and packs each, lints the tarball, then
// installs all tarballs into an empty project, imports every entry point with plain Node, type-checks that project, and
// runs the command line. Everything happens in a temporary folder. It knows nothing of what the packages do.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readJson, workspaces, type Manifest, type Workspace } from "./workspace.ts";

const root = join(import.meta.dirname, "..");
const temporary = mkdtempSync(join(tmpdir(), "tcpkit-packages-"));
const consumer = join(temporary, "consumer");
const problems: string[] = [];

interface Packed {
  readonly workspace: Workspace;
  readonly name: string;
  readonly tarball: string;
  /** What an importer writes: `@tcpkit/core`, `@tcpkit/core/testing`. */
  readonly entries: readonly string[];
}

try {
  await checkPackages();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
for (const problem of problems) console.error(`✗ ${problem}`);
console.log(
  problems.length === 0 ? "The packages are right." : `check:package found ${problems.length} problems.`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

async function checkPackages(): Promise<void> {
  const published = workspaces(root).filter(
    ({ folder, manifest }) => folder.startsWith("packages/") && manifest.private !== true,
  );
  // A dist from an earlier build may hold files whose source is gone.
  for (const { folder } of published) rmSync(join(root, folder, "dist"), { recursive: true, force: true });
  if (!(await passes("build", "tsc", ["-b", "tsconfig.build.json"]))) return;

  const packed = (await Promise.all(published.map(pack))).filter((each) => each !== undefined);
  await Promise.all(packed.map(lintTarball));
  if (packed.length < published.length || !(await installConsumer(packed))) return;
  for (const { name } of packed) checkInstalled(name);
  await runConsumer(packed);
  await Promise.all(packed.map(runCommands));
  if (packed.some(({ name }) => name === "tcpkit")) await startServers();
}

async function pack(workspace: Workspace): Promise<Packed | undefined> {
  const { name, exports = {} } = workspace.manifest;
  const tarball = join(temporary, `${name.replaceAll(/[@/]/g, "-")}.tgz`);
  if (
    !(await passes(`${name}: pnpm pack`, "pnpm", ["pack", "--out", tarball], join(root, workspace.folder)))
  ) {
    return undefined;
  }
  const entries = Object.keys(exports)
    .filter((path) => path !== "./package.json")
    .map((path) => name + path.slice(1));
  return { workspace, name, tarball, entries };
}

async function lintTarball({ name, tarball, entries }: Packed): Promise<void> {
  await passes(`${name}: publint`, "publint", ["run", tarball, "--strict"]);
  // attw is about types; a package that only has a command has none.
  if (entries.length > 0)
    await passes(`${name}: attw`, "attw", [tarball, "--profile", "esm-only", "--no-emoji"]);
}

/** pnpm lays out node_modules strictly, so that a dependency a package forgot to name is not found by luck. */
async function installConsumer(packed: readonly Packed[]): Promise<boolean> {
  const tarballs = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  // Entry points with an optional peer are imported too.
  const peers: Record<string, string> = Object.assign(
    {},
    ...packed.map(({ workspace }) => workspace.manifest.peerDependencies),
  );
  const nodeTypes = readJson(join(root, "node_modules/@types/node/package.json")) as Manifest;
  mkdirSync(consumer);
  write("package.json", {
    name: "consumer",
    private: true,
    type: "module",
    dependencies: tarballs,
    devDependencies: { "@types/node": nodeTypes.version, ...peers },
  });
  // JSON is YAML. The packages depend on each other by version: here those versions are the tarballs.
  write("pnpm-workspace.yaml", { overrides: tarballs });
  write("tsconfig.json", {
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    },
    include: ["*.ts"],
  });
  return await passes(
    "consumer: pnpm install",
    "pnpm",
    ["install", "--prefer-offline", "--no-lockfile"],
    consumer,
  );
}

function checkInstalled(name: string): void {
  const folder = join(consumer, "node_modules", name);
  for (const file of ["README.md", "LICENSE"]) {
    if (!existsSync(join(folder, file))) problems.push(`${name}: the tarball has no ${file}`);
  }
  const text = readFileSync(join(folder, "package.json"), "utf8");
  const { exports = {}, bin = {} } = JSON.parse(text) as Manifest;
  for (const range of ["workspace:", "catalog:"]) {
    if (text.includes(`"${range}`)) problems.push(`${name}: the packed package.json still says "${range}"`);
  }
  for (const [path, target] of Object.entries({ ...exports, ...bin })) {
    if (path === "./package.json") continue;
    const files = typeof target === "string" ? [target] : Object.values(target as Record<string, string>);
    for (const file of files) {
      if (!file.startsWith("./dist/") && !file.startsWith("dist/")) {
        problems.push(`${name}: "${path}" is ${file} in the packed package.json, which is not under dist`);
      }
      if (!existsSync(join(folder, file)))
        problems.push(`${name}: "${path}" is ${file}, which the tarball lacks`);
    }
  }
}

async function runConsumer(packed: readonly Packed[]): Promise<void> {
  const entries = packed.flatMap((each) => each.entries);
  write(
    "consumer.ts",
    [
      `import assert from "node:assert/strict";`,
      `import { listen, type Listener } from "@tcpkit/core";`,
      ...entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)};`),
      ...entries.map(
        (entry, index) => `assert.notEqual(Object.keys(entry${index}).length, 0, "${entry} is empty");`,
      ),
      `const listener: Listener = await listen({ port: 0 });`,
      `listener.on("connection", (connection) => connection.destroy());`,
      `await listener.close();`,
    ].join("\n"),
  );
  await passes("consumer: tsc", "tsc", ["-p", consumer]);
  await passes("consumer: node", process.execPath, ["consumer.ts"], consumer);
}

async function runCommands({ name, workspace: { manifest } }: Packed): Promise<void> {
  for (const command of Object.keys(manifest.bin ?? {})) {
    const path = join(consumer, "node_modules/.bin", command);
    const output = await run(path, ["--version"], consumer);
    const said = output.text.trim();
    if (output.failed || !said.includes(manifest.version)) {
      problems.push(`${name}: "${command} --version" should say ${manifest.version}, and said:\n${said}`);
    }
  }
}

interface Ready {
  readonly event: "ready";
  readonly services: readonly { readonly name: string; readonly url: string }[];
}

/** Starts all servers from the tarballs and asks for their pages: an asset left out of a tarball shows only here. */
async function startServers(): Promise<void> {
  const child = spawn(join(consumer, "node_modules/.bin/tcpkit"), ["start", "--json", "--port", "0"], {
    cwd: consumer,
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
    timeout: 30_000,
  });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(createInterface(child.stdout), "line", {
      signal: AbortSignal.timeout(20_000),
    })) as [string];
    const pages = (JSON.parse(line) as Ready).services.filter(({ url }) => url.startsWith("http:"));
    if (pages.length === 0) problems.push(`tcpkit start: no page in its first line:\n${line}`);
    for (const { name, url } of pages) {
      const response = await fetch(url);
      const body = await response.text();
      if (response.ok && body !== "") console.log(`✓ tcpkit start: ${name}`);
      else problems.push(`tcpkit start: ${name} answers ${response.status} with ${body.length} characters`);
    }
  } catch (error) {
    problems.push(`tcpkit start: ${String(error)}`);
  }
  child.kill();
  const [code] = (await exited) as [number | null];
  if (code !== 0) problems.push(`tcpkit start: exits with ${code} on SIGTERM, not 0`);
}

function write(file: string, content: unknown): void {
  writeFileSync(
    join(consumer, file),
    typeof content === "string" ? content : JSON.stringify(content, undefined, 2),
  );
}

/** Runs one step; when it fails, its output becomes a problem. */
async function passes(
  step: string,
  command: string,
  args: readonly string[],
  cwd: string = root,
): Promise<boolean> {
  const tool = join(root, "node_modules/.bin", command);
  const { failed, text } = await run(existsSync(tool) ? tool : command, args, cwd);
  if (failed) problems.push(`${step} failed:\n${text.trimEnd()}`);
  else console.log(`✓ ${step}`);
  return !failed;
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ failed: boolean; text: string }> {
  const options = { cwd, timeout: 120_000, shell: process.platform === "win32" };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const text = stdout + stderr;
      resolve({ failed: error !== null, text: text === "" && error !== null ? error.message : text });
    });
  });
}
