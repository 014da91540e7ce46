/**
 * Programs of everything, as plain data that can be printed, run again and made smaller.
 */
import * as fc from "fast-check"
import * as Faults from "./faults.ts"
import type { Fault } from "./faults.ts"
import * as Proxy from "./proxy.ts"
import type { Deployment } from "./world.ts"

// -----------------------------------------------------------------------------
// Model
// -----------------------------------------------------------------------------

/**
 * A command. `slot` says which of three groups of keys it is about; in a cluster the groups are on different servers.
 *
 * The writes each have a token of their own. `wrong` is a write that fails as its key holds something else; `liar` is a
 * script that writes and then answers with an error of its own making; `peek` is a script that only reads. `mset`, `mget` and `del` are about keys of all slots.
 */
export type Command =
  | { readonly c: "hincrby" | "incr" | "rpush" | "set" | "append" | "sadd" | "xadd"; readonly slot: number }
  | { readonly c: "get" | "exists" | "peek"; readonly slot: number }
  | { readonly c: "twice" | "function"; readonly slot: number }
  | { readonly c: "liar"; readonly slot: number; readonly code: string }
  | { readonly c: "wrong"; readonly slot: number }
  | { readonly c: "mset" | "mget" | "del" }
  | { readonly c: "rename"; readonly slot: number }
  | { readonly c: "blpop"; readonly slot: number; readonly ms: number }
  | { readonly c: "echo" }
  | { readonly c: "long"; readonly times: number; readonly bytes: boolean }

/** What is written, and how, through a keyspace whose keys have a time to live. */
export type KeyspaceKind = "value" | "hash" | "counter" | "set" | "setAdd" | "ranks" | "ranksAdd" | "ranksIncrement"

/**
 * The effect of a step.
 *
 * - `watch`: `body` runs while keys are watched, `commit` in the end. `meddle`: it also changes the watched key itself
 *   from outside, the first time.
 * - `session`: on a reserved connection a `transaction`, if any, and then commands; it is left as `leave` says: with
 *   `"conflict"` a key is watched that was changed since.
 * - `crash`: a consumer with a client of its own, which is gone while an entry is handled.
 */
export type Effect =
  | { readonly e: "one"; readonly command: Command }
  | { readonly e: "pipeline" | "transaction"; readonly commands: ReadonlyArray<Command>; readonly settled: boolean }
  | {
    readonly e: "watch"
    readonly slot: number
    readonly body: ReadonlyArray<Command>
    readonly commit: ReadonlyArray<Command>
    readonly meddle: boolean
    readonly inside: "nothing" | "transaction" | "keyspace" | "pipeline"
  }
  | {
    readonly e: "session"
    readonly transaction: boolean
    readonly commands: ReadonlyArray<Command>
    readonly leave: "clean" | "watch" | "conflict" | "multi" | "select"
  }
  | { readonly e: "lock"; readonly slot: number; readonly fencing: boolean; readonly body: ReadonlyArray<Command> }
  | { readonly e: "keyspace"; readonly slot: number; readonly kind: KeyspaceKind }
  | { readonly e: "publish" }
  | { readonly e: "subscribe" | "consume" | "crash"; readonly ms: number }

/**
 * The moment at which a step is interrupted: after turns or milliseconds, around the arrival of a reply, or as another
 * step ends. `"limit"` is the very time at which the limits of a step end, before they do.
 */
export type Interruption =
  | { readonly after: "limit"; readonly count: number }
  | { readonly after: "turns" | "ms"; readonly count: number }
  | { readonly after: "reply"; readonly count: number; readonly side: "before" | "after" }
  | { readonly after: "step" }

/** The rule by which a step is tried again: one of the two recipes, or none. */
export type Recipe = "none" | "safe" | "retryable"

export interface Step {
  readonly effect: Effect
  readonly recipe: Recipe
  readonly interruption: Interruption | undefined
  readonly pause: number
}

