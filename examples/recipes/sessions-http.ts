/**
 * Sessions of a program on Effect's HTTP server: typed by a schema, and a middleware that a route asks for the session.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { RedisError, RedisKeyspace } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { client } from "../support/server.ts"

const Session = Schema.Struct({ user: Schema.String })

const halfAnHour = "30 minutes"
const sessions = RedisKeyspace.make({ key: "session:*", value: Session, ttl: halfAnHour })

/** What is counted exactly has a key of its own. */
const visits = RedisKeyspace.makeCounter({ key: "visits:*" })

/**
 * The id in the cookie and what belongs to it, whose half hour begins anew. To set the session would begin it anew, too,
 * but bring one back that was ended meanwhile.
 */
const current = Effect.gen(function*() {
  const { cookies } = yield* HttpServerRequest.HttpServerRequest
  const id = cookies["session"]
  if (id === undefined) return Option.none()
  // Both are in one write.
  const [found] = yield* Effect.all([sessions.get(id), sessions.expire(id, halfAnHour)], { concurrency: "unbounded" })
  return Option.map(found, (session) => ({ id, session }))
})

const login = Effect.gen(function*() {
  const { user = "nobody" } = yield* HttpRouter.params
  const id = randomBytes(24).toString("base64url")
  yield* sessions.set(id, { user })
  return yield* HttpServerResponse.setCookie(HttpServerResponse.empty(), "session", id, {
    httpOnly: true,
    sameSite: "lax"
  })
})

const home = Effect.gen(function*() {
  const found = yield* current
  if (Option.isNone(found)) return HttpServerResponse.text("who are you?", { status: 401 })
  const { user } = found.value.session
  return HttpServerResponse.text(`hello ${user}, visit ${yield* visits.increment(user)}`)
})

const logout = Effect.gen(function*() {
  const found = yield* current
  if (Option.isSome(found)) yield* sessions.del(found.value.id)
  return HttpServerResponse.expireCookieUnsafe(HttpServerResponse.empty(), "session")
})

/** What the network does is no fault of the program: its callers are told to come again. */
const orLater = <E, R>(response: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.catchIf(
    response,
    RedisError.isRetryable,
    () => Effect.succeed(HttpServerResponse.text("try again", { status: 503 }))
  )

const routes = HttpRouter.use((router) =>
  Effect.gen(function*() {
    yield* router.add("POST", "/login/:user", orLater(login))
    yield* router.add("GET", "/", orLater(home))
    yield* router.add("POST", "/logout", orLater(logout))
  })
)

/** A browser, in short. */
const browser = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  const port = address._tag === "UnixPathAddress" ? 0 : address.port
  const ask = (method: string, path: string, cookie = "") =>
    Effect.promise(() => fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { cookie } }))
  const text = (response: Response) => Effect.promise(() => response.text())

  yield* Console.log("without a session:", (yield* ask("GET", "/")).status)
  const cookie = (yield* ask("POST", "/login/ada")).headers.getSetCookie()[0]?.split(";")[0]
  yield* Console.log(yield* text(yield* ask("GET", "/", cookie)))
  yield* Console.log(yield* text(yield* ask("GET", "/", cookie)))
  yield* ask("POST", "/logout", cookie)
  yield* Console.log("after the logout:", (yield* ask("GET", "/", cookie)).status)
})

const program = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.provide(client)
)

await Effect.runPromise(Effect.provide(browser, program))
