/**
 * Runs programs against a client, and keeps what everybody was told.
 */
import { Redis, RedisError, RedisKeyspace, RedisLock, RedisStream } from "@redfx/core"
import type { RedisClient, RedisCommand } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { build, keyOf, within } from "./commands.ts"
import type { Built } from "./commands.ts"
import type * as Program from "./program.ts"

// -----------------------------------------------------------------------------
// What is kept
// -----------------------------------------------------------------------------

/** The outcome of a command or of an effect; `undefined` while it runs. */
export type Outcome = Exit.Exit<unknown, unknown> | undefined

/**
 * The commands that one run of a watch's body has sent. `meddling` says whether somebody else tried to change the
 * watched key during it, and `meddled` whether that is known to have succeeded.
 */
interface BodyRun {
  readonly body: ReadonlyArray<string>
  readonly commit: ReadonlyArray<Built>
  readonly meddling: boolean
  readonly meddled: boolean
}

/**
 * One try of an effect.
 *
 * - `stepId`: of which step it is, `group` of which effect of it, so that tries of the same effect are judged together.
 * - `started`, `ended`: when, in milliseconds.
 * - `parts`: its commands. `mayFail`: whether it can fail where nothing goes wrong. `outcomes`: of each, where they are told one by one. `runs`: of the body of a watch.
 */
export interface Try {
  readonly stepId: string
  readonly group: string
  readonly kind: string
  readonly recipe: Program.Recipe
  readonly number: number
  /** Whether the try runs on a connection of its own. */
  readonly reserved: boolean
  readonly started: number
  ended: number
  mayFail: boolean
  parts: ReadonlyArray<Built>
  outcome: Outcome
  outcomes: ReadonlyArray<Outcome> | undefined
  readonly runs: Array<BodyRun>
}

/** The elements of a subscription: messages, and the points at which some may be missing. */
export type Heard = ReadonlyArray<string | undefined>

/**
 * - `base`: the number before that of the first try; no two runs on the same servers have tries of the same number.
 * - `seed`: makes a key hold a text, past the client. `arm`: has something done around the arrival of the n-th reply.
 * - `popped`: how often each element was delivered; `lostPops`: when pops ended without a result.
 */
export interface Env {
  readonly client: RedisClient.RedisClient["Service"]
  /** Another client of the same deployment. */
  readonly another: Effect.Effect<RedisClient.RedisClient["Service"], RedisError.RedisError, Scope.Scope>
  /** Whether commands that ran into their limit are sent once more, and the limit. */
  readonly again: boolean
  readonly commandTimeout: number
  readonly base: number
  readonly now: () => number
  readonly seed: (key: string, text: string) => Effect.Effect<void>
  readonly arm: (interruption: Program.Interruption & { readonly after: "reply" }, act: () => void) => void
  readonly wrong: Array<string>
  readonly tries: Array<Try>
  readonly popped: Map<string, number>
  readonly handled: Set<string>
  readonly heard: Array<Heard>
  readonly ends: Set<() => void>
  readonly inside: Map<string, number>
  readonly lostPops: Array<number>
  interrupted: number
}

/** A run that has not begun. */
export const make = (
  options: Pick<Env, "again" | "another" | "arm" | "base" | "client" | "commandTimeout" | "now" | "seed">
): Env => ({
  ...options,
  wrong: [],
  tries: [],
  popped: new Map(),
  handled: new Set(),
  heard: [],
  ends: new Set(),
  inside: new Map(),
  lostPops: [],
  interrupted: 0
})

/** The step that a try belongs to, and how it is tried again. */
interface Origin {
  readonly stepId: string
  readonly recipe: Program.Recipe
}

const begin = (env: Env, { recipe, stepId }: Origin, group: string, kind: string, reserved: boolean): Try => {
  const made: Try = {
    stepId,
    group,
    kind,
    recipe,
    number: env.base + env.tries.length + 1,
    reserved,
    started: env.now(),
    ended: Infinity,
    mayFail: false,
    parts: [],
    outcome: undefined,
    outcomes: undefined,
    runs: []
  }
  env.tries.push(made)
  return made
}

const builder = (attempt: Try) => {
  let count = 0
  return (command: Program.Command): Built => build(command, () => `w${attempt.number}.${++count}`)
}

/**
 * The number of times that one try can have applied a write. It is more than one only where the command may be sent
 * twice.
 */
export const mostOf = (env: Env, { ended, reserved, started }: Try): 1 | 2 =>
  env.again && !reserved && Math.min(ended, env.now()) - started >= env.commandTimeout - 1 ? 2 : 1

