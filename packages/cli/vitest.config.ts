import { defineConfig } from "vitest/config";

// Most tests here start processes, which takes its time on a busy machine.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
