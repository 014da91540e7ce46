/**
 * A Vitest reporter whose only output is the last line of a run:
 * `N passed, N failed`, followed by `, N skipped` when there are any. When nothing ends for a long time, it names what runs.
 */
import type { Reporter, SerializedError, TestModule } from "vitest/node"

/** What never lets the event loop go on is not ended by its limit, and nobody would say what it is. */
const silence = 2 * 60_000

/** Counts tests, and as failed also modules that did not load and errors that no test caught. */
export default class SummaryReporter implements Reporter {
  readonly #running = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  #hear(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => console.log(`Still running: ${[...this.#running].join(", ")}`), silence).unref()
  }

  onTestModuleQueued({ relativeModuleId }: TestModule): void {
    this.#running.add(relativeModuleId)
    this.#hear()
  }

  onTestCaseResult(): void {
    this.#hear()
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#running.delete(relativeModuleId)
    this.#hear()
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<SerializedError>): void {
    clearTimeout(this.#timer)
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
