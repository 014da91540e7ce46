/**
 * Credentials that expire, as those of AWS IAM and of Microsoft Entra ID do: a token is fetched before the last one ends, new
 * connections start with it, and those that are open are told. The source of tokens here is a stand-in.
 */
import { Redis } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { findRedisServer } from "../../scripts/redis-server.ts"

interface Token {
  readonly username: string
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * A stream for the option `credentials`, from something that fetches a token. It is fetched anew after three quarters of its life;
 * what fails is tried again every few seconds, while the last token is in use.
 */
const credentialsOf = Effect.fnUntraced(function*<E>(
  fetch: Effect.Effect<Token, E>
): Effect.fn.Return<Stream.Stream<RedisConfig.Credentials>, E, Scope.Scope> {
  const credentials = ({ token, username }: Token): RedisConfig.Credentials => ({
    username,
    password: Redacted.make(token)
  })
  const first = yield* fetch
  const current = yield* SubscriptionRef.make(credentials(first))
  const renew = Effect.gen(function*() {
    let token = first
    for (;;) {
      const left = token.expiresAt - (yield* Clock.currentTimeMillis)
      yield* Effect.sleep(Math.max(left * 0.75, 100))
      token = yield* fetch.pipe(
        Effect.tapError((error) => Effect.logWarning("no new token yet", error)),
        Effect.retry(Schedule.spaced("5 seconds"))
      )
      yield* SubscriptionRef.set(current, credentials(token))
    }
  })
  yield* Effect.forkScoped(renew)
  return SubscriptionRef.changes(current)
})

/**
 * What a cloud does, in short: every token is a password for a while. In life it is one of
 *
 * - AWS IAM: the URL that SigV4 presigns for `Action=connect&User=…` on the name of the cache, without its `https://`. It may open
 *   connections for 15 minutes; a connection that is told no other one is closed after 12 hours.
 * - Entra ID: `getToken("https://redis.azure.com/.default")` of `@azure/identity`; the username is the object id of the identity. It
 *   holds for about an hour, and then the connection is closed.
 */
const standIn = Effect.gen(function*() {
  const server = yield* RedisServer.RedisServer
  let count = 0
  const administrator = yield* Layer.build(NodeRedisClient.layer({ host: server.host, port: server.port }))
  const fetch = Effect.gen(function*() {
    const token = `token-${++count}`
    yield* Redis.aclSetuser("app", {
      enabled: true,
      resetpass: true,
      passwords: { add: Redacted.make(token) },
      keys: ["*"],
      categories: ["+@all"]
    }).pipe(Effect.provideContext(administrator))
    return { username: "app", token, expiresAt: (yield* Clock.currentTimeMillis) + 400 }
  })
  return { fetch, count: Effect.sync(() => count) }
})

const program = Effect.gen(function*() {
  const { host, port } = yield* RedisServer.RedisServer
  const cloud = yield* standIn
  const client = Layer.unwrap(
    Effect.map(credentialsOf(cloud.fetch), (credentials) => NodeRedisClient.layer({ host, port, credentials }))
  )
  yield* Effect.provide(
    Effect.gen(function*() {
      const connection = yield* Redis.clientId()
      for (let i = 0; i < 10; i++) {
        yield* Redis.incr("n")
        yield* Effect.sleep("100 millis")
      }
      yield* Console.log(`${yield* cloud.count} tokens in a second, and ${yield* Redis.get("n")} commands:`)
      yield* Console.log("always the same connection:", connection === (yield* Redis.clientId()))
      yield* Console.log("as the user", yield* Redis.aclWhoami())
    }),
    client
  )
})

await Effect.runPromise(
  Effect.scoped(Effect.provide(program, RedisServer.layer({ binary: findRedisServer() })))
)
