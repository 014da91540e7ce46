/**
 * Connections that one user at a time has for itself, under random programs: whoever does what, is interrupted when, and
 * whatever the server does, the next user finds nothing of the last one, and nothing is lost of the pool.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { asking } from "@redfx/core/unstable/Request"
import * as Client from "@redfx/testing/Client"
import * as Pace from "@redfx/testing/Pace"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as FastCheck from "fast-check"

// -----------------------------------------------------------------------------
// Programs
// -----------------------------------------------------------------------------

/** What a user of a connection does with it. */
type Step =
  | "read"
  | "write"
  | "slow"
  | "watch by name"
  | "multi by name"
  | "select"
  | "name"
  | "tracking"
  | "asking"
  | "transaction"
  | "nothing to commit"
  | "watch"
  | "pipeline"
  | "fail"
  | "pause"

/** A user: how it gets its connection, what it does, and after how many milliseconds it is interrupted, if it is. */
interface User {
  readonly how: "withConnection" | "watch" | "blpop" | "hold"
  readonly steps: ReadonlyArray<Step>
  readonly start: number
  readonly interrupt: number | undefined
  readonly turns: number
}

/** What happens to the server, and when. */
interface Event {
  readonly after: number
  readonly what: "cut all" | "cut one" | "stall" | "refuse" | "accept"
}

interface Program {
  readonly users: ReadonlyArray<User>
  readonly events: ReadonlyArray<Event>
  readonly max: number
  readonly acquireTimeout: number
  readonly closesAfter: number | undefined
}

const millis = FastCheck.integer({ min: 0, max: 12 })

const step = FastCheck.constantFrom<Step>(
  "read",
  "write",
  "slow",
  "watch by name",
  "multi by name",
  "select",
  "name",
  "tracking",
  "asking",
  "transaction",
  "nothing to commit",
  "watch",
  "pipeline",
  "fail",
  "pause"
)

const user: FastCheck.Arbitrary<User> = FastCheck.record({
  how: FastCheck.constantFrom("withConnection" as const, "watch" as const, "blpop" as const, "hold" as const),
  steps: FastCheck.array(step, { maxLength: 4 }),
  start: millis,
  interrupt: FastCheck.option(millis, { nil: undefined }),
  turns: FastCheck.nat(6)
})

const program: FastCheck.Arbitrary<Program> = FastCheck.record({
  users: FastCheck.array(user, { minLength: 1, maxLength: 8 }),
  events: FastCheck.array(
    FastCheck.record({
      after: millis,
      what: FastCheck.constantFrom(
        "cut all" as const,
        "cut one" as const,
        "stall" as const,
        "refuse" as const,
        "accept" as const
      )
    }),
    { maxLength: 3 }
  ),
  max: FastCheck.integer({ min: 2, max: 5 }),
  acquireTimeout: FastCheck.constantFrom(0, 30, 10_000),
  closesAfter: FastCheck.option(millis, { nil: undefined })
})

// -----------------------------------------------------------------------------
// The server
// -----------------------------------------------------------------------------

/** The state of a connection that a user can change. */
interface Session {
  db: string
  name: string
  asking: boolean
  tracking: boolean
  multi: number | undefined
  readonly watched: Set<string>
}

const fresh = (): Session => ({
  db: "0",
  name: "",
  asking: false,
  tracking: false,
  multi: undefined,
  watched: new Set()
})

/** What of a connection is not as after its handshake. */
const leftovers = (session: Session): ReadonlyArray<string> => [
  ...session.db === "0" ? [] : ["database"],
  ...session.name === "" ? [] : ["name"],
  ...session.asking ? ["ASKING"] : [],
  ...session.tracking ? ["tracking"] : [],
  ...session.multi === undefined ? [] : ["MULTI"],
  ...session.watched.size === 0 ? [] : ["WATCH"]
]

/** A server that keeps the state of each connection, and looks at it whenever a user sends its first command. */
class Server {
  readonly found: Array<string> = []
  stalled = false
  readonly #sessions = new Map<number, Session>()

  readonly handler: FakeNode.Handler = ({ args, name }, { index }) => {
    if (this.stalled) return FakeNode.stall()
    const session = this.#sessions.get(index) ?? fresh()
    this.#sessions.set(index, session)
    if (args.some((arg) => arg.startsWith("first"))) {
      this.found.push(...leftovers(session).map((what) => `${name} found ${what}`))
    }
    session.asking = false
    return this.#reply(session, args, name)
  }

