/**
 * Calls of one handle at the same time: what one of them takes back, because it fails or is interrupted, is not what
 * another has added.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { resting } from "@redfx/testing/Resting"
import { brief, consume } from "@redfx/testing/Subscriber"
import { delay, inVirtualTime } from "@redfx/testing/VirtualTime"
import { worked } from "@redfx/testing/Worked"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Scheduler } from "effect/Scheduler"
import * as Scope from "effect/Scope"

const confirmation = (verb: string, channel: string): Uint8Array =>
  Encode.push([Encode.bulk(verb), Encode.bulk(channel), Encode.integer(1)])

/** A handle whose server confirms what is not held back, and refuses what is denied. */
const start = Effect.gen(function*() {
  const held = new Set<string>()
  const handler: FakeNode.Handler = ({ args: [, ...channels], name }) => {
    if (!name.endsWith("SUBSCRIBE")) return undefined
    if (channels.includes("denied")) return Encode.error("NOPERM No permissions to access a channel")
    return Encode.concat(
      ...channels.filter((channel) => !held.has(channel)).map((channel) => confirmation(name.toLowerCase(), channel))
    )
  }
  const node = yield* FakeNode.make(handler)
  const client = yield* Client.make(node, { commandTimeout: "2 seconds" })
  const subscription = yield* client.pubSub.open({ events: true })
  const stream = yield* consume(subscription.messages)
  yield* subscription.subscribe("first")
  const says = (channel: string, data: string) =>
    node.push(0, Encode.push(["message", channel, data].map((text) => Encode.bulk(text))))
  const hears = (channel: string) =>
    Effect.andThen(says(channel, "x"), stream.until((elements) => elements.map(brief).includes(`${channel}=x`)))
  return { held, hears, node, stream, subscription }
})

describe("A connection that several calls wait for", () => {
  it.effect("each has an error of its own where the server refuses the connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "HELLO" ? Encode.error("NOAUTH password") : undefined)
      const { pubSub } = yield* Client.make(node)
      const { ping } = yield* pubSub.open({})
      const [one, other] = yield* Effect.all([Effect.flip(ping()), Effect.flip(ping())], { concurrency: "unbounded" })
      assert.strictEqual(one._tag, "AuthenticationError")
      assert.deepStrictEqual(other, one)
      assert.notStrictEqual(other, one)
    }))
})

describe("Calls of one handle at the same time", () => {
  inVirtualTime("one that is refused takes back nothing that another has added", () =>
    Effect.gen(function*() {
      const { hears, subscription } = yield* start
      const refused = yield* Effect.forkChild(Effect.flip(subscription.subscribe("denied", "third")), {
        startImmediately: true
      })
      yield* subscription.subscribe("second")
      assert.strictEqual((yield* Fiber.join(refused))._tag, "NoPermissionError")
      yield* hears("second")
      yield* hears("first")
    }))

  inVirtualTime("one that is interrupted takes back nothing that another has added", () =>
    Effect.gen(function*() {
      const { held, hears, node, subscription } = yield* start
      held.add("slow").add("second")
      const slow = yield* Effect.forkChild(subscription.subscribe("slow"), { startImmediately: true })
      const second = yield* Effect.forkChild(subscription.subscribe("second"), { startImmediately: true })
      yield* node.awaitCommand("SUBSCRIBE", 3)
      yield* Fiber.interrupt(slow)
      yield* node.awaitCommand("UNSUBSCRIBE")
      assert.isUndefined(second.pollUnsafe(), "the server has not confirmed")
      yield* node.push(0, confirmation("subscribe", "slow"))
      yield* node.push(0, confirmation("subscribe", "second"))
      yield* node.push(0, confirmation("unsubscribe", "slow"))
      yield* Fiber.join(second)
      yield* hears("second")
    }))

  inVirtualTime(
    "one for the same channel as another that is interrupted is confirmed, and stays",
    () =>
      Effect.gen(function*() {
        const { held, hears, node, subscription } = yield* start
        held.add("room")
        const first = yield* Effect.forkChild(subscription.subscribe("room"), { startImmediately: true })
        yield* node.awaitCommand("SUBSCRIBE", 2)
        const second = yield* Effect.forkChild(subscription.subscribe("room"), { startImmediately: true })
        yield* Effect.sleep("20 millis")
        assert.isUndefined(second.pollUnsafe(), "the server has not confirmed")
        held.clear()
        yield* Fiber.interrupt(first)
        yield* node.push(0, confirmation("subscribe", "room"))
        yield* Fiber.join(second)
        yield* hears("room")
      })
  )

  inVirtualTime(
    "many for one channel that the server does not confirm each end with commandTimeout",
    () =>
      Effect.gen(function*() {
        const { held, subscription } = yield* start
        held.add("room")
        const started = yield* Clock.currentTimeMillis
        const errors = yield* Effect.forEach(
          Array.from({ length: 20 }),
          () => Effect.flip(subscription.subscribe("room")),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([...new Set(errors.map(({ _tag }) => _tag))], ["TimeoutError"])
        assert.isBelow((yield* Clock.currentTimeMillis) - started, 5000)
      })
  )
})

describe("A handle whose client is closed", () => {
  for (const [when, isUnderWay] of [["meanwhile", true], ["before", false]] as const) {
    inVirtualTime(
      `unsubscribes at once when that happens ${when}, as nothing is left to be confirmed`,
      () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(({ args, name }) =>
            name === "SUBSCRIBE" ? confirmation("subscribe", args[1]!) : name === "UNSUBSCRIBE" ? [] : undefined
          )
          const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
          const client = yield* Scope.provide(Client.make(node), scope)
          const { subscribe, unsubscribe } = yield* client.pubSub.open({})
          yield* subscribe("news")
          const leaving = isUnderWay ? yield* fork(unsubscribe("news")) : undefined
          if (isUnderWay) yield* node.awaitCommand("UNSUBSCRIBE")
          yield* Scope.close(scope, Exit.void)
          yield* leaving === undefined ? unsubscribe("news") : Fiber.join(leaving)
        })
    )
  }
})

