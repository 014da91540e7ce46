import { RedisJobs } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

class Away extends Schema.TaggedError<Away>()("Away", { seconds: Schema.Int }) {}

const jobs = RedisJobs.make("jobs", { payload: Schema.Int })

const handler = ({ payload }: { readonly payload: number }) =>
  payload < 0 ? Effect.fail(new Away({ seconds: payload })) : Effect.void

describe("RedisJobs types", () => {
  it("backoff knows the failures of a handler whose parameter has a type, and otherwise what its own parameter says", () => {
    expectTypeOf(jobs.run({
      worker: "w",
      backoff: (_attempt, cause) => {
        expectTypeOf(cause).toEqualTypeOf<Cause.Cause<Away>>()
        return "1 second"
      }
    }, handler)).not.toBeAny()
    const options = {
      worker: "w",
      backoff: (attempt: number, cause: Cause.Cause<Away>) => attempt + cause.reasons.length
    }
    const worker = jobs.run(
      options,
      ({ payload }) => payload < 0 ? Effect.fail(new Away({ seconds: payload })) : Effect.void
    )
    expectTypeOf(worker).toEqualTypeOf<Effect.Effect<never, RedisError.CommandError, RedisClient.RedisClient>>()
    // Each handler has a scope.
    expectTypeOf(jobs.run({ worker: "w" }, () => Effect.addFinalizer(() => Effect.void))).toEqualTypeOf<typeof worker>()
    type Handler = Parameters<typeof jobs.run<Away, never>>[1]
    expectTypeOf(handler).toExtend<Handler>()
    // A failure that backoff does not expect.
    const other = ({ payload }: { readonly payload: number }) => Effect.fail(payload)
    expectTypeOf(other).not.toExtend<Handler>()
  })

  it("without a type it gets what is unknown", () => {
    expectTypeOf(jobs.run({
      worker: "w",
      backoff: (_attempt, cause) => {
        expectTypeOf(cause).toEqualTypeOf<Cause.Cause<unknown>>()
        return undefined
      }
    }, ({ payload }) => Effect.fail(payload))).not.toBeAny()
  })

  it("dead letters are a Stream", () => {
    expectTypeOf(jobs.deadLettersStream).toEqualTypeOf<
      Stream.Stream<RedisJobs.DeadJob, RedisError.CommandError, RedisClient.RedisClient>
    >()
  })
})
