/**
 * A Vitest reporter whose only output is the last line of a run:
 * `N passed, N failed`, followed by `, N skipped` when there are any.
 */
import type { Reporter, SerializedError, TestModule } from "vitest/node"

/** Counts tests, and as failed also modules that did not load and errors that no test caught. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<SerializedError>): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      count.failed += module.errors().length
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test that never ran (the run was cut short) has the state "pending".
        count[state === "pending" ? "skipped" : state]++
      }
    }
    const skipped = count.skipped === 0 ? "" : `, ${count.skipped} skipped`
    console.log(`${count.passed} passed, ${count.failed} failed${skipped}`)
  }
}
