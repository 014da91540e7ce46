/**
 * A chat over WebSocket that runs in several processes: each message goes to a channel, each process hands it on to the clients that
 * are connected to it, and who comes later gets the last messages from a stream.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import * as Layer from "effect/Layer"
import { Socket } from "effect/socket"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { client } from "../support/server.ts"

const channel = (room: string) => `chat:{${room}}`
const history = (room: string) => `chat:{${room}}:history`

/** Kept for who comes later and sent to who is there, in one step. */
const say = (room: string, text: string) =>
  Redis.transaction([
    Redis.xadd(history(room), { text }, { maxlen: 100, approximate: true }),
    Redis.publish(channel(room), text)
  ])

/** The connection of one client: what it says goes to the room, what is said in the room goes to it. */
const join = Effect.gen(function*() {
  const { room = "lobby" } = yield* HttpRouter.params
  const socket = yield* Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ upgrade }) => upgrade)
  const pull = yield* Socket.readerString(socket)
  const { write } = yield* socket.writer
  const outgoing = Redis.subscribe(channel(room), { events: true, buffer: { onFull: "dropOldest" } }).pipe(
    Stream.runForEach((element) => {
      switch (element._tag) {
        // First what was said before, so that nothing lies between the two; some may come twice.
        case "Subscribed":
          return Effect.flatMap(
            Redis.xrange(history(room)),
            Effect.forEach(({ fields }) => write(fields["text"] ?? ""), { discard: true })
          )
        case "Message":
          return write(element.data)
        case "Lost":
          return write("(something may be missing here)")
        case "Restored":
          return Effect.void
      }
    })
  )
  const incoming = pull.pipe(
    Effect.flatMap(Effect.forEach((text) => say(room, text), { discard: true })),
    Effect.forever
  )
  // Ends with the socket, and with it the subscription.
  yield* Effect.ignore(Effect.raceFirst(incoming, outgoing))
  return HttpServerResponse.empty()
}).pipe(Effect.scoped)

const routes = HttpRouter.use((router) => router.add("GET", "/chat/:room", join))

/** One process of several: they have nothing in common but Redis, to which each has a client of its own. */
const chatServer = Effect.gen(function*() {
  const { host, port } = yield* RedisServer.RedisServer
  const context = yield* Layer.build(
    HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
      Layer.provide(NodeRedisClient.layer({ host, port }))
    )
  )
  const { address } = yield* Effect.provideContext(HttpServer.HttpServer, context)
  return address._tag === "UnixPathAddress" ? 0 : address.port
})

/** Somebody who waits for a number of messages. */
const guest = (port: number) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat/lobby`)
  const heard: Array<string> = []
  const waiting: Array<() => void> = []
  socket.addEventListener("message", ({ data }) => {
    heard.push(String(data))
    for (const look of waiting) look()
  })
  const hears = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = () => heard.includes(text) && resolve()
      waiting.push(look)
      look()
    })
  const opened = new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }))
  return { heard, hears, opened, say: (text: string) => socket.send(text), leave: () => socket.close() }
}

const program = Effect.gen(function*() {
  const [first, second] = [yield* chatServer, yield* chatServer]
  yield* Effect.promise(async () => {
    const ada = guest(first)
    const grace = guest(second)
    await Promise.all([ada.opened, grace.opened])
    ada.say("hello from the first process")
    await Promise.all([ada, grace].map((one) => one.hears("hello from the first process")))
    grace.say("and back from the second")
    await ada.hears("and back from the second")
    const late = guest(second)
    await late.hears("and back from the second")
    console.log("ada heard:", [...new Set(ada.heard)])
    console.log("who came later:", [...new Set(late.heard)])
    for (const one of [ada, grace, late]) one.leave()
  })
  yield* Console.log("subscribers in both processes:", yield* Redis.pubsubNumsub(channel("lobby")))
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(client)))
