import { defineConfig } from "vitest/config";

// Every test runs both ways of reading: see fast-read.ts in core.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "fast read" } },
      { test: { name: "plain read", env: { TCPKIT_FAST_READ: "off" } } },
    ],
  },
});
