/**
 * The sentinels to ask: those of the options, which stay for good, and those
 * that they know of.
 */
import { sentinelSentinels } from "@redfx/core/commands/Sentinel"
import type { RedisClient } from "@redfx/core/RedisClient"
import type { RedisCommand } from "@redfx/core/RedisCommand"
import type { ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import type { CommandError } from "@redfx/core/RedisError"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import type { Translation } from "@redfx/core/unstable/Options"
import * as RedisPool from "@redfx/core/unstable/Pool"
import * as RedisRouter from "@redfx/core/unstable/Router"
import * as Runtime from "@redfx/core/unstable/Runtime"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"
import type { Attempt } from "./failures.ts"

/** A sentinel. `name`: how it is printed, and distinguished from others. */
export interface Sentinel {
  readonly name: string
  readonly address: NodeAddress
}

/** The milliseconds for which one sentinel's answer about the others is good enough. */
const learnedFor = 10_000

/** The number of sentinels that are remembered for each service, besides those of the options. */
const mostLearned = 32

/**
 * The milliseconds for which the other sentinels are waited for after one has given the answer that is looked for. A
 * sentinel that takes longer is not waited for the next time.
 */
const grace = 100

/** The milliseconds for which the others are waited for after one has answered at all. */
const longGrace = 250

/**
 * Waits for so many milliseconds, and for what has arrived by then: where the program stood still meanwhile, one that knows
 * better may have answered.
 */
const waited = (limit: number): Effect.Effect<void> =>
  Runtime.withTimeout(Effect.never, { limit, orElse: () => Effect.void })

/** The milliseconds after which an answer is overdue. */
const overdue = 100

const closed = RedisConnection.clientClosed()

/**
 * A question to all sentinels.
 *
 * - `key`: distinguishes it from other questions.
 * - `kindOf`: whether an answer is what is looked for, another one, or none.
 * - `onLate`: takes answers that nobody has waited for.
 */
export interface Question<A> {
  readonly key: string
  readonly ask: (sentinel: Sentinel) => Effect.Effect<A>
  readonly kindOf: (answer: A) => "useful" | "other" | "failure"
  readonly onLate?: ((answer: A) => void) | undefined
}

export interface Options {
  readonly given: ReadonlyArray<NodeAddress>
  readonly settings: ConnectionSettings
  readonly locate: Translation
}

export class Sentinels {
  /** Opens a client of a sentinel that nobody else uses, without any I/O. */
  readonly connect: (sentinel: Sentinel) => Effect.Effect<RedisClient["Service"], never, Scope.Scope>
  readonly #options: Options
  readonly #context: Context.Context<RedisConnector | Scope.Scope>
  readonly #clients: RcMap.RcMap<NodeAddress, RedisClient["Service"]>
  readonly #given: ReadonlyArray<Sentinel>
  /** The sentinels that are known, by the services that they watch. */
  readonly #learned = new Map<string, ReadonlyArray<Sentinel>>()
  readonly #learnedAt = new Map<string, number>()
  /** The questions under way, by sentinel and key. */
  readonly #asking: Runtime.Flights<unknown, never>
  /** The sentinels that took too long the last time. */
  readonly #slow = new Set<string>()
  /** Told whenever the list has changed. */
  readonly changes = new Runtime.Listeners()
  /** Told whenever something is heard of a service. */
  readonly news = new Runtime.Listeners<string>()
  #inOrder: ReadonlyArray<Sentinel>
  #closed = false

  constructor(
    options: Options,
    context: Context.Context<RedisConnector | Scope.Scope>,
    clients: RcMap.RcMap<NodeAddress, RedisClient["Service"]>,
    connect: (sentinel: Sentinel) => Effect.Effect<RedisClient["Service"], never, Scope.Scope>
  ) {
    this.#options = options
    this.#context = context
    this.#asking = new Runtime.Flights(Context.get(context, Scope.Scope))
    this.#clients = clients
    this.connect = connect
    this.#given = options.given.map(sentinelAt)
    this.#inOrder = unique(this.#given)
  }

  /** The sentinels in the order in which they are asked. */
  get inOrder(): ReadonlyArray<Sentinel> {
    return this.#inOrder
  }

  /** The attempt of a sentinel that has not answered. */
  unanswered({ name }: Sentinel): Attempt {
    return this.#closed
      ? { address: name, detail: closed.detail, permanent: true }
      : { address: name, detail: "It has not answered yet", permanent: false }
  }

  /** Runs a question on a sentinel, over a connection that is kept as long as it is of use. */
  ask<A>(sentinel: Sentinel, question: RedisCommand<A>): Effect.Effect<A, CommandError> {
    return Effect.suspend(() =>
      this.#closed
        ? Effect.fail(closed)
        : Effect.scoped(
          Effect.flatMap(RcMap.get(this.#clients, sentinel.address), (client) => client.execute(question))
        )
    ).pipe(
      // A fresh client dials at once, where the old one would first wait for the end of a pause or for an answer that
      // is overdue.
      Effect.tapError((error) => answered(error) ? Effect.void : RcMap.invalidate(this.#clients, sentinel.address)),
      // A kept connection may have ended a moment ago, unnoticed.
      Effect.retry({ times: 1, while: RedisConnection.isHangUp })
    )
  }

  /**
   * Asks all sentinels at once. It waits for all, but not for long after one has answered, and then not at all for
   * those that took too long the last time. So a sentinel that hangs costs the others nothing.
   */
  gather<A>(question: Question<A>): Effect.Effect<ReadonlyMap<Sentinel, A>> {
    return Effect.gen({ self: this }, function*() {
      const asked = this.#inOrder
      const answers = new Map<Sentinel, A>()
      const done = new Runtime.Once<void>()
      const answered = new Runtime.Once<void>()
      const useful = new Runtime.Once<void>()
      let over = false
      const take = (sentinel: Sentinel, exit: Exit.Exit<A>) => {
        if (Exit.isFailure(exit)) {
          // An interruption means that the group is being closed; any other failure concerns the caller.
          const closing = Cause.hasInterruptsOnly(exit.cause)
          if (closing) this.close()
          return done.end(closing ? Exit.void : exit)
        }
        const kind = question.kindOf(exit.value)
        if (kind !== "failure") this.#slow.delete(sentinel.name)
        if (over) return question.onLate?.(exit.value)
        answers.set(sentinel, exit.value)
        if (kind !== "failure") answered.end(Exit.void)
        if (kind === "useful") useful.end(Exit.void)
        const mayLeaveOut = answered.ended
        const awaited = asked.filter((other) => !answers.has(other) && !(mayLeaveOut && this.#slow.has(other.name)))
        if (awaited.length === 0) done.end(Exit.void)
      }
      for (const sentinel of asked) {
        const fiber = yield* this.#shared(`${sentinel.name} ${question.key}`, question.ask(sentinel))
        fiber.addObserver((exit) => take(sentinel, exit))
      }
      yield* Effect.raceAllFirst([
        done.outcome,
        Effect.andThen(useful.outcome, waited(grace)),
        Effect.andThen(answered.outcome, waited(longGrace))
      ])
      over = true
      for (const sentinel of asked) if (!answers.has(sentinel)) this.#slow.add(sentinel.name)
      return answers
    })
  }

  /**
   * Asks a question, or joins one whose answer is overdue, because questions to a sentinel that hangs must not pile up.
   * An answer that is not overdue may be from before what the caller has heard.
   */
  #shared<A>(key: string, effect: Effect.Effect<A>): Effect.Effect<Fiber.Fiber<A>> {
    return Effect.flatMap(Runtime.elapsedNow, (now) => {
      const running = this.#asking.get(key)
      // A question under a key yields what the key stands for.
      if (running !== undefined && now - running.since > overdue) return Effect.succeed(running.fiber as Fiber.Fiber<A>)
      // Other callers wait for the answer as well, so the context of the first must not show in it.
      if (running === undefined) {
        return Effect.succeed(
          this.#asking.start(this.#context, key, (restore) => restore(effect), now).fiber as Fiber.Fiber<A>
        )
      }
      // The older question stays the one to join, as it is the first to be overdue.
      const own = Effect.updateContext(effect, (_caller: Context.Context<never>) => this.#context)
      return Effect.forkIn(own, Context.get(this.#context, Scope.Scope))
    })
  }

  /** Asks this sentinel first from now on. */
  prefer(sentinel: Sentinel): void {
    if (this.#inOrder[0] === sentinel || !this.#inOrder.includes(sentinel)) return
    this.#inOrder = [sentinel, ...this.#inOrder.filter((other) => other !== sentinel)]
  }

  /** Asks this sentinel last from now on. */
  distrust(sentinel: Sentinel): void {
    if (!this.#inOrder.includes(sentinel)) return
    this.#inOrder = [...this.#inOrder.filter((other) => other !== sentinel), sentinel]
  }

  /** Asks one sentinel of a service for the others, in the background, unless that was done a short time ago. */
  learn(service: string, from: Sentinel): Effect.Effect<void> {
    return Effect.sync(() => {
      const now = Runtime.elapsed(Context.get(this.#context, Clock.Clock))
      const last = this.#learnedAt.get(service)
      if (this.#closed || last !== undefined && now - last < learnedFor) return
      this.#learnedAt.set(service, now)
      const asking = Effect.exit(this.#askForOthers(service, from))
      Runtime.fork(this.#context)(Effect.forkIn(asking, Context.get(this.#context, Scope.Scope)))
    })
  }

  /** Has every question fail from now on. */
  close(): void {
    this.#closed = true
  }

  readonly #askForOthers = Effect.fnUntraced(function*(this: Sentinels, service: string, from: Sentinel) {
    const states = yield* this.ask(from, sentinelSentinels(service))
    const others = Arr.getSuccesses(states.map(({ ip, port }) => this.#options.locate({ host: ip, port })))
    this.#learned.set(service, [from, ...others.slice(0, mostLearned - 1).map(sentinelAt)])
    const known = [...this.#given, ...[...this.#learned.values()].flat()]
    const names = new Set(known.map(({ name }) => name))
    const gone = this.#inOrder.filter(({ name }) => !names.has(name))
    this.#inOrder = unique([...this.#inOrder, ...known]).filter(({ name }) => names.has(name))
    for (const { name } of gone) this.#slow.delete(name)
    this.changes.tell()
    yield* Effect.forEach(gone, ({ address }) => RcMap.invalidate(this.#clients, address))
  }).bind(this)
}

/** Makes the sentinels, which live as long as the scope. It opens nothing before one is asked. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Sentinels, never, RedisConnector | Scope.Scope> {
  const context = yield* Effect.context<RedisConnector | Scope.Scope>()
  const connect = ({ host, port }: NodeAddress) =>
    Effect.flatMap(
      RedisPool.makeAt({ host, port }, options.settings),
      ({ router, settings }) => RedisRouter.makeClient(router, settings)
    ).pipe(Runtime.inContext(context), Runtime.makeShared)
  const clients = yield* RcMap.make({ lookup: connect, idleTimeToLive: Duration.infinity })
  const sentinels = new Sentinels(options, context, clients, ({ address }) => connect(address))
  yield* Effect.addFinalizer(() => Effect.sync(() => sentinels.close()))
  return sentinels
})

const sentinelAt = (address: NodeAddress): Sentinel => ({ name: formatEndpoint(address), address })

/** The first sentinel of each name. */
const unique = (sentinels: ReadonlyArray<Sentinel>): ReadonlyArray<Sentinel> =>
  sentinels.filter(({ name }, index) => sentinels.findIndex((other) => other.name === name) === index)

/** Whether the sentinel has answered, so that its connection is as good as before. */
const answered = (error: CommandError): boolean =>
  error._tag === "ResponseError" || error._tag === "NoPermissionError" || error._tag === "DecodeError"
