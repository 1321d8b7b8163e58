import { defineConfig } from "vitest/config";

// Every test runs both ways of reading: see src/fast-read.ts.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "fast read" } },
      { test: { name: "plain read", env: { TCPKIT_FAST_READ: "off" } } },
    ],
  },
});