describe("Very many calls of one handle at the same time", () => {
  const calls = Array.from({ length: 5000 }, (_, i) => i)

  inVirtualTime("subscribe to the same channel, and unsubscribe from it in between", () =>
    Effect.gen(function*() {
      const { hears, node, stream, subscription } = yield* start
      const all = { concurrency: "unbounded", discard: true } as const
      yield* Effect.forEach(calls, () => subscription.subscribe("room"), all)
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "SUBSCRIBE").length, 2)
      yield* Effect.forEach(calls, (i) =>
        i % 2 === 0 ? subscription.unsubscribe("room") : subscription.subscribe("room"), all)
      yield* subscription.subscribe("room")
      yield* hears("room")
      assert.strictEqual(
        stream.elements.filter(({ _tag }) =>
          _tag === "Message"
        ).length,
        1
      )
    }))

  inVirtualTime(
    "each go on when those that wait before them are interrupted, or end with another name",
    () =>
      Effect.gen(function*() {
        const { held, node, subscription } = yield* start
        held.add("room")
        const first = yield* Effect.forkChild(subscription.subscribe("room"), { startImmediately: true })
        const waiting = yield* Effect.forEach(
          calls.slice(0, 100),
          (i) => Effect.forkChild(subscription.subscribe("room", `other${i % 3}`), { startImmediately: true })
        )
        yield* node.awaitCommand("SUBSCRIBE", 2)
        const gone = waiting.filter((_, i) => i % 2 === 0)
        yield* Fiber.interruptAll(gone)
        held.clear()
        yield* Fiber.interrupt(first)
        yield* node.push(0, confirmation("subscribe", "room"))
        yield* Fiber.joinAll(waiting.filter((_, i) => i % 2 === 1))
        yield* subscription.subscribe("room", "other0", "other1", "other2")
      })
  )
})