  #reply(session: Session, args: ReadonlyArray<string>, name: string): FakeNode.Reply {
    if (session.multi !== undefined && name !== "EXEC") {
      session.multi++
      return Encode.simple("QUEUED")
    }
    switch (name) {
      case "WATCH":
        session.watched.add(args[1]!)
        return Encode.ok
      case "UNWATCH":
        session.watched.clear()
        return Encode.ok
      case "MULTI":
        session.multi = 0
        return Encode.ok
      case "EXEC": {
        const replies = Array.from({ length: session.multi ?? 0 }, () => Encode.integer(1))
        session.multi = undefined
        session.watched.clear()
        return Encode.array(replies)
      }
      case "SELECT":
        session.db = args[1]!
        return Encode.ok
      case "ASKING":
        session.asking = true
        return Encode.ok
      case "CLIENT":
        if (args[1]?.toUpperCase() === "SETNAME") session.name = args[2]!
        if (args[1]?.toUpperCase() === "TRACKING") session.tracking = true
        return Encode.ok
      case "BLPOP":
        return args[1] === "first:full"
          ? [FakeNode.delay(2), FakeNode.reply(Encode.bulks([args[1], "v"]))]
          : FakeNode.stall()
      case "GET":
        return args[1] === "slow" ? [FakeNode.delay(5), FakeNode.reply(Encode.bulk("1"))] : Encode.bulk("1")
      case "INCR":
        return Encode.integer(1)
      default:
        return undefined
    }
  }
}

/** Connections that somebody was given while a reply was to come that never does. */
const heldUp = (node: FakeNode.FakeNode): ReadonlyArray<string> =>
  node.connections.all.flatMap(({ index }) => {
    const sent = node.commands.filter(({ connection }) => connection === index).map(({ args }) => args.join(" "))
    const blocked = sent.indexOf("BLPOP first:empty 0")
    return blocked >= 0 && sent.length > blocked + 1 ? [`${sent[blocked + 1]} behind a BLPOP`] : []
  })

const happen = (server: Server, node: FakeNode.FakeNode, { after, what }: Event) =>
  Effect.andThen(
    Effect.sleep(after),
    what === "cut all"
      ? node.cutAll("reset")
      : what === "cut one"
      ? Effect.suspend(() => Effect.forEach(node.connections.live.slice(0, 1), ({ index }) => node.cut(index)))
      : what === "refuse"
      ? node.stopListening
      : what === "accept"
      ? Effect.exit(node.listen)
      : Effect.sync(() => {
        server.stalled = true
      })
  )

// -----------------------------------------------------------------------------
// Running a program
// -----------------------------------------------------------------------------

const incr = Redis.incr("n")

const run = (step: Step): Effect.Effect<unknown, unknown, RedisClient.RedisClient> => {
  switch (step) {
    case "read":
      return Redis.get("k")
    case "write":
      return incr
    case "slow":
      return Redis.get("slow")
    case "watch by name":
      return RedisCommand.send("WATCH", "k")
    case "multi by name":
      return RedisCommand.send("MULTI")
    case "select":
      return Redis.select(3)
    case "name":
      return Redis.clientSetname("mine")
    case "tracking":
      return RedisCommand.send("CLIENT TRACKING", "ON")
    case "asking":
      return asking
    case "transaction":
      return Redis.transaction([incr, incr])
    case "nothing to commit":
      return Redis.watch("inner", Effect.succeed([]))
    case "watch":
      return Redis.watch("inner", Effect.as(Redis.get("k"), [incr]), { schedule: Schedule.recurs(1) })
    case "pipeline":
      return Redis.pipeline([RedisCommand.send("WATCH", "p"), Redis.get("k")])
    case "fail":
      return Effect.fail("a failure of the program's own")
    case "pause":
      return Effect.sleep(2)
  }
}

const use = ({ how, steps }: User): Effect.Effect<unknown, unknown, RedisClient.RedisClient> => {
  const all = Effect.forEach(steps, run, { discard: true })
  switch (how) {
    case "withConnection":
      return Redis.withConnection(Effect.andThen(Redis.get("first"), all))
    case "hold":
      return Redis.withConnection(Effect.andThen(Effect.andThen(Redis.get("first"), all), Effect.sleep(20)))
    case "watch":
      return Redis.watch("first", Effect.as(all, steps.length % 2 === 0 ? [] : [incr]), {
        schedule: Schedule.recurs(2)
      })
    case "blpop":
      return Redis.blpop(steps.length % 2 === 0 ? "first:full" : "first:empty")
  }
}

/** Runs a user, and interrupts it where the program says so: after a time, and some turns of the scheduler. */
const live = (client: RedisClient.RedisClient["Service"], one: User) =>
  Effect.gen(function*() {
    yield* Effect.sleep(one.start)
    const fiber = yield* Effect.forkChild(Client.on(client)(use(one)), { startImmediately: true })
    // What nobody interrupts ends with the program.
    yield* one.interrupt === undefined ? Fiber.await(fiber).pipe(Effect.timeoutOption(60)) : Effect.sleep(one.interrupt)
    for (let turn = 0; turn < one.turns; turn++) yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
  })