/**
 * Options of the client, and where it runs.
 *
 * - `replicas`: whether these are read from where there are some. `closeAt`: after how many milliseconds the client is closed
 *   under everybody, if not in the end.
 * - `far`: whether simulated servers are far away. `scripts`: how many scripts they keep, if not all.
 */
export interface Settings {
  readonly protocol: 2 | 3
  readonly shared: 1 | 2
  readonly max: number
  readonly commandTimeout: number | undefined
  readonly inFlight: number | undefined
  readonly retryOnTimeout: boolean
  readonly replicas: boolean
  readonly far: boolean
  readonly scripts: number | undefined
  readonly closeAt: number | undefined
}

/** An event on real servers after so many milliseconds. `which` chooses among several connections or slots. */
export interface Event {
  readonly at: number
  readonly kind: "kill" | "flush" | "pause" | "unblock" | "move"
  readonly which: number
}

/** Where programs run. */
export type Form = "fake" | "real"

/** A program. `faults` strike simulated servers, `cuts` and `events` real ones. */
export interface Program {
  readonly deployment: Deployment
  readonly seed: number
  readonly settings: Settings
  readonly fibers: ReadonlyArray<ReadonlyArray<Step>>
  readonly faults: ReadonlyArray<Fault>
  readonly cuts: ReadonlyArray<Proxy.Cut>
  readonly events: ReadonlyArray<Event>
}

// -----------------------------------------------------------------------------
// Ingredients
// -----------------------------------------------------------------------------

/** The ingredients that steps are made of; every program needs one of these. */
const effects: ReadonlySet<string> = new Set<Effect["e"]>([
  "one",
  "pipeline",
  "transaction",
  "watch",
  "session",
  "lock",
  "keyspace",
  "publish",
  "subscribe",
  "consume",
  "crash"
])

/** The names of all ingredients that can be left out, besides faults. */
const ingredients = [
  ...effects,
  "write",
  "read",
  "script",
  "liar",
  "wrong",
  "split",
  "emulated",
  "blocking",
  "interruption",
  "inside",
  "meddling",
  "emptyWatch",
  "bodyWrites",
  "failFast",
  "leaving",
  "timeout",
  "again",
  "replicas",
  "far",
  "forgetting",
  "closing"
] as const

/** What programs are made of: names of ingredients and tags of faults. */
export type Ingredients = ReadonlySet<string>

export const everything: Ingredients = new Set([...ingredients, ...Faults.tags])

// -----------------------------------------------------------------------------
// Arbitraries
// -----------------------------------------------------------------------------

const slot = fc.nat({ max: 2 })
const list = <A>(arbitrary: fc.Arbitrary<A>, minLength: number, maxLength: number): fc.Arbitrary<ReadonlyArray<A>> =>
  fc.array(arbitrary, { minLength, maxLength, size: "max" })

type Weighted<A> = readonly [ingredient: string, weight: number, arbitrary: fc.Arbitrary<A>]

/** One of the choices for which there is an ingredient; the first when there is none. */
const oneOf = <A>(only: Ingredients, choices: ReadonlyArray<Weighted<A>>): fc.Arbitrary<A> => {
  const left = choices.filter(([ingredient]) => only.has(ingredient))
  const some = left.length > 0 ? left : choices.slice(0, 1)
  return fc.oneof(...some.map(([, weight, arbitrary]) => ({ weight, arbitrary })))
}

