import { defineConfig } from "vitest/config";

// A busy machine is slow; a test that waits for the wrong event is told by this, not by its first five seconds.
const testTimeout = 20_000;

// Every test runs both ways of reading: see src/fast-read.ts.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "fast read", testTimeout } },
      { test: { name: "plain read", testTimeout, env: { TCPKIT_FAST_READ: "off" } } },
    ],
  },
});
