import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { reasonOf } from "../../src/internal/stream/deadLetters.ts"

class NoAddress extends Schema.TaggedError<NoAddress>()("NoAddress", { to: Schema.String }) {}
class Away extends Data.TaggedError("Away")<{ readonly host: string }> {}
class Spoken extends Data.TaggedError("Spoken")<{ readonly host: string; readonly message: string }> {}
class Mute extends Data.TaggedError("Mute") {}

describe("the reason of a dead letter", () => {
  it.effect("is the message of the failure, or its fields where it has none", () =>
    Effect.gen(function*() {
      const rejected = yield* Effect.sandbox(Effect.tryPromise(() => Promise.reject(new RangeError("busy")))).pipe(
        Effect.flip
      )
      const cases: ReadonlyArray<readonly [cause: Cause.Cause<unknown>, reason: RegExp]> = [
        [rejected, /^RangeError: busy$/],
        [Cause.die(new TypeError("broken")), /^TypeError: broken$/],
        [Cause.fail("no"), /^no$/],
        [Cause.fail({ code: 7 }), /^\{"code":7\}$/],
        [Cause.fail(new NoAddress({ to: "nobody" })), /^NoAddress: \{.*"to":"nobody".*\}$/],
        [Cause.fail(new Away({ host: "smtp" })), /^Away: \{.*"host":"smtp".*\}$/],
        [Cause.fail(new Spoken({ host: "smtp", message: "it is away" })), /^Spoken: it is away$/],
        [Cause.fail(new Mute()), /^Mute: /]
      ]
      for (const [cause, reason] of cases) assert.match(reasonOf(cause), reason)
    }))
})