/** Checks the result of a command, and keeps the elements that it took away. */
const verify = (env: Env, attempt: Try, built: Built, outcome: Exit.Exit<unknown, unknown>): void => {
  const { kind, stepId } = attempt
  const twice = mostOf(env, attempt) > 1
  if (built.pops && (twice || Exit.isFailure(outcome))) env.lostPops.push(env.now())
  if (Exit.isFailure(outcome)) return
  // The result of the second sending is another.
  const wrong = twice && built.tokens.length > 0 ? undefined : built.check(outcome.value)
  if (wrong !== undefined) env.wrong.push(`${stepId} ${kind}: ${built.name} was answered with ${wrong}`)
  if (!built.pops || outcome.value === undefined) return
  // The result of a pop has this type.
  const { value } = outcome.value as { readonly value: string }
  env.popped.set(value, (env.popped.get(value) ?? 0) + 1)
}

/** Runs a try, and keeps its end also where its caller goes away while a fiber rests between its beginning and what it runs. */
const trying = <A, E, R>(
  env: Env,
  origin: Origin,
  { group = "", kind, reserved = false }: {
    readonly group?: string
    readonly kind: string
    readonly reserved?: boolean
  },
  run: (attempt: Try) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const attempt = begin(env, origin, group, kind, reserved)
      return Effect.onExit(restore(run(attempt)), (exit) =>
        Effect.sync(() => {
          attempt.outcome = exit
          attempt.ended = env.now()
        }))
    })
  )

const prepare = (env: Env, parts: ReadonlyArray<Built>): Effect.Effect<void> =>
  Effect.forEach(parts, ({ seed }) => seed === undefined ? Effect.void : env.seed(...seed), { discard: true })

const typed = (built: Built): RedisCommand.RedisCommand<unknown> => built.command

// -----------------------------------------------------------------------------
// Effects
// -----------------------------------------------------------------------------

type Run = Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>

/** Runs one command, on whatever client it is given. */
const one = (env: Env, origin: Origin, group: string, command: Program.Command, reserved = false): Run =>
  trying(env, origin, { group, kind: command.c, reserved }, (attempt) => {
    const built = builder(attempt)(command)
    attempt.parts = [built]
    const run = Effect.onExit(typed(built), (exit) => Effect.sync(() => verify(env, attempt, built, exit)))
    return Effect.andThen(prepare(env, attempt.parts), run)
  })

/** Runs several commands, one after the other, each of which is judged by itself. */
const inOrder = (
  env: Env,
  { stepId }: Origin,
  group: string,
  commands: ReadonlyArray<Program.Command>,
  reserved: boolean
): Run =>
  Effect.forEach(
    commands,
    (command, index) => one(env, { stepId, recipe: "none" }, `${group}.${index}`, command, reserved),
    { discard: true }
  )

type Several = Program.Effect & { readonly e: "pipeline" | "transaction" }

const together = (env: Env, origin: Origin, { commands, e, settled }: Several, reserved = false): Run =>
  trying(env, origin, { group: reserved ? "reserved" : "", kind: e, reserved }, (attempt) => {
    const build = builder(attempt)
    attempt.parts = commands.map((command) => build(e === "transaction" ? within(0, command) : command))
    const values = attempt.parts.map(({ command }) => command)
    const look = (outcomes: ReadonlyArray<Exit.Exit<unknown, unknown>>) =>
      attempt.parts.forEach((part, index) => verify(env, attempt, part, outcomes[index] ?? Exit.void))
    // A caller who went away does not get the element that was taken for it.
    const lose = Effect.sync(() => void env.lostPops.push(...attempt.parts.filter(({ pops }) => pops).map(env.now)))
    const run: Run = settled
      ? Effect.tap(
        Effect.onError(e === "pipeline" ? Redis.pipelineSettled(values) : Redis.transactionSettled(values), () => lose),
        (results) =>
          Effect.sync(() => {
            const outcomes = results.map((result) =>
              Result.isSuccess(result) ? Exit.succeed(result.success) : Exit.fail(result.failure)
            )
            attempt.outcomes = outcomes
            look(outcomes)
          })
      )
      : Effect.onExit(
        e === "pipeline" ? Redis.pipeline(values) : Redis.transaction(values),
        (exit) =>
          Effect.sync(() =>
            look(attempt.parts.map((_, index) => Exit.isSuccess(exit) ? Exit.succeed(exit.value[index]) : exit))
          )
      )
    return Effect.andThen(prepare(env, attempt.parts), run)
  })

