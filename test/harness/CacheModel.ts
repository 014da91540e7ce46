/**
 * Reads through a cache while others write and connections, masters and slots
 * come and go, held against what the client has been told.
 *
 * Each key has one writer, and its values only grow, also when an old write
 * comes late. A read must not give less than what a read or a write of the same
 * client had come to when it began, nor what has been overwritten for longer
 * than answers live. When the writers rest, the cache must say what the server
 * says.
 */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisCommand } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Amounts from "./Amounts.ts"

/**
 * The options of a run.
 *
 * - `client`: whose cache it is. `outside`: a client of the same servers that keeps nothing.
 * - `seconds`: for how long, and until `enough` has happened. `keys`: of several slots in a cluster.
 * - `trouble`: something that befalls the client or its servers, done again and again. `loses`: acknowledged writes may be
 *   undone by it, so that what the client was told does not hold any more.
 */
export interface CacheModelOptions {
  readonly client: RedisClient.RedisClient["Service"]
  readonly outside: RedisClient.RedisClient["Service"]
  readonly seconds: number
  readonly enough: (report: CacheModelReport) => Effect.Effect<Amounts.Amounts>
  readonly keys: ReadonlyArray<string>
  readonly trouble: ReadonlyArray<{ readonly effect: Effect.Effect<unknown, unknown>; readonly loses?: boolean }>
  readonly pause?: number
}

/** The age in milliseconds that answers for every other key may have; the others may be older than the run. */
const shortLife = 1000

/** How often the cache may differ from the server when the writers rest, as messages are under way; 10 ms lie between two looks. */
const differences = 180

/** How many of the last things that were done with a key are told with a fault. */
const remembered = 40

/** Sets a key to a number that is not less than its present one. */
const grow =
  "if tonumber(redis.call('get', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('set', KEYS[1], ARGV[1]) end return 1"

interface Key {
  readonly name: string
  readonly cached: RedisCommand.RedisCommand<string | undefined, Uint8Array | undefined>
  readonly life: number
  /** The last value that was written, and the values that are known to have been overwritten, with the times. */
  written: number
  acknowledged: number
  readonly replaced: Array<{ readonly value: number; readonly at: number }>
  /** The value that the client was told. */
  told: number
  readonly history: Array<string>
}

export interface CacheModelReport {
  readonly reads: number
  readonly writes: number
  readonly failed: number
  readonly troubles: number
  readonly rests: number
  readonly wrong: ReadonlyArray<string>
}

export const run = Effect.fnUntraced(
  function*(options: CacheModelOptions): Effect.fn.Return<CacheModelReport, never, Scope.Scope> {
    const { ticks } = yield* ticking
    const model = new Model(options, ticks)
    const over = Effect.andThen(
      Effect.sleep(options.seconds * 1000),
      Amounts.reached(Effect.suspend(() => options.enough(model.report)))
    )
    yield* Effect.raceFirst(
      Effect.all([...model.readers, ...model.writers, model.trouble, model.rests], {
        concurrency: "unbounded",
        discard: true
      }),
      over
    )
    return model.report
  },
  Effect.scoped
)

/**
 * The time as it was before the present turn of the event loop. So it is never ahead of the time that the cache goes by,
 * wherever this process stops.
 */
const ticking = Effect.acquireRelease(
  Effect.sync(() => {
    const ticks = { now: performance.now() }
    return { ticks, timer: setInterval(() => ticks.now = performance.now(), 1) }
  }),
  ({ timer }) => Effect.sync(() => clearInterval(timer))
)

class Model {
  readonly #options: CacheModelOptions
  readonly #ticks: { readonly now: number }
  readonly #keys: ReadonlyArray<Key>
  readonly #counts = { reads: 0, writes: 0, failed: 0, troubles: 0, rests: 0 }
  readonly #wrong: Array<string> = []
  /** A number that changes whenever what the client was told begins or ceases to hold. */
  #era = 0
  #unsure = false
  #resting = false
  #writing = 0

