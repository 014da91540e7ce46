import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    typecheck: {
      enabled: true,
      include: ["packages/*/test/**/*.test-d.ts", "test/**/*.test-d.ts", "examples/**/*.test-d.ts"],
      tsconfig: "tsconfig.json"
    },
    globalSetup: ["test/global-setup.ts"],
    reporters: ["default", "./scripts/summary-reporter.ts"],
    // A process for each file: tests start servers, send signals and look at memory.
    pool: "forks",
    // Most of the time goes into waiting for servers: two at a time kept two cores half busy.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 15_000,
    hookTimeout: 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
    // What @effect/vitest logs of a test that skipped itself because the server lacks a command.
    onConsoleLog: (log) => !log.includes("test is skipped; abort execution")
  }
})