/** As many connections as the pool may have for one user each are to be had at once, when all was given back. */
const takeAll = (client: RedisClient.RedisClient["Service"], { max }: Program) =>
  Effect.scoped(
    Effect.forEach(
      Array.from({ length: max - 1 }),
      () => Effect.flatMap(client.reserve, (reserved) => reserved.execute(Redis.get("first"))),
      { concurrency: "unbounded" }
    )
  ).pipe(
    // The client need not have noticed yet that a connection was cut, as of one that a dial has opened meanwhile.
    Effect.retry({
      times: 5,
      while: (error) => error._tag === "ConnectionError" && (error.reason === "Closed" || error.reason === "Reset")
    })
  )

/**
 * Waits until nobody uses a connection, and client and server have as many. A dial that nobody waits for any more goes on, for
 * as long as its pause takes: what it opens is idle.
 */
const settled = (client: RedisClient.RedisClient["Service"], node: FakeNode.FakeNode): Effect.Effect<void> =>
  Effect.flatMap(
    client.stats,
    ({ exclusive, exclusiveIdle, shared, waiting }) =>
      exclusive === exclusiveIdle && waiting === 0 && shared + exclusive === node.connections.open
        ? Effect.void
        : Effect.andThen(Effect.sleep(2), settled(client, node))
  )

/** A program that is under way for longer hangs: so many milliseconds of this process, whatever else the machine has to do. */
const limit = 10_000

/** `where`: what is known of a program that hangs. */
const hangs = (where: Effect.Effect<object>) =>
  Effect.andThen(
    Effect.repeat(Effect.sleep(10), { times: limit / 10 }),
    Effect.flatMap(where, (known) =>
      Effect.die(new Error(`The program has not ended after ${limit} ms: ${JSON.stringify(known)}`)))
  )

const execute = (program: Program, pace: Pace.Pace) => {
  let known: Effect.Effect<object> = Effect.succeed({})
  return Effect.gen(function*() {
    const server = new Server()
    const node = yield* FakeNode.make(server.handler)
    const scope = yield* Scope.make()
    const client = yield* Scope.provide(
      Client.make(node, { pool: { max: program.max, acquireTimeout: program.acquireTimeout } }),
      scope
    )
    known = Effect.map(client.stats, (stats) => ({ ...stats, open: node.connections.open }))
    const counts: Array<number> = []
    const counting = yield* Effect.forkChild(Effect.forever(Effect.andThen(
      Effect.map(
        client.stats,
        ({ exclusive, exclusiveIdle, waiting }) =>
          counts.push(exclusive - exclusiveIdle, exclusiveIdle, waiting, program.max - 1 - exclusive)
      ),
      Effect.sleep(1)
    )))
    const events = yield* Effect.forkChild(
      Effect.forEach(program.events, (event) => happen(server, node, event), { concurrency: "unbounded" })
    )
    const users = yield* Effect.forkChild(
      Effect.forEach(program.users, (one) => live(client, one), { concurrency: "unbounded" })
    )
    if (program.closesAfter === undefined) {
      yield* Fiber.join(users)
      yield* Fiber.join(events)
      server.stalled = false
      yield* Effect.exit(node.listen)
      // Those that the stalled server has not answered are not to be waited for.
      if (program.events.length > 0) yield* node.cutAll()
      yield* settled(client, node)
      assert.strictEqual((yield* takeAll(client, program)).length, program.max - 1)
      yield* settled(client, node)
    } else {
      yield* Effect.sleep(program.closesAfter)
    }
    const since = performance.now()
    yield* Scope.close(scope, Exit.void)
    assert.isBelow(pace.between(since, performance.now()), 1000)
    yield* node.awaitOpen(0)
    yield* Fiber.join(users)
    yield* Fiber.interruptAll([counting, events])
    assert.deepInclude(yield* client.stats, { shared: 0, exclusive: 0, exclusiveIdle: 0, waiting: 0, inFlight: 0 })
    assert.deepStrictEqual([...server.found, ...heldUp(node)], [])
    assert.isAtLeast(Math.min(...counts), 0)
  }).pipe(Effect.scoped, Effect.raceFirst(hangs(Effect.suspend(() => known))))
}

describe("Leases", () => {
  it.live(
    "of random programs leave nothing to the next user, and nothing behind",
    () =>
      Effect.flatMap(Pace.watch, (pace) =>
        Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(program, (program) => Effect.runPromise(execute(program, pace))),
            { numRuns: Number(process.env["LEASE_RUNS"] ?? 150), endOnFailure: false }
          )
        ))
  )
})