/** Commands that run on any connection. Commands of a transaction and the like are of one slot, and do not wait. */
const command = (only: Ingredients, grouping: "alone" | "one slot" | "together"): fc.Arbitrary<Command> => {
  const waiting: ReadonlyArray<Weighted<Command>> = grouping === "together" ? [] : [
    ["blocking", 3, fc.record({ c: fc.constant("blpop"), slot, ms: fc.constantFrom(50, 500) })]
  ]
  // In a cluster, commands in pipelines are neither split nor emulated.
  const wide: ReadonlyArray<Weighted<Command>> = grouping !== "alone" ? [] : [
    ["split", 3, fc.record({ c: fc.constantFrom("mset", "mget", "del") })],
    ["emulated", 2, fc.record({ c: fc.constant("rename"), slot })],
    ["read", 1, fc.record({ c: fc.constant("echo") })],
    [
      "read",
      1,
      fc.record({ c: fc.constant("long"), times: fc.integer({ min: 5000, max: 40_000 }), bytes: fc.boolean() })
    ]
  ]
  return oneOf<Command>(only, [
    ["write", 6, fc.record({ c: fc.constantFrom("hincrby", "incr", "rpush", "set", "append", "sadd"), slot })],
    ["consume", 1, fc.record({ c: fc.constant("xadd"), slot })],
    ["read", 3, fc.record({ c: fc.constantFrom("get", "exists"), slot })],
    ["script", 3, fc.record({ c: fc.constantFrom("twice", "function", "peek"), slot })],
    ["liar", 1, fc.record({ c: fc.constant("liar"), slot, code: fc.constantFrom(...Faults.madeUp) })],
    ["wrong", 1, fc.record({ c: fc.constant("wrong"), slot })],
    ...waiting,
    ...wide
  ])
}

const keyspaceKinds: ReadonlyArray<KeyspaceKind> = [
  "value",
  "hash",
  "counter",
  "set",
  "setAdd",
  "ranks",
  "ranksAdd",
  "ranksIncrement"
]

const effect = (only: Ingredients): fc.Arbitrary<Effect> => {
  const alone = command(only, "alone")
  const apart = command(only, "one slot")
  const together = command(only, "together")
  const settled = only.has("failFast") ? fc.boolean() : fc.constant(true)
  const inside = only.has("inside")
    ? fc.constantFrom("nothing", "nothing", "nothing", "transaction", "keyspace", "pipeline")
    : fc.constant("nothing")
  return oneOf<Effect>(only, [
    ["one", 5, fc.record({ e: fc.constant("one"), command: alone })],
    ["pipeline", 4, fc.record({ e: fc.constant("pipeline"), commands: list(apart, 0, 4), settled })],
    [
      "transaction",
      3,
      fc.record({ e: fc.constant("transaction"), commands: list(together, 0, 4), settled })
    ],
    [
      "watch",
      3,
      fc.record({
        e: fc.constant("watch"),
        slot,
        body: list(only.has("bodyWrites") ? together : fc.record({ c: fc.constant("get"), slot }), 0, 2),
        commit: list(together, only.has("emptyWatch") ? 0 : 1, 2),
        meddle: only.has("meddling") ? fc.boolean() : fc.constant(false),
        inside
      })
    ],
    [
      "session",
      2,
      fc.record({
        e: fc.constant("session"),
        transaction: fc.boolean(),
        commands: list(apart, 0, 3),
        leave: only.has("leaving")
          ? fc.constantFrom("clean", "watch", "conflict", "conflict", "multi", "select")
          : fc.constant("clean")
      })
    ],
    ["lock", 2, fc.record({ e: fc.constant("lock"), slot, fencing: fc.boolean(), body: list(alone, 0, 2) })],
    [
      "keyspace",
      2,
      fc.record({ e: fc.constant("keyspace"), slot, kind: fc.constantFrom(...keyspaceKinds) })
    ],
    ["publish", 1, fc.record({ e: fc.constant("publish") })],
    ["subscribe", 1, fc.record({ e: fc.constant("subscribe"), ms: fc.constantFrom(50, 500, 5000) })],
    ["consume", 1, fc.record({ e: fc.constant("consume"), ms: fc.constantFrom(50, 500, 5000) })],
    ["crash", 1, fc.record({ e: fc.constant("crash"), ms: fc.constantFrom(50, 500, 900) })]
  ])
}

/** The limits in milliseconds that programs have. */
const limits = [50, 100, 200, 300, 500, 1000, 2000, 5000]

