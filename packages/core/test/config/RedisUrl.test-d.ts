import type { RedisConfig, RedisError } from "@redfx/core"
import { RedisUrl } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

const password = Redacted.make("p")
const accept = (_options: RedisConfig.ConnectionOptions): void => {}

describe("RedisUrl types", () => {
  it("ENT-06: a URL is a deployment, with the options of its mode", () => {
    expectTypeOf(RedisUrl.parse("redis://")).toEqualTypeOf<
      Result.Result<RedisConfig.Deployment, RedisError.InvalidUrlError>
    >()
    RedisUrl.parse(Redacted.make("redis://h"), { mode: "cluster", readFrom: "any", password })
    // @ts-expect-error no such mode
    RedisUrl.parse("redis://", { mode: "colony" })
    // @ts-expect-error no such option
    RedisUrl.parse("redis://", { socketTimeout: 1 })
  })

  it("CFG-04: credentials are a value, an effect or a stream", () => {
    accept({ credentials: { username: "u", password } })
    accept({ credentials: Effect.succeed({ password }) })
    accept({ credentials: Stream.make({ password }) })
    // @ts-expect-error a password in the open
    accept({ credentials: { password: "p" } })
    // Nobody would provide a service that they need.
    expectTypeOf<Effect.Effect<RedisConfig.Credentials, never, "Vault">>().not.toExtend<RedisConfig.CredentialsSource>()
  })
})
