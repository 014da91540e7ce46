/**
 * Sessions of an Express program: an id in a cookie, what belongs to it in a hash that lives on while it is used.
 */
import { Redis, RedisError, RedisPromise } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import express from "express"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { findRedisServer } from "../../scripts/redis-server.ts"

const scope = Scope.makeUnsafe()
const server = await Effect.runPromise(Scope.provide(RedisServer.make({ binary: findRedisServer() }), scope))

const redis = RedisPromise.make(NodeRedisClient.layer({ host: server.host, port: server.port }))

const halfAnHour = 30 * 60
const keyOf = (id: string): string => `session:${id}`

/** What is left of a session's life begins anew with each request. `undefined` when there is none (any more). */
const load = async (id: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> => {
  const { session } = await redis.withSignal(signal).transaction({
    session: Redis.hgetall(keyOf(id)),
    kept: Redis.expire(keyOf(id), halfAnHour)
  })
  // A request that was under way when its session ended leaves the hash without a user.
  return session["user"] === undefined ? undefined : session
}

const start = async (user: string): Promise<string> => {
  const id = randomBytes(24).toString("base64url")
  await redis.transaction([Redis.hset(keyOf(id), { user, visits: 0 }), Redis.expire(keyOf(id), halfAnHour)])
  return id
}

const app = express()

/** Nobody waits for the answer any more when its connection is closed. (A request is closed as soon as its body was read.) */
const signalOf = (response: express.Response): AbortSignal => {
  const gone = new AbortController()
  response.once("close", () => gone.abort())
  return gone.signal
}

const idOf = (request: express.Request): string | undefined =>
  /(?:^|; )session=([\w-]{32})(?:;|$)/.exec(request.headers.cookie ?? "")?.[1]

app.post("/login/:user", async (request, response) => {
  const id = await start(request.params.user)
  response.cookie("session", id, { httpOnly: true, sameSite: "lax" }).sendStatus(204)
})

app.get("/", async (request, response) => {
  const id = idOf(request)
  const session = id === undefined ? undefined : await load(id, signalOf(response))
  if (id === undefined || session === undefined) return void response.status(401).send("who are you?")
  // Never without the time to live: a session that was ended meanwhile must not come back for ever.
  const [visits] = await redis.transaction([
    Redis.hincrby(keyOf(id), "visits", 1),
    Redis.expire(keyOf(id), halfAnHour)
  ])
  response.send(`hello ${session["user"]}, visit ${visits}`)
})

app.post("/logout", async (request, response) => {
  const id = idOf(request)
  if (id !== undefined) await redis.del(keyOf(id))
  response.clearCookie("session").sendStatus(204)
})

// Express 5 brings rejections of handlers here.
app.use((error: unknown, _: express.Request, response: express.Response, next: express.NextFunction) => {
  if (response.headersSent) return next(error)
  if (RedisError.isRedisError(error) && RedisError.isRetryable(error)) {
    response.status(503).set("Retry-After", "1").send("try again")
  } else {
    next(error)
  }
})

// A browser, in short.
const listening = app.listen(0, "127.0.0.1")
await once(listening, "listening")
// It listens on TCP.
const { port } = listening.address() as AddressInfo
const ask = async (method: string, path: string, cookie = ""): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { cookie } })

console.log("without a session:", (await ask("GET", "/")).status)
const cookie = (await ask("POST", "/login/ada")).headers.getSetCookie()[0]?.split(";")[0]
console.log(await (await ask("GET", "/", cookie)).text())
console.log(await (await ask("GET", "/", cookie)).text())
await ask("POST", "/logout", cookie)
console.log("after the logout:", (await ask("GET", "/", cookie)).status)
await Effect.runPromise(server.kill())
console.log("without Redis:", (await ask("GET", "/", cookie)).status)

listening.closeAllConnections()
listening.close()
await redis.close()
await Effect.runPromise(Scope.close(scope, Exit.void))