const counter = RedisKeyspace.makeCounter({ key: "{b}:count:*", ttl: "10 minutes" })

/** The effects that the body of a watch has besides, in ways that do not show that it is a body. */
const besides: Readonly<Record<(Program.Effect & { readonly e: "watch" })["inside"], Run>> = {
  nothing: Effect.void,
  transaction: Redis.transaction([Redis.get(keyOf(0, "string"))]),
  keyspace: Effect.catchTag(counter.increment("1"), "KeyspaceError", Effect.die),
  pipeline: Redis.pipeline([Redis.send("MULTI"), Redis.send("PING"), Redis.send("EXEC")])
}

const watch = (env: Env, origin: Origin, effect: Program.Effect & { readonly e: "watch" }): Run =>
  trying(env, origin, { kind: "watch", reserved: true }, (attempt) => {
    const build = builder(attempt)
    const watched = keyOf(effect.slot, "watched")
    // An effect that would end the watch unnoticed may be refused.
    attempt.mayFail = effect.inside !== "nothing" || effect.body.some(({ c }) => c === "wrong" || c === "liar")
    const body = Effect.gen(function*() {
      const first = attempt.runs.length === 0
      const from = env.tries.length
      const run = { body: [] as Array<string>, commit: [] as ReadonlyArray<Built>, meddling: false, meddled: false }
      attempt.runs.push(run)
      const commands = effect.body.map((command) => within(effect.slot, command))
      yield* Effect.ensuring(
        inOrder(env, origin, `body${attempt.number}.${attempt.runs.length}`, commands, true),
        // Nothing else of this step runs at the same time.
        Effect.sync(() =>
          run.body.push(
            ...env.tries.slice(from).filter((other) => other.stepId === origin.stepId).flatMap(({ parts }) =>
              parts.flatMap(({ tokens }) => tokens)
            )
          )
        )
      )
      yield* besides[effect.inside]
      if (effect.meddle && first) {
        run.meddling = true
        run.meddled = Exit.isSuccess(yield* Effect.exit(env.client.execute(Redis.append(watched, "x"))))
      }
      run.commit = effect.commit.map((command) => build(within(effect.slot, command)))
      attempt.parts = run.commit
      return run.commit.map(({ command }) => command)
    })
    return Redis.watch(watched, body)
  })

const leavings = (env: Env): Readonly<Record<(Program.Effect & { readonly e: "session" })["leave"], Run>> => ({
  clean: Effect.void,
  watch: Redis.send("WATCH", keyOf(0, "watched")),
  conflict: Effect.andThen(
    Redis.send("WATCH", keyOf(0, "left")),
    Effect.suspend(() => env.client.execute(Redis.append(keyOf(0, "left"), "x")))
  ),
  multi: Redis.send("MULTI"),
  select: Redis.send("SELECT", 1)
})

const session = (
  env: Env,
  origin: Origin,
  { commands, leave, transaction }: Program.Effect & { readonly e: "session" }
): Run =>
  Redis.withConnection(Effect.all([
    transaction
      ? together(env, origin, { e: "transaction", commands: [{ c: "set", slot: 0 }], settled: false }, true)
      : Effect.void,
    // In a cluster, a connection is to the server of its first key.
    inOrder(env, origin, "session", commands.map((command) => within(0, command)), true),
    leavings(env)[leave]
  ]))

/** Locks outlive whatever a program has to wait for, so that nobody has to expect another holder inside. */
const lockTtl = Duration.minutes(5)

const lock = (env: Env, origin: Origin, { body, fencing, slot }: Program.Effect & { readonly e: "lock" }): Run => {
  const name = keyOf(slot, "lock")
  const guarded = RedisLock.make(name, { ttl: lockTtl, retryInterval: "10 millis", waitTimeout: "300 millis", fencing })
  return guarded.withLock(Effect.acquireUseRelease(
    Effect.sync(() => {
      const inside = (env.inside.get(name) ?? 0) + 1
      env.inside.set(name, inside)
      if (inside > 1) env.wrong.push(`${origin.stepId} lock: ${inside} hold ${name} at a time`)
    }),
    () => Effect.andThen(inOrder(env, origin, "lock", body, false), Effect.sleep(2)),
    () => Effect.sync(() => void env.inside.set(name, (env.inside.get(name) ?? 0) - 1))
  ))
}

const key = (slot: number, name: string): `${string}*` => `${keyOf(slot, name)}:*`
const ttl = Duration.minutes(10)

