// The tests of core and of the protocols run both ways of reading: see packages/core/src/fast-read.ts.
import { defineConfig } from "vitest/config";

// A busy machine is slow; a test that waits for the wrong event is told by this, not by its first five seconds.
const testTimeout = 20_000;

export const bothWays: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    projects: [
      { test: { name: "fast read", testTimeout } },
      { test: { name: "plain read", testTimeout, env: { TCPKIT_FAST_READ: "off" } } },
    ],
  },
});
