import { assert, describe, it } from "@effect/vitest"
import { spin } from "@redfx/testing/Block"
import * as Pace from "@redfx/testing/Pace"
import { until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import process from "node:process"

/** Starts processes that compute, all of them on one processor. */
const rivals = (processor: string, count: number) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      Array.from(
        { length: count },
        () => spawn("taskset", ["-c", processor, "sh", "-c", "while :; do :; done"], { stdio: "ignore" })
      )
    ),
    (children) =>
      Effect.sync(() => {
        for (const child of children) child.kill("SIGKILL")
      })
  )

describe("The pace of a machine", () => {
  it.live("counts what the process computes, and no more than the time that passes", () =>
    Effect.gen(function*() {
      const { between } = yield* Pace.watch
      const computing = Effect.sync(() => {
        const [from, before] = [performance.now(), process.cpuUsage()]
        spin(100)
        const { system, user } = process.cpuUsage(before)
        const to = performance.now()
        const given = between(from, to)
        assert.isBelow(given, to - from + 0.001)
        const middle = (from + to) / 2
        assert.approximately(between(from, middle) + between(middle, to), given, 0.001)
        return { computed: (user + system) / 1000, given }
      })
      // The process may have to stand still before a look that it is about to have.
      yield* until(computing, ({ computed, given }) => given > computed - 10)
    }))

  it.live("does not count what a process that was started waits for", (context) =>
    Effect.gen(function*() {
      if (!existsSync("/proc/self/schedstat") || spawnSync("taskset", ["--version"]).status !== 0) {
        return context.skip("the system does not tell how long processes wait")
      }
      const [, processor = "0"] = /Cpus_allowed_list:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? []
      const { between } = yield* Pace.watch
      yield* rivals(processor, 3)
      // Two of three wait at any time.
      const started = performance.now()
      yield* until(
        Effect.sync(() => [between(started, performance.now()), performance.now() - started] as const),
        ([given, passed]) => passed > 300 && given < passed / 2
      )
    }))
})