/** A write through a keyspace: a token, the keyspace's own effect, and the expected result. */
const stored = (kind: Program.KeyspaceKind, slot: number, token: string) => {
  const values = () => RedisKeyspace.makeSet({ key: key(slot, "tags"), value: Schema.String, ttl })
  const ranks = () => RedisKeyspace.makeSortedSet({ key: key(slot, "ranks"), value: Schema.String, ttl })
  const value = { token: Schema.String }
  switch (kind) {
    case "value":
      return RedisKeyspace.make({ key: key(slot, "value"), value: Schema.Struct(value), ttl }).set("1", { token })
    case "hash":
      return RedisKeyspace.makeHash({ key: key(slot, "record"), value: Schema.Struct(value), ttl }).set("1", { token })
    case "set":
      return values().set("1", [token])
    case "setAdd":
      return values().add("2", token)
    case "ranks":
      return ranks().set("1", [{ member: token, score: 1 }])
    case "ranksAdd":
      return ranks().add("2", token, 1)
    case "ranksIncrement":
      return ranks().increment("2", token, 1)
    case "counter":
      return RedisKeyspace.makeCounter({ key: key(slot, "counter"), ttl }).increment(token)
  }
}

const keyspace = (env: Env, origin: Origin, { kind, slot }: Program.Effect & { readonly e: "keyspace" }): Run =>
  trying(env, origin, { kind: `keyspace ${kind}` }, (attempt) => {
    const token = `w${attempt.number}.1`
    // A key that was not there before is new, and a counter is one after its first increment.
    const check = (value: unknown) =>
      value === undefined || Number(value) === 1 ? undefined : `${String(value)}, and was new`
    const built = { ...build({ c: "echo" }, () => token), name: kind, tokens: [token], check }
    attempt.parts = [built]
    return Effect.onExit(
      Effect.catchTag(stored(kind, slot, token), "KeyspaceError", (error) => Effect.die(error)),
      (exit) => Effect.sync(() => verify(env, attempt, built, exit))
    )
  })

const publish = (env: Env, origin: Origin): Run =>
  trying(env, origin, { kind: "publish" }, (attempt) => {
    const token = `w${attempt.number}.1`
    const command = Redis.publish("feed", token)
    attempt.parts = [{ ...build({ c: "echo" }, () => token), name: "publish", tokens: [token], command }]
    return command
  })

const subscribe = (env: Env, milliseconds: number): Run =>
  Effect.suspend(() => {
    const heard: Array<string | undefined> = []
    env.heard.push(heard)
    return Redis.subscribe("feed", { events: true }).pipe(
      Stream.runForEach((element) =>
        Effect.sync(() => {
          if (element._tag === "Message") heard.push(element.data)
          if (element._tag === "Lost") heard.push(undefined)
        })
      ),
      Effect.timeoutOption(milliseconds)
    )
  })

/** Handles entries of the stream for a while. */
const consumeOnce = (env: Env, origin: Origin, milliseconds: number): Run =>
  trying(env, origin, { kind: "consume" }, () => consume(env, origin.stepId, milliseconds))

const consumerOf = (consumer: string) => ({
  stream: keyOf(0, "stream"),
  group: "group",
  consumer,
  createGroup: "0",
  block: "200 millis",
  claimIdle: "1 second"
} as const)

export const consume = (env: Env, consumer: string, milliseconds: number): Run =>
  Effect.timeoutOption(
    RedisStream.consume(
      consumerOf(consumer),
      ({ fields }) => Effect.sync(() => void env.handled.add(fields["name"] ?? ""))
    ),
    milliseconds
  )

/** Runs a consumer whose client is gone while an entry is handled; the handler has not finished then. */
const crash = (env: Env, { stepId }: Origin, milliseconds: number): Run =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const begun = yield* Deferred.make<void>()
    const handler = () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.delay(Effect.fail("crashed"), 20))
    let fiber: Fiber.Fiber<unknown, unknown> | undefined
    const work = Effect.gen(function*() {
      const client = yield* Scope.provide(env.another, scope)
      const consuming = Client.on(client)(RedisStream.consume(consumerOf(stepId), handler))
      // The consumer goes on until its client is closed.
      fiber = yield* Effect.forkDetach(consuming, { startImmediately: true })
      yield* Deferred.await(begun)
    })
    yield* Effect.onExit(Effect.timeoutOption(work, milliseconds), () =>
      Effect.andThen(
        Scope.close(scope, Exit.void),
        Effect.suspend(() => fiber === undefined ? Effect.void : Fiber.interrupt(fiber))
      ))
  })

