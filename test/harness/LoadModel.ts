/**
 * Several programs that read through caches of one kind, with loads that fail, die and hang, callers that are
 * interrupted, and values that change meanwhile. The model holds their results against these rules:
 *
 * - Nobody waits for longer than loads can take.
 * - A caller gets nothing older than what was set or deleted before it asked, whatever was being loaded.
 * - No two loads of a key that nobody changes run at a time, for as long as a load may take.
 */
import { Redis, RedisKeyspace } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Pace from "@redfx/testing/Pace"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Amounts from "./Amounts.ts"

/**
 * The options of a run.
 *
 * - `programs`: the clients of the programs. `seconds`: for how long, and until `enough` has happened. `prefix`: of all keys.
 * - `trouble`: something that befalls their connections, again and again.
 */
export interface LoadModelOptions {
  readonly programs: ReadonlyArray<RedisClient.RedisClient["Service"]>
  readonly seconds: number
  readonly enough: (report: LoadModelReport) => Amounts.Amounts
  readonly prefix: string
  readonly trouble?: Effect.Effect<unknown, unknown> | undefined
}

export interface LoadModelReport {
  reads: number
  loads: number
  changes: number
  interrupted: number
  failed: number
  readonly wrong: Array<string>
}

/**
 * The milliseconds that a load may take; the part of them in which it must be alone, as it begins after the server has said so;
 * and how late it may begin to be judged by that. The machine may stop the process or a server at any time.
 */
const loadTimeout = 200
const alone = 100
const latest = 50

/** The milliseconds after which a caller that still waits shows a fault. */
const patience = 5000

/** Asks the servers of these keys all the time; tells whether they and this process have gone on in the last milliseconds. */
const watchful = Effect.fnUntraced(function*(programs: LoadModelOptions["programs"], names: ReadonlyArray<string>) {
  const ask = Effect.forEach(programs, (client) => client.pipeline(names.map((name) => Redis.exists(name))), {
    concurrency: "unbounded"
  })
  let asked = performance.now()
  let stood = -Infinity
  const look = Effect.suspend(() => {
    asked = performance.now()
    return Effect.map(Effect.andThen(Effect.sleep(5), ask), () => {
      if (performance.now() - asked > latest) stood = performance.now()
    })
  })
  yield* Effect.forkChild(Effect.forever(look))
  return (milliseconds: number) => {
    const now = performance.now()
    return now - asked < latest && now - stood > milliseconds
  }
})

interface Key {
  readonly id: string
  /** Whether nobody changes the key. */
  readonly quiet: boolean
  /** The present value, and the least that a caller who asks now may be told. */
  truth: number
  told: number
  readonly loading: Set<{ readonly since: number }>
}

/** The value for a number. Every seventh is that there is none. */
const valueOf = (truth: number): Option.Option<number> => truth % 7 === 6 ? Option.none() : Option.some(truth)

const right = (seen: Option.Option<number>, least: number, truth: number): boolean => {
  for (let value = least; value <= truth; value++) {
    const one = valueOf(value)
    if (Option.isNone(one) ? Option.isNone(seen) : Option.isSome(seen) && seen.value === value) return true
  }
  return false
}

export const run = Effect.fnUntraced(function*(options: LoadModelOptions) {
  const keys = Array.from({ length: 8 }, (_, index): Key => ({
    id: String(index),
    quiet: index % 2 === 0,
    truth: 0,
    told: 0,
    loading: new Set()
  }))
  const report: LoadModelReport = { reads: 0, loads: 0, changes: 0, interrupted: 0, failed: 0, wrong: [] }
  const between = (least: number, most: number) => Random.nextIntBetween(least, most - 1)
  const anyOf = <A>(list: ReadonlyArray<A>) =>
    // The index is within the list.
    Effect.map(between(0, list.length), (index) => list[index]!)

  const pace = yield* Pace.watch
  const hasGoneOn = yield* watchful(options.programs, keys.map(({ id }) => `${options.prefix}:${id}`))

  const load = (id: string) =>
    Effect.gen(function*() {
      const key = keys[Number(id)]!
      const self = { since: performance.now() }
      const others = [...key.loading].filter(({ since }) => self.since - since < alone)
      if (key.quiet && others.length > 0 && hasGoneOn(2 * loadTimeout)) report.wrong.push(`two loads of ${id}`)
      report.loads++
      key.loading.add(self)
      const value = valueOf(key.truth)
      const fate = yield* between(0, 10)
      return yield* Effect.sleep(yield* between(0, 30)).pipe(
        Effect.andThen(
          fate === 0
            ? Effect.never
            : fate === 1
            ? Effect.die("died")
            : fate === 2
            ? Effect.fail("failed")
            : Effect.succeed(value)
        ),
        Effect.ensuring(Effect.sync(() => key.loading.delete(self)))
      )
    })

  // A log says each time that a value cannot be renewed, so logs are off.
  const quietly = Effect.provideService(References.MinimumLogLevel, "None")
  const caches = yield* Effect.forEach(options.programs, (client) =>
    Client.on(client)(RedisKeyspace.makeCache({
      key: `${options.prefix}:*`,
      value: Schema.Int,
      load,
      ttl: "60 millis",
      stale: "60 millis",
      absentTtl: "30 millis",
      loadTimeout: `${loadTimeout} millis`
    }))).pipe(quietly)

  const read = Effect.gen(function*() {
    const key = yield* anyOf(keys)
    const cache = yield* anyOf(caches)
    const least = key.told
    const startedAt = performance.now()
    const fiber = yield* Effect.forkChild(cache.getOrLoad(key.id))
    report.reads++
    if ((yield* between(0, 4)) === 0) {
      yield* Effect.sleep(yield* between(0, 40))
      if (fiber.pollUnsafe() === undefined) report.interrupted++
      yield* Fiber.interrupt(fiber)
      return
    }
    const exit = yield* Fiber.await(fiber)
    const took = pace.between(startedAt, performance.now())
    if (took > patience) report.wrong.push(`${key.id} was waited for ${took} ms`)
    if (Exit.isFailure(exit)) report.failed++
    else if (!right(exit.value, least, key.truth)) {
      report.wrong.push(`${key.id} was ${Option.getOrUndefined(exit.value)}, though ${least} was told`)
    }
  })

  const change = (key: Key) =>
    Effect.gen(function*() {
      const cache = yield* anyOf(caches)
      const now = ++key.truth
      const value = valueOf(now)
      const sets = Option.isSome(value) && (yield* Random.nextBoolean)
      const changed = yield* Effect.exit(sets ? cache.set(key.id, value.value) : cache.del(key.id))
      report.changes++
      if (Exit.isSuccess(changed)) key.told = now
      yield* Effect.sleep(yield* between(0, 60))
    })

  const endsAt = performance.now() + options.seconds * 1000
  const again = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.whileLoop({
      while: () => performance.now() < endsAt || !Amounts.areReached(options.enough(report)),
      body: () => effect,
      step: () => undefined
    })
  const busy = [
    ...Array.from({ length: 24 }, () => again(Effect.andThen(read, Effect.sleep(1)))),
    ...keys.filter(({ quiet }) => !quiet).map((key) => again(change(key))),
    ...options.trouble === undefined ? [] : [again(Effect.andThen(Effect.ignore(options.trouble), Effect.sleep(100)))]
  ]
  yield* Effect.all(busy, { concurrency: "unbounded" }).pipe(Amounts.told(() => options.enough(report)))
  return report
})
