import { defineConfig } from "vitest/config";

// A browser starts in seconds on a small machine; everything else is far below.
export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 60_000 } });