const run = (env: Env, origin: Origin, effect: Program.Effect): Run => {
  switch (effect.e) {
    case "one":
      return one(env, origin, "", effect.command)
    case "pipeline":
    case "transaction":
      return together(env, origin, effect)
    case "watch":
      return watch(env, origin, effect)
    case "session":
      return session(env, origin, effect)
    case "lock":
      return lock(env, origin, effect)
    case "keyspace":
      return keyspace(env, origin, effect)
    case "publish":
      return publish(env, origin)
    case "subscribe":
      return subscribe(env, effect.ms)
    case "consume":
      return consumeOnce(env, origin, effect.ms)
    case "crash":
      return crash(env, origin, effect.ms)
  }
}

// -----------------------------------------------------------------------------
// Steps and fibers
// -----------------------------------------------------------------------------

/** The effects whose parts are judged each by itself, because a retry of the whole repeats what was done. */
const ofMany: ReadonlySet<Program.Effect["e"]> = new Set(["session", "lock"])

const recipes = { none: () => false, safe: RedisError.isSafeToRetry, retryable: RedisError.isRetryable } as const

const persistent = (env: Env, origin: Origin, effect: Program.Effect): Run => {
  const attempt = run(env, origin, effect)
  if (origin.recipe === "none") return attempt
  return Effect.retry(attempt, { times: 4, schedule: Schedule.spaced("20 millis"), while: recipes[origin.recipe] })
}

/** Interrupts a fiber when it is time. */
const interrupting = (
  env: Env,
  interruption: Program.Interruption,
  fiberOf: () => Fiber.Fiber<unknown, unknown> | undefined
): Effect.Effect<void> => {
  const act = () => {
    const fiber = fiberOf()
    if (fiber?.pollUnsafe() === undefined) env.interrupted++
    fiber?.interruptUnsafe()
  }
  switch (interruption.after) {
    case "turns":
      return Effect.andThen(Effect.forEach(Array(interruption.count), () => Effect.yieldNow), Effect.sync(act))
    case "ms":
    case "limit":
      return Effect.andThen(Effect.sleep(interruption.count), Effect.sync(act))
    case "reply":
      return Effect.sync(() => env.arm(interruption, act))
    case "step":
      return Effect.sync(() => void env.ends.add(act))
  }
}

const step = (env: Env, program: Program.Step, stepId: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { effect, interruption, pause } = program
    const recipe = ofMany.has(effect.e) ? "none" : program.recipe
    if (pause > 0) yield* Effect.sleep(pause)
    const effectOf = Client.on(env.client)(persistent(env, { recipe, stepId }, effect))
    const running: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
    const interrupt = interruption === undefined
      ? undefined
      : Effect.forkChild(interrupting(env, interruption, () => running.fiber), { startImmediately: true })
    const early = interruption?.after === "limit" ? yield* interrupt! : undefined
    const fiber = yield* Effect.forkChild(effectOf, { startImmediately: true })
    running.fiber = fiber
    fiber.addObserver(() => {
      const ends = [...env.ends]
      env.ends.clear()
      for (const act of ends) act()
    })
    const arming = early ?? (interrupt === undefined ? undefined : yield* interrupt)
    const exit = yield* Fiber.await(fiber)
    if (arming !== undefined) yield* Fiber.interrupt(arming)
    if (Exit.isFailure(exit) && exit.cause.reasons.some(({ _tag }) => _tag === "Die")) {
      env.wrong.push(`${stepId} ${effect.e}: a defect: ${String(exit.cause)}`)
    }
    if (interruption === undefined) judgeEnd(env, stepId, effect, exit)
  })

/** Checks that an effect which nobody interrupted does not say that it was. */
const judgeEnd = (env: Env, stepId: string, { e }: Program.Effect, exit: Exit.Exit<unknown, unknown>): void => {
  if (Exit.isFailure(exit) && exit.cause.reasons.every(({ _tag }) => _tag === "Interrupt")) {
    env.wrong.push(`${stepId} ${e}: was interrupted by nobody`)
  }
}

/** Runs all fibers of a program to their ends. */
export const runAll = (env: Env, program: Program.Program): Effect.Effect<void> =>
  Effect.forEach(
    program.fibers,
    (steps, fiber) =>
      Effect.forEach(steps, (each, index) => step(env, each, `${fiber + 1}.${index + 1}`), { discard: true }),
    { concurrency: "unbounded", discard: true }
  )
