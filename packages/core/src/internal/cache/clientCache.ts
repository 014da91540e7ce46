/**
 * The cache of a client as its commands meet it: alone, and in pipelines.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Key } from "../../RedisArg.ts"
import type { CacheEvent, CacheLimits, ClientCache } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { nameOf } from "../codec/names.ts"
import { outcomeAt } from "../command/weave.ts"
import type { Outcome } from "../command/weave.ts"
import type { Request } from "../connection/request.ts"
import { announcements } from "../runtime/announcements.ts"
import { keysChangedBy } from "../tracking/ownWrites.ts"
import { Store } from "./store.ts"
import type { Sending } from "./store.ts"

type Commands = ReadonlyArray<RedisCommand.Any>
type Outcomes = ReadonlyArray<Outcome>

/** The limits of a cache unless the program sets others. */
export const defaultLimits: CacheLimits = {
  maxEntries: 10_000,
  maxBytes: 64 * 1024 * 1024,
  longestLife: Duration.toMillis(Duration.hours(1))
}

/** The parts that a client's cache is made of. */
export interface CacheParts {
  readonly store: Store
  readonly events: Stream.Stream<CacheEvent>
}

/**
 * Makes the cache of a client, which lives as long as the scope. It costs nothing before something is read through it.
 */
export const make = Effect.fnUntraced(function*(
  { keepers, textDecoding }: ConnectionSettings,
  slotOf: ((key: Key) => number) | undefined
): Effect.fn.Return<CacheParts, never, Scope.Scope> {
  const { tell, told } = yield* announcements<CacheEvent>()
  const store = new Store({
    ...defaultLimits,
    keepers,
    clock: yield* Clock.Clock,
    textDecoding,
    slotOf,
    onEvent: tell
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => store.close()))
  return { store, events: told }
})

/** The cache for clients that send in this way. */
export const reading = ({ events, store }: CacheParts, sending: Sending): ClientCache => ({
  execute: (command) => {
    if (command.caching === undefined || command.settled !== undefined || !store.covers(command)) return undefined
    return Effect.suspend(() =>
      store.find(command) ?? Effect.callback((resume) => {
        const request = store.join(command, sending, resume)
        return Effect.sync(() => request.cancel())
      })
    )
  },
  pipeline: (commands, rest, isForRest = () => false) =>
    commands.some(({ caching }) => caching !== undefined)
      ? Effect.uninterruptibleMask((restore) => {
        const pipeline = new CachedPipeline(store, sending, commands, isForRest)
        return Effect.onInterrupt(restore(pipeline.run(rest)), pipeline.cancel)
      })
      : rest(commands),
  configure: (limits, prefixes) => store.configure(limits, prefixes ?? "read"),
  clear: Effect.sync(() => store.drop("Cleared")),
  moved: (slots) => store.dropSlots("Moved", slots),
  isEmpty: () => store.stats.entries === 0,
  stats: Effect.sync(() => store.stats),
  events
})

/**
 * A pipeline some of whose commands the cache may answer. Its reads have to see its own writes in the order in which
 * they were given, so such reads are sent with the rest.
 */
class CachedPipeline {
  readonly #commands: Commands
  readonly #outcomes: Array<Outcome | undefined>
  /** The reads that have no answer yet, by the indexes of their commands. */
  readonly #waiting = new Map<number, Request>()
  /** The indexes of the commands that are sent like all others. */
  readonly #others: Array<number> = []
  #resume: (() => void) | undefined = undefined

  constructor(store: Store, sending: Sending, commands: Commands, isForRest: (command: RedisCommand.Any) => boolean) {
    this.#commands = commands
    this.#outcomes = new Array(commands.length)
    const changed = changedBy(commands)
    commands.forEach((command, index) => {
      const isCached = command.caching !== undefined && command.settled === undefined && store.covers(command) &&
        !isForRest(command)
      if (!isCached || changed === "all" || RedisCommand.keys(command).some((key) => changed.has(nameOf(key)))) {
        this.#others.push(index)
        return
      }
      this.#outcomes[index] = store.find(command)
      if (this.#outcomes[index] === undefined) this.#join(store, sending, command, index)
    })
  }

  run(rest: (commands: Commands) => Effect.Effect<Outcomes>): Effect.Effect<Outcomes> {
    // The indexes are those of commands, so they are in range.
    const others = this.#others.map((index) => this.#commands[index]!)
    const sent = others.length === 0 ? Effect.succeed<Outcomes>([]) : rest(others)
    return Effect.flatMap(sent, (outcomes) => {
      outcomes.forEach((outcome, index) => this.#settle(this.#others[index]!, outcome))
      // Every index is either answered by the cache or sent, so every outcome is there.
      return Effect.as(this.#answered, this.#outcomes as Outcomes)
    })
  }

  readonly cancel = (): Effect.Effect<void> =>
    Effect.sync(() => {
      for (const request of this.#waiting.values()) request.cancel()
    })

  #join(store: Store, sending: Sending, command: RedisCommand.Any, index: number): void {
    const request = store.join(command, sending, (exit) => {
      this.#settle(index, exit)
      if (this.#waiting.delete(index) && this.#waiting.size === 0) this.#resume?.()
    })
    // A client that is closed says so at once.
    if (this.#outcomes[index] === undefined) this.#waiting.set(index, request)
  }

  #settle(index: number, outcome: Outcome): void {
    // The index is that of a command, so it is in range.
    this.#outcomes[index] = outcomeAt(outcome, this.#commands[index]!, index)
  }

  /** Suspends until all answers are there. */
  readonly #answered: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#waiting.size === 0) return resume(Effect.void)
    this.#resume = () => resume(Effect.void)
  })
}

const changedBy = (commands: Commands): ReadonlySet<string> | "all" => {
  const names = new Set<string>()
  for (const command of commands) {
    if (command.settled !== undefined) continue
    const changed = keysChangedBy(command)
    if (changed === "all") return "all"
    for (const key of changed) names.add(nameOf(key))
  }
  return names
}