const interruption: fc.Arbitrary<Interruption> = fc.oneof(
  fc.record({ after: fc.constantFrom("turns"), count: fc.nat({ max: 5 }) }),
  fc.record({ after: fc.constantFrom("ms"), count: fc.nat({ max: 30 }) }),
  fc.record({ after: fc.constantFrom("ms", "limit"), count: fc.constantFrom(...limits) }),
  {
    weight: 3,
    arbitrary: fc.record({
      after: fc.constant("reply"),
      count: fc.nat({ max: 5 }),
      side: fc.constantFrom("before", "after")
    })
  },
  fc.record({ after: fc.constant("step") })
)

const step = (only: Ingredients): fc.Arbitrary<Step> =>
  fc.record({
    effect: effect(only),
    recipe: fc.constantFrom("none", "safe", "safe", "retryable"),
    interruption: only.has("interruption")
      ? fc.option(interruption, { nil: undefined, freq: 2 })
      : fc.constant(undefined),
    pause: fc.constantFrom(0, 0, 0, 1, 5, 100)
  })

const settings = (only: Ingredients): fc.Arbitrary<Settings> =>
  fc.record({
    protocol: fc.constantFrom(3, 3, 2),
    shared: fc.constantFrom(1, 1, 2),
    max: fc.constantFrom(50, 50, 4),
    commandTimeout: only.has("timeout") ? fc.constantFrom(undefined, 30, 100, 1000) : fc.constant(undefined),
    inFlight: fc.constantFrom(undefined, undefined, 2),
    retryOnTimeout: only.has("again") ? fc.constantFrom(false, false, false, true) : fc.constant(false),
    replicas: only.has("replicas") ? fc.boolean() : fc.constant(false),
    far: only.has("far") ? fc.constantFrom(false, false, true) : fc.constant(false),
    scripts: only.has("forgetting") ? fc.constantFrom(undefined, undefined, 0, 1) : fc.constant(undefined),
    closeAt: only.has("closing")
      ? fc.constantFrom(...Array(12).fill(undefined), 3, 50, 400)
      : fc.constant(undefined)
  }).map((settings) =>
    // Where servers are far away, two unanswered commands at a time are too few for three callers: all of them run out of time for ever.
    settings.inFlight === undefined ? settings : { ...settings, far: false }
  )

const events: ReadonlyArray<Weighted<Event["kind"]>> = [
  ["cutAll", 4, fc.constant("kill")],
  ["flush", 1, fc.constant("flush")],
  ["stall", 1, fc.constant("pause")],
  ["unblock", 1, fc.constant("unblock")],
  ["failover", 1, fc.constant("move")]
]

const event = (only: Ingredients): fc.Arbitrary<Event> =>
  fc.record({
    at: fc.nat({ max: 60 }),
    kind: oneOf(only, events),
    which: fc.nat({ max: 5 })
  })

/**
 * The ingredients of one program: all of them, or only some. With fewer ingredients, events that take several of the
 * same kind are more common.
 */
const some = (only: Ingredients): fc.Arbitrary<Ingredients> => {
  const isEffect = (name: string) => effects.has(name)
  return fc.oneof(
    fc.constant(only),
    fc.tuple(fc.subarray([...only].filter(isEffect), { minLength: 1 }), fc.subarray([...only])).map(
      ([effects, others]) => new Set([...effects, ...others.filter((name) => !isEffect(name))])
    )
  )
}

const programOf = (deployment: Deployment, only: Ingredients, form: Form): fc.Arbitrary<Program> =>
  fc.record({
    deployment: fc.constant(deployment),
    seed: fc.nat({ max: 9999 }),
    settings: settings(only),
    fibers: list(list(step(only), 1, 3), 1, 5),
    faults: form === "fake" ? Faults.arbitrary(only) : fc.constant([]),
    cuts: form === "real" ? Proxy.arbitrary(only) : fc.constant([]),
    events: form === "real" && events.some(([name]) => only.has(name)) ? list(event(only), 0, 3) : fc.constant([])
  })

/** Programs of these ingredients. */
export const arbitrary = (deployment: Deployment, only: Ingredients, form: Form = "fake"): fc.Arbitrary<Program> =>
  fc.noBias(some(only).chain((chosen) => programOf(deployment, chosen, form)))
