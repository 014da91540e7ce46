/**
 * A server for locks, whose time is the test's.
 */
import * as Client from "@redfx/testing/Client"
import * as FakeClient from "@redfx/testing/FakeClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Scripts from "../../src/internal/lock/scripts.ts"
import type { RedisClient } from "../../src/RedisClient.ts"
import type { CommandError } from "../../src/RedisError.ts"
import type * as Resp from "../../src/Resp.ts"

interface Entry {
  readonly value: string
  readonly expiresAt: number
}

/** What a fake server holds, and what was asked of it. */
export class Store {
  readonly entries = new Map<string, Entry>()
  readonly log: Array<string> = []
  readonly now: () => number
  /** While set, every command fails with it; `"silent"` answers nothing, `"still"` runs what has come when it goes on. */
  outage: CommandError | "silent" | "still" | undefined = undefined
  readonly #come: Array<() => void> = []
  /** What commands of a name fail with. */
  readonly refused = new Map<string, CommandError>()
  /** How many commands each pipeline had. */
  readonly pipelines: Array<number> = []

  constructor(now: () => number) {
    this.now = now
  }

  /** Runs what is sent, at once or when the server goes on. Nobody takes back what was sent. */
  run(act: () => Resp.Value): Effect.Effect<Resp.Value> {
    return Effect.callback((resume) => {
      const run = () => resume(Effect.succeed(act()))
      if (this.outage === "still") this.#come.push(run)
      else run()
    })
  }

  /** Ends that the server stands still. */
  goesOn(): void {
    this.outage = undefined
    for (const run of this.#come.splice(0)) run()
  }

  get(key: string): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry !== undefined && entry.expiresAt > this.now()) return entry
    this.entries.delete(key)
    return undefined
  }

  put(key: string, value: string, milliseconds: number): void {
    this.entries.set(key, { value, expiresAt: milliseconds > 0 ? this.now() + milliseconds : Infinity })
  }

  timeLeft(key: string): number | undefined {
    const entry = this.get(key)
    return entry === undefined ? undefined : entry.expiresAt - this.now()
  }
}

/** The scripts in TypeScript; the text of each is run by real servers in the live tests. */
const scripts: Record<string, (store: Store, keys: ReadonlyArray<string>, args: ReadonlyArray<string>) => number> = {
  [Scripts.acquireFenced.sha1]: (store, [name, counter], [token, milliseconds]) => {
    if (store.get(name!) !== undefined) return 0
    // Its TIME stands at zero, so that tests can count.
    const fencingToken = Number(store.get(counter!)?.value ?? 0) + 1
    store.put(counter!, String(fencingToken), 0)
    store.put(name!, token!, Number(milliseconds))
    return fencingToken
  },
  [Scripts.release.sha1]: (store, [name], [token]) => {
    if (store.get(name!)?.value !== token) return 0
    store.entries.delete(name!)
    return 1
  },
  [Scripts.extend.sha1]: (store, [name], [token, milliseconds, mode]) => {
    const entry = store.get(name!)
    if (entry?.value !== token || entry?.expiresAt === Infinity) return 0
    const left = store.timeLeft(name!)!
    const wanted = Number(milliseconds) + (mode === "add" ? left : 0)
    store.put(name!, entry!.value, mode === "atLeast" ? Math.max(left, wanted) : wanted)
    return 1
  }
}

const answer = (store: Store, name: string, args: ReadonlyArray<string>): Resp.Value => {
  switch (name) {
    case "SET": {
      const px = args.indexOf("PX")
      if (args.includes("NX") && store.get(args[0]!) !== undefined) return null
      store.put(args[0]!, args[1]!, px < 0 ? 0 : Number(args[px + 1]))
      return "OK"
    }
    case "GET": {
      const value = store.get(args[0]!)?.value
      // A status is text like any other to who reads text.
      return value ?? null
    }
    case "EXISTS":
      return store.get(args[0]!) === undefined ? 0 : 1
    case "EVALSHA": {
      const keys = Number(args[1])
      return scripts[args[0]!]!(store, args.slice(2, 2 + keys), args.slice(2 + keys))
    }
    default:
      throw new Error(`unexpected ${name}`)
  }
}

/** A client of a fake server, and one of another program. `act` is run after each command, before its answer arrives. */
export const fake = Effect.fnUntraced(function*(act: (name: string) => Effect.Effect<unknown> = () => Effect.void) {
  const clock = yield* Clock.Clock
  const store = new Store(() => clock.currentTimeMillisUnsafe())
  const service = FakeClient.make((command) => {
    if (store.outage === "silent") return Effect.never
    if (store.outage !== undefined && store.outage !== "still") return Effect.fail(store.outage)
    const refusal = store.refused.get(command.spec.name)
    if (refusal !== undefined) return Effect.fail(refusal)
    const args = FakeClient.wordsOf(command)
    const reply = store.run(() => {
      store.log.push([command.spec.name, ...args].join(" "))
      return answer(store, command.spec.name, args)
    })
    return Effect.tap(reply, () => act(command.spec.name))
  }, {
    pipeline: (commands) => {
      store.pipelines.push(commands.length)
      return Effect.forEach(commands, (command) => Effect.exit(service.execute(command)))
    },
    events: Stream.empty
  })
  // Without jitter, unless a test asks for it.
  const runOn = (client: RedisClient["Service"]) => <A, E, R>(effect: Effect.Effect<A, E, R>, random = 0) =>
    effect.pipe(Client.on(client), FakeClient.withChance(random))
  return { store, run: runOn(service), runElsewhere: runOn({ ...service }) }
})