describe("A handle of ten thousand channels", () => {
  inVirtualTime(
    "takes and leaves one after the other, and looks at no other channel for each",
    () =>
      Effect.gen(function*() {
        const { stream, subscription } = yield* start
        const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`)
        const started = worked()
        yield* Effect.forEach(names, (name) => subscription.subscribe(name), { concurrency: 100, discard: true })
        yield* Effect.forEach(names, (name) => subscription.unsubscribe(name), { concurrency: 100, discard: true })
        // They take a second together; with a look at all others for each, half a minute.
        assert.isBelow(worked() - started, 10_000)
        assert.strictEqual(stream.elements.length, 10_001)
        yield* subscription.unsubscribe("first")
        yield* stream.end
      })
  )
})

describe("A handle without channels", () => {
  /** A server whose answer to each PING but the first comes so many milliseconds late. */
  const late = Effect.fnUntraced(function*(milliseconds: number) {
    const wait = (yield* delay)(milliseconds)
    let pings = 0
    const node = yield* FakeNode.make(({ name }) =>
      name === "PING" && pings++ > 0 ? [wait, FakeNode.reply("+PONG\r\n")] : undefined
    )
    const client = yield* Client.make(node)
    return { node, subscription: yield* client.pubSub.open({}) }
  })

  inVirtualTime(
    "is answered a PING for which the server takes longer than an unused connection stays open",
    () =>
      Effect.gen(function*() {
        const { node, subscription } = yield* late(3000)
        yield* subscription.ping()
        assert.strictEqual(yield* subscription.ping(), "PONG")
        yield* node.awaitOpen(0)
        assert.strictEqual(node.connections.total, 1)
      })
  )

  inVirtualTime(
    "is answered a PING that is on its way when the connection was unused for long enough to be closed",
    () =>
      Effect.gen(function*() {
        const { node, subscription } = yield* late(100)
        yield* subscription.ping()
        yield* Effect.sleep(950)
        assert.strictEqual(yield* subscription.ping(), "PONG")
        yield* node.awaitOpen(0)
        assert.strictEqual(node.connections.total, 1)
      })
  )

  /**
   * A scheduler on which one fiber rests, so many steps after `restAfter` was called, until `goOn` is called.
   *
   * - `rests`: suspends until it does so.
   */
  const restingScheduler = () => {
    const begun = Deferred.makeUnsafe<void>()
    const held: Array<() => void> = []
    let left = Infinity
    const scheduler = resting(() => left-- === 0, (goOn) => {
      held.push(goOn)
      Deferred.doneUnsafe(begun, Exit.void)
    })
    return {
      scheduler,
      restAfter: (steps: number) => void (left = steps),
      rests: Deferred.await(begun),
      goOn: () => held.splice(0).forEach((goOn) => goOn())
    }
  }

  /** Without limits: a fiber that rests while it asks the clock of the test keeps that from going on. */
  const withoutLimits = { commandTimeout: Infinity, livenessTimeout: Infinity }

  const eachOf = <A, E>(steps: number, outcome: (step: number) => Effect.Effect<A, E, Scope.Scope>) =>
    Effect.forEach(Array.from({ length: steps }).keys(), outcome, { concurrency: "unbounded" })

  inVirtualTime(
    "is answered a PING at whatever step its fiber rests for longer than an unused connection stays open",
    () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make()
        const answers = yield* eachOf(20, (step) =>
          Effect.gen(function*() {
            const client = yield* Client.make(node, withoutLimits)
            const subscription = yield* client.pubSub.open({})
            yield* subscription.ping()
            const { goOn, restAfter, scheduler } = restingScheduler()
            restAfter(step)
            const answer = yield* Effect.forkChild(
              Effect.provideService(Effect.exit(subscription.ping()), Scheduler, scheduler)
            )
            yield* Effect.sleep(2500)
            goOn()
            return yield* Fiber.join(answer)
          }))
        assert.deepStrictEqual(answers, answers.map(() => Exit.succeed("PONG")))
      })
  )

  for (const [what, call] of [["a PING", "ping"], ["a subscription", "subscribe"]] as const) {
    inVirtualTime(
      `is answered ${what} that comes while the client rests between any two steps of closing an unused connection`,
      () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(({ name }) =>
            name === "SUBSCRIBE" ? [FakeNode.reply(confirmation("subscribe", "room"))] : undefined
          )
          const answers = yield* eachOf(30, (step) =>
            Effect.gen(function*() {
              const { goOn, restAfter, rests, scheduler } = restingScheduler()
              const client = yield* Effect.provideService(
                Client.make(node, withoutLimits),
                Scheduler,
                scheduler
              )
              const subscription = yield* client.pubSub.open({})
              yield* subscription.ping()
              yield* Effect.sleep(900)
              restAfter(step)
              yield* Effect.raceFirst(rests, Effect.sleep(500))
              const answer = yield* Effect.forkChild(Effect.exit(subscription[call]("room")), {
                startImmediately: true
              })
              goOn()
              return yield* Fiber.join(answer)
            }))
          assert.deepStrictEqual(answers.filter(Exit.isFailure), [])
        })
    )
  }
})
