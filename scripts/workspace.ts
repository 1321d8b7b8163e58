// What the scripts know of the workspace: its folders and their package.json. Nothing about what the code does.
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Workspace {
  /** Relative to the root, with forward slashes: `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Every package, example and the bench, in the order of their folders. */
export function workspaces(root: string): Workspace[] {
  return globSync(["packages/*/package.json", "examples/*/package.json", "bench/package.json"], { cwd: root })
    .toSorted()
    .map((file) => ({
      folder: dirname(file).replaceAll("\\", "/"),
      manifest: readJson(join(root, file)) as Manifest,
    }));
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
