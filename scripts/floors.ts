// The rule of the house: imports point down only. It knows which package stands on which floor and what each floor
// may import; it reads sources as text and knows nothing of how TypeScript resolves a module.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { readJson, workspaces, type Manifest, type Workspace } from "./workspace.ts";

/** Core is floor 0. A package imports from the floors below its own; examples and bench live on floor 3. */
const floors: Readonly<Record<string, number>> = {
  "@tcpkit/core": 0,
  "@tcpkit/echo": 1,
  "@tcpkit/http-lite": 1,
  "@tcpkit/smtp-lite": 1,
  "@tcpkit/imap-lite": 1,
  "@tcpkit/inspector": 2,
  "@tcpkit/postbox": 2,
  tcpkit: 3,
};

/**
 * What a file may use that its floor may not: an optional peer of its package. Such a file is an entry point that no
 * other file imports, so that the rest runs without the peer.
 */
const optionalPeers: Readonly<Record<string, string>> = {
  "packages/core/src/observe/metrics.ts": "@opentelemetry/api",
};

interface TsConfig {
  readonly references?: readonly { readonly path: string }[];
}

/** Every breach of the rule, one sentence each; empty when all is well. */
export function breaches(root: string): string[] {
  const all = workspaces(root);
  return [
    ...all.flatMap((workspace) => [
      ...manifestBreaches(workspace),
      ...importBreaches(root, workspace),
      ...referenceBreaches(root, workspace, all),
    ]),
    ...rootReferenceBreaches(root, all),
  ];
}

function floorOf({ folder, manifest }: Workspace): number | undefined {
  return folder.startsWith("packages/") ? floors[manifest.name] : 3;
}

/** Why `from` may not use the module `name`, or undefined when it may. */
function objection(from: Workspace, name: string, where: "src" | "test"): string | undefined {
  const floor = floorOf(from);
  if (floor === undefined) return `is on no floor: add ${from.manifest.name} to scripts/floors.ts`;
  if (name === from.manifest.name) {
    return where === "src" ? "uses its own name: import the file with a relative path" : undefined;
  }
  if (name in floors || name.startsWith("@tcpkit/")) {
    const below = floors[name];
    if (below !== undefined && below < floor) return undefined;
    return `(floor ${floor}) uses ${name} (${below === undefined ? "on no floor" : `floor ${below}`}): imports point down only`;
  }
  if (where === "src" && floor <= 1) {
    return `uses ${name}: floor ${floor} has no dependency but ${floor === 0 ? "Node" : "Node and @tcpkit/core"}`;
  }
  return undefined;
}

function manifestBreaches(workspace: Workspace): string[] {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = workspace.manifest;
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !isOptionalPeer(workspace, name));
  const shipped = [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
  return [
    ...shipped.map((name) => objection(workspace, name, "src")),
    ...Object.keys(devDependencies ?? {}).map((name) => objection(workspace, name, "test")),
  ]
    .filter((text) => text !== undefined)
    .map((text) => `${workspace.folder}/package.json ${text}`);
}

function isOptionalPeer({ folder, manifest }: Workspace, name: string): boolean {
  const used = Object.entries(optionalPeers).some(
    ([file, peer]) => peer === name && file.startsWith(`${folder}/`),
  );
  return used && manifest.peerDependenciesMeta?.[name]?.optional === true;
}

function importBreaches(root: string, workspace: Workspace): string[] {
  const found: string[] = [];
  for (const path of globSync("{src,test}/**/*.{ts,mts,js,mjs}", { cwd: join(root, workspace.folder) })) {
    const file = path.replaceAll("\\", "/");
    const where = file.startsWith("src/") ? "src" : "test";
    for (const { specifier, line } of importsOf(readFileSync(join(root, workspace.folder, file), "utf8"))) {
      const text = importObjection(workspace, file, specifier, where);
      if (text !== undefined) found.push(`${workspace.folder}/${file}:${line} ${text}`);
    }
  }
  return found;
}

function importObjection(
  workspace: Workspace,
  file: string,
  specifier: string,
  where: "src" | "test",
): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file), specifier);
    if (target.startsWith(".."))
      return `reaches out of its package with "${specifier}": import the package by name`;
    if (where === "src" && !target.startsWith("src/") && target !== "package.json") {
      return `imports "${specifier}", which is not under src and would not be built`;
    }
    const peer = optionalPeers[`${workspace.folder}/${target}`];
    if (where === "src" && peer !== undefined) {
      return `imports "${specifier}", and so would need ${peer}, an optional peer`;
    }
    return undefined;
  }
  const name = packageOf(specifier);
  if (optionalPeers[`${workspace.folder}/${file}`] === name && isOptionalPeer(workspace, name))
    return undefined;
  return objection(workspace, name, where);
}

/** `@scope/name/entry` → `@scope/name`; `name/entry` → `name`. */
function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** `tsc -b` builds in the order of the references, so each must say what the package imports. */
function referenceBreaches(
  root: string,
  { folder, manifest }: Workspace,
  all: readonly Workspace[],
): string[] {
  if (!isPublished(folder, manifest)) return [];
  const config = join(root, folder, "tsconfig.build.json");
  if (!existsSync(config)) return [`${folder} has no tsconfig.build.json`];
  const has = referencesOf(config).map((path) => posix.join(folder, posix.dirname(path)));
  return all
    .filter((other) => other.manifest.name in (manifest.dependencies ?? {}) && !has.includes(other.folder))
    .map((other) => `${folder}/tsconfig.build.json does not reference ${other.folder}, on which it depends`);
}

function rootReferenceBreaches(root: string, all: readonly Workspace[]): string[] {
  const has = referencesOf(join(root, "tsconfig.build.json")).map((path) =>
    posix.dirname(posix.normalize(path)),
  );
  return all
    .filter(({ folder, manifest }) => isPublished(folder, manifest) && !has.includes(folder))
    .map(({ folder }) => `tsconfig.build.json does not reference ${folder}: pnpm build would leave it out`);
}

function referencesOf(config: string): string[] {
  return ((readJson(config) as TsConfig).references ?? []).map((reference) => reference.path);
}

function isPublished(folder: string, manifest: Manifest): boolean {
  return folder.startsWith("packages/") && manifest.private !== true;
}

interface Import {
  readonly specifier: string;
  readonly line: number;
}

/**
 * Comments and plain strings are stepped over, so that an example in a comment does not count; what is left of
 * `from "x"`, `import "x"`, `import("x")` and `require("x")` does. Text inside a template literal is not stepped over:
 * better to object to too much than to too little.
 */
const token =
  /\/\/.*|\/\*[\s\S]*?\*\/|(?<![.\w$])(?:from|(?:import|require)\s*\(?)\s*(["'])(?<specifier>[^"'\n]+)\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

export function importsOf(source: string): Import[] {
  const imports: Import[] = [];
  for (const match of source.matchAll(token)) {
    const specifier = match.groups?.["specifier"];
    if (specifier !== undefined) {
      imports.push({ specifier, line: source.slice(0, match.index).split("\n").length });
    }
  }
  return imports;
}