  constructor(options: CacheModelOptions, ticks: { readonly now: number }) {
    this.#options = options
    this.#ticks = ticks
    this.#keys = options.keys.map((name, index) => {
      const life = index % 2 === 0 ? shortLife : 3_600_000
      return {
        name,
        cached: Redis.cached(Redis.get(name), { ttl: `${life} millis` }),
        life,
        written: 0,
        acknowledged: 0,
        replaced: [],
        told: 0,
        history: []
      }
    })
  }

  get report(): CacheModelReport {
    return { ...this.#counts, wrong: this.#wrong }
  }

  #note({ history }: Key, what: string): void {
    history.push(`${performance.now().toFixed(1)} ${what}`)
    if (history.length > remembered) history.shift()
  }

  #faulty({ history, name }: Key, what: string): void {
    this.#wrong.push([`${name}: ${what}`, ...history].join("\n"))
  }

  /** Readers that each read one key after the other. Some of their reads begin when the last answer comes. */
  get readers(): ReadonlyArray<Effect.Effect<never>> {
    const { client } = this.#options
    return Array.from({ length: 12 }, (_, index) =>
      Effect.forever(Effect.gen({ self: this }, function*() {
        const key = this.#keys[Math.floor((yield* Random.next) * this.#keys.length)]!
        const read = index % 4 === 0
          ? Effect.map(client.pipeline([key.cached]), ([exit]) => exit!)
          : index % 4 === 1
          ? Effect.exit(
            Effect.map(client.execute(Redis.asBytes(key.cached)), (bytes) => bytes && new TextDecoder().decode(bytes))
          )
          : Effect.exit(client.execute(key.cached))
        for (let times = 0; times < 5; times++) yield* this.#check(key, read)
        // Without this, readers of the cache would keep all other fibers from running.
        yield* index % 2 === 0 ? Effect.yieldNow : Effect.sleep(1)
      })))
  }

  #check(key: Key, read: Effect.Effect<Exit.Exit<unknown, unknown>>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { told } = key
      const era = this.#era
      const old = this.#ticks.now - key.life
      const overwritten = key.replaced.findLast(({ at }) => at < old)?.value ?? -1
      const unsure = this.#unsure
      return Effect.map(read, (exit) => {
        if (Exit.isFailure(exit)) {
          this.#counts.failed++
          return
        }
        this.#counts.reads++
        const value = Number(exit.value ?? 0)
        if (unsure || this.#unsure || era !== this.#era) return
        if (value > key.told) this.#note(key, `read ${value}`)
        if (value < told) this.#faulty(key, `${value} after ${told}`)
        if (value <= overwritten) this.#faulty(key, `${value}, which was overwritten too long ago`)
        key.told = Math.max(key.told, value)
      })
    })
  }

  get writers(): ReadonlyArray<Effect.Effect<never>> {
    return this.#keys.map((key, index) =>
      Effect.forever(Effect.gen({ self: this }, function*() {
        yield* Effect.sleep(Math.floor((yield* Random.next) * 4))
        if (this.#resting) return
        this.#writing++
        const value = ++key.written
        const era = this.#era
        const exit = yield* Effect.exit(this.#write(index, Redis.eval(grow, [key.name], [value])))
        this.#writing--
        this.#note(key, `${exit._tag} of writing ${value}`)
        if (Exit.isFailure(exit)) {
          this.#counts.failed++
          return
        }
        this.#counts.writes++
        if (era !== this.#era || this.#unsure) return
        if (index % 3 < 2) key.told = Math.max(key.told, value)
        key.replaced.push({ value: key.acknowledged, at: performance.now() })
        if (key.replaced.length > 4000) key.replaced.splice(0, 2000)
        key.acknowledged = value
      }))
    )
  }

  /** Writes a key through the client itself, in several ways, or through another client. */
  #write(index: number, command: RedisCommand.RedisCommand<unknown>): Effect.Effect<unknown, unknown> {
    const { client, outside } = this.#options
    switch (index % 3) {
      case 0:
        return client.execute(command)
      case 1:
        return Effect.flatMap(Random.next, (random) =>
          random < 0.5
            ? Effect.flatMap(client.pipeline([command]), ([exit]) => exit!)
            : client.transaction([command]))
      default:
        return outside.execute(command)
    }
  }

  get trouble(): Effect.Effect<never> {
    const { pause = 300, trouble } = this.#options
    if (trouble.length === 0) return Effect.never
    return Effect.forever(Effect.gen({ self: this }, function*() {
      for (const { effect, loses = false } of trouble) {
        yield* Effect.sleep(pause)
        if (loses) this.#begin(true)
        const exit = yield* Effect.exit(effect)
        for (const key of this.#keys) {
          this.#note(
            key,
            `${exit._tag} of trouble ${trouble.findIndex((one) => one.effect === effect)}`
          )
        }
        this.#counts.troubles++
        if (loses) this.#begin(false)
      }
    }))
  }

  #begin(unsure: boolean): void {
    this.#era++
    this.#unsure = unsure
    for (const key of this.#keys) {
      key.told = 0
      key.replaced.length = 0
    }
  }

  /** Rests of the writers, at whose end the cache must have come to say what the server says. */
  get rests(): Effect.Effect<never> {
    return Effect.forever(Effect.gen({ self: this }, function*() {
      yield* Effect.sleep(1500)
      this.#resting = true
      while (this.#writing > 0) yield* Effect.sleep(1)
      for (const key of this.#keys) yield* this.#agrees(key)
      this.#counts.rests++
      this.#resting = false
    }))
  }

  #agrees(key: Key): Effect.Effect<void> {
    const { client, outside } = this.#options
    return Effect.gen({ self: this }, function*() {
      let differed = 0
      while (true) {
        const era = this.#era
        const kept = yield* Effect.exit(client.execute(key.cached))
        const actual = yield* Effect.exit(outside.execute(Redis.get(key.name)))
        if (Exit.isSuccess(kept) && Exit.isSuccess(actual) && kept.value === actual.value) return
        const isFair = Exit.isSuccess(kept) && Exit.isSuccess(actual) && !this.#unsure && era === this.#era
        if (isFair && ++differed > differences) {
          this.#faulty(key, `the cache says ${kept.value} for long, the server ${actual.value}`)
          return
        }
        yield* Effect.sleep(10)
      }
    })
  }
}
