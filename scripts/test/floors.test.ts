import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { breaches, importsOf } from "../floors.ts";

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "tcpkit-floors-"))));
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, content: unknown): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === "string" ? content : JSON.stringify(content));
}

interface Fixture {
  readonly folder: string;
  readonly name: string;
  readonly dependencies?: readonly string[];
  readonly devDependencies?: readonly string[];
  readonly references?: readonly string[];
  readonly source?: string;
  readonly test?: string;
}

function workspace(...fixtures: Fixture[]): string[] {
  for (const {
    folder,
    name,
    dependencies = [],
    devDependencies = [],
    references,
    source,
    test,
  } of fixtures) {
    const versions = (names: readonly string[]): object =>
      Object.fromEntries(names.map((each) => [each, "*"]));
    write(`${folder}/package.json`, {
      name,
      dependencies: versions(dependencies),
      devDependencies: versions(devDependencies),
    });
    write(`${folder}/tsconfig.build.json`, {
      references: (references ?? []).map((path) => ({ path: `../${path}/tsconfig.build.json` })),
    });
    write(`${folder}/src/index.ts`, source ?? "export {};\n");
    if (test !== undefined) write(`${folder}/test/a.test.ts`, test);
  }
  const built = fixtures.filter(({ folder }) => folder.startsWith("packages/"));
  write("tsconfig.build.json", {
    references: built.map(({ folder }) => ({ path: `./${folder}/tsconfig.build.json` })),
  });
  return breaches(root);
}

const core: Fixture = { folder: "packages/core", name: "@tcpkit/core" };
const echo: Fixture = {
  folder: "packages/echo",
  name: "@tcpkit/echo",
  dependencies: ["@tcpkit/core"],
  references: ["core"],
};

test("imports that point down pass", () => {
  const found = workspace(
    {
      ...core,
      source: `import { createServer } from "node:net";\nexport * from "./lines.ts";\n`,
      devDependencies: ["vitest"],
    },
    {
      ...echo,
      source: `import type { Session } from "@tcpkit/core";\n`,
      test: `import { test } from "vitest";\nimport { pair } from "@tcpkit/core/testing";\nimport "../src/index.ts";\n`,
    },
    {
      folder: "examples/chat",
      name: "example-chat",
      dependencies: ["@tcpkit/core", "@tcpkit/echo"],
      source: `import { serveEcho } from "@tcpkit/echo";\n`,
    },
  );
  expect(found).toEqual([]);
});

test("an import that points up is found, with its line, however it is written", () => {
  const found = workspace(
    {
      ...core,
      source: [
        `import { serveEcho } from "@tcpkit/echo";`,
        `export * from '@tcpkit/echo';`,
        `import "@tcpkit/echo";`,
        `const late = await import("@tcpkit/echo");`,
        `import type {`,
        `  Event,`,
        `} from "@tcpkit/echo";`,
      ].join("\n"),
    },
    echo,
  );
  const objection = "(floor 0) uses @tcpkit/echo (floor 1): imports point down only";
  expect(found).toEqual([1, 2, 3, 4, 7].map((line) => `packages/core/src/index.ts:${line} ${objection}`));
});

test("packages of one floor do not import each other, in tests neither", () => {
  const found = workspace(
    core,
    echo,
    { ...echo, folder: "packages/smtp-lite", name: "@tcpkit/smtp-lite", test: `import "@tcpkit/echo";` },
    { folder: "packages/inspector", name: "@tcpkit/inspector", source: `import "@tcpkit/postbox/web";` },
    { folder: "packages/postbox", name: "@tcpkit/postbox" },
  );
  expect(found).toEqual([
    "packages/inspector/src/index.ts:1 (floor 2) uses @tcpkit/postbox (floor 2): imports point down only",
    "packages/smtp-lite/test/a.test.ts:1 (floor 1) uses @tcpkit/echo (floor 1): imports point down only",
  ]);
});

test("floors 0 and 1 use nothing from outside, in their code or in package.json", () => {
  const found = workspace(
    { ...core, dependencies: ["mitt"] },
    { ...echo, source: `import mitt from "mitt";` },
  );
  expect(found).toEqual([
    "packages/core/package.json uses mitt: floor 0 has no dependency but Node",
    "packages/echo/src/index.ts:1 uses mitt: floor 1 has no dependency but Node and @tcpkit/core",
  ]);
});

test("an optional peer is for one entry point, which no other file imports", () => {
  const peer = "@opentelemetry/api";
  const source = `import { metrics } from "${peer}";`;
  write("packages/core/src/observe/metrics.ts", source);
  const manifest = (optional: boolean): object => ({
    name: "@tcpkit/core",
    peerDependencies: { [peer]: "*" },
    peerDependenciesMeta: { [peer]: { optional } },
  });
  workspace(core);
  write("packages/core/package.json", manifest(true));
  expect(breaches(root)).toEqual([]);

  write("packages/core/src/index.ts", `export * from "./observe/metrics.ts";`);
  write("packages/core/src/observe/taps.ts", source);
  expect(breaches(root).toSorted()).toEqual([
    `packages/core/src/index.ts:1 imports "./observe/metrics.ts", and so would need ${peer}, an optional peer`,
    `packages/core/src/observe/taps.ts:1 uses ${peer}: floor 0 has no dependency but Node`,
  ]);

  write("packages/core/package.json", manifest(false));
  expect(breaches(root)).toContain(
    `packages/core/package.json uses ${peer}: floor 0 has no dependency but Node`,
  );
});

test("a package.json that points up is found", () => {
  expect(workspace({ ...core, devDependencies: ["@tcpkit/echo"] }, echo)).toEqual([
    "packages/core/package.json (floor 0) uses @tcpkit/echo (floor 1): imports point down only",
  ]);
});

test("a relative path does not leave the package, nor does src leave src", () => {
  const found = workspace(core, {
    ...echo,
    source: `import "../../core/src/index.ts";\nimport "../test/helper.ts";`,
  });
  expect(found).toEqual([
    `packages/echo/src/index.ts:1 reaches out of its package with "../../core/src/index.ts": import the package by name`,
    `packages/echo/src/index.ts:2 imports "../test/helper.ts", which is not under src and would not be built`,
  ]);
});

test("a package that is on no floor is found as soon as it imports anything", () => {
  const found = workspace(core, {
    folder: "packages/ftp-lite",
    name: "@tcpkit/ftp-lite",
    source: `import "@tcpkit/core";`,
  });
  expect(found).toEqual([
    "packages/ftp-lite/src/index.ts:1 is on no floor: add @tcpkit/ftp-lite to scripts/floors.ts",
  ]);
});

test("the build's references follow the dependencies", () => {
  const found = workspace(core, { ...echo, references: [] });
  expect(found).toEqual([
    "packages/echo/tsconfig.build.json does not reference packages/core, on which it depends",
  ]);

  write("tsconfig.build.json", { references: [{ path: "./packages/core/tsconfig.build.json" }] });
  expect(breaches(root)).toContain(
    "tsconfig.build.json does not reference packages/echo: pnpm build would leave it out",
  );
});

test("only imports count: not comments, not strings, not other calls", () => {
  const source = [
    `// import "a";`,
    `/* export * from "b"; */`,
    `const text = 'import "c"' + "// not a comment";`,
    `Buffer.from("d"); Array.from('e'); loader.import("f");`,
    `const accept = "*/*"; import("g"); const both = "/*";`,
    `export { h } from "h";`,
  ].join("\n");
  expect(importsOf(source)).toEqual([
    { specifier: "g", line: 5 },
    { specifier: "h", line: 6 },
  ]);
});
