/**
 * The pub/sub of a client: its subscriptions, each with its messages and the channels that it has.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as RedisArg from "../../RedisArg.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { DataError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Element, Kind, Options, PubSub, Subscription } from "../../RedisPubSub.ts"
import type { Spread, Subscribers } from "../client/router.ts"
import { nameOf } from "../codec/names.ts"
import { decodeUtf8Strict, isBytes } from "../codec/utf8.ts"
import { pingOf } from "../connection/ping.ts"
import { clientClosed, failureOf, timeLimit } from "../error/events.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import { Turns } from "../runtime/turns.ts"
import { subscribing, unsubscribing } from "./commands.ts"
import type * as Link from "./link.ts"
import { Links } from "./links.ts"
import * as Mailbox from "./mailbox.ts"
import { shown } from "./message.ts"
import { topicName } from "./topic.ts"
import type { Receiver, Topic } from "./topic.ts"

/** Makes the pub/sub of a client, which lives as long as the scope. */
export const make = Effect.fnUntraced(function*(
  subscribers: Subscribers,
  settings: ConnectionSettings,
  execute: <A>(command: RedisCommand.RedisCommand<A>) => Effect.Effect<A, CommandError>
): Effect.fn.Return<PubSub, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const shared = new Links(subscribers, settings, scope, context)
  const open = new Set<Links>([shared])
  const limited = limitedBy(settings, Context.get(context, Clock.Clock))
  let closed = false
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      for (const links of open) links.close()
    })
  )

  /** Connections for one subscription, which end with it and with the client. */
  const own = Effect.acquireRelease(
    Effect.map(Scope.fork(scope), (scope) => {
      const links = new Links(subscribers, settings, scope, context)
      open.add(links)
      return { links, scope }
    }),
    ({ links, scope }) =>
      Effect.andThen(
        Effect.sync(() => {
          open.delete(links)
          links.close()
        }),
        Scope.close(scope, Exit.void)
      )
  )

  const opening = (spread?: Spread) => <const O extends Options>(options: O) =>
    Effect.gen(function*() {
      yield* checkBuffer(options)
      if (spread !== undefined) yield* limited("PSUBSCRIBE", spread.known)
      if (closed) return yield* clientClosed()
      const links = options.buffer?.onFull === "suspend" ? (yield* own).links : shared
      // The mailbox yields this type with these options.
      return (yield* subscription(links, { settings, limited, spread }, options)) as Subscription<Element<O>>
    })

  const { spread } = subscribers
  return {
    open: opening(),
    everywhere: {
      open: opening(spread),
      execute: (server, command) => spread === undefined ? execute(command) : spread.execute(server, command),
      listensTo: spread && ((server) => spread.servers().includes(server)),
      database: settings.db
    }
  }
})

/** - `spread`: where there are channels of events that each server reports only for itself, if it is for these. They are refused otherwise. */
interface Opening {
  readonly settings: ConnectionSettings
  readonly limited: ReturnType<typeof limitedBy>
  readonly spread: Spread | undefined
}

const defaultCapacity = 16_384
const defaultCapacityBytes = 64 * 1024 * 1024

const capacities = ["capacity", "capacityBytes"] as const

const checkBuffer = (options: Options): Effect.Effect<void, DataError> => {
  const { buffer, payload } = options
  const unfit = capacities.find((name) => {
    const capacity = buffer?.[name] ?? 1
    return !Number.isInteger(capacity) || capacity < 1
  })
  // A type parameter stands for the options, and lets these pass.
  const misplaced = [...capacities, "onFull"].find((name) => name in options)
  return misplaced !== undefined
    ? refuse("SUBSCRIBE", `${misplaced} belongs in buffer: { buffer: { ${misplaced}: … } }`)
    : unfit !== undefined
    ? refuse("SUBSCRIBE", `buffer.${unfit} is ${buffer?.[unfit]}, and not an integer of at least 1`)
    : !["fail", "suspend", "dropOldest", "dropNewest"].includes(buffer?.onFull ?? "fail")
    ? refuse("SUBSCRIBE", `buffer.onFull is ${String(buffer?.onFull)}, which is none of its choices`)
    : !["text", "bytes"].includes(payload ?? "text")
    ? refuse("SUBSCRIBE", `payload is ${String(payload)}, which is none of its choices`)
    : Effect.void
}

const refuse = (command: string, detail: string): Effect.Effect<never, DataError> =>
  Effect.fail(new DataError({ command, detail }))

/** What one subscription has on the connections that it uses. */
class Subscribed {
  readonly mailbox: Mailbox.Mailbox
  readonly #links: Links
  readonly #opening: Opening
  readonly #receiver: Receiver
  readonly #turns = new Turns()

  constructor(links: Links, opening: Opening, { buffer, events, payload }: Options) {
    const suspends = buffer?.onFull === "suspend"
    this.#links = links
    this.#opening = opening
    this.mailbox = new Mailbox.Mailbox({
      capacity: buffer?.capacity ?? defaultCapacity,
      capacityBytes: buffer?.capacityBytes ?? defaultCapacityBytes,
      onFull: buffer?.onFull ?? "fail",
      events: events ?? false,
      channels: () => {
        const topics = new Map(this.#topics().map((topic) => [topicName(topic), topic]))
        return Array.from(topics.values(), (topic) => shown(this.#receiver, topic))
      },
      onRoom: () => {
        if (suspends) { for (const link of links.all) link.proceed() }
      }
    })
    this.#receiver = { mailbox: this.mailbox, bytes: payload === "bytes" }
    if (suspends) links.throttleBy(this.#receiver)
  }

  /** Whether it has any channels. */
  get hasChannels(): boolean {
    return this.#links.all.some(({ hub }) => hub.serves(this.#receiver))
  }

  /** Leaves everything, and waits for nothing. */
  end(): void {
    for (const { hub } of this.#links.all) hub.leave(this.#receiver, hub.topicsOf(this.#receiver))
  }

  /**
   * Subscribes on all connections at once, and to none when one of them fails. Calls for the same name wait for each
   * other, as each takes back what it alone has added.
   */
  add(kind: Kind, given: RedisArg.Many<RedisArg.Key>): Effect.Effect<void, CommandError> {
    const { limited, settings, spread } = this.#opening
    return Effect.gen({ self: this }, function*() {
      const command = subscribing[kind].spec.name
      const keys = RedisArg.many(given)
      yield* checkKeys(command, keys, this.#receiver, settings)
      const refusal = spread === undefined ? this.#links.refusal(kind, keys) : undefined
      if (refusal !== undefined) return yield* Effect.fail(refusal)
      const ids = keys.map(nameOf)
      const names = ids.map((id) => topicName({ kind, id }))
      yield* limited(command, this.#turns.run(names, Effect.suspend(() => this.#join(kind, keys, ids))))
    })
  }

  #join(
    kind: Kind,
    keys: ReadonlyArray<RedisArg.Key>,
    ids: ReadonlyArray<string>
  ): Effect.Effect<void, CommandError> {
    this.mailbox.reopen()
    const { all } = this.#links
    const added = ids.filter((id) => !all.some(({ hub }) => hub.find(kind, id)?.has(this.#receiver) === true))
    const undo = Effect.sync(() => {
      for (const link of this.#links.all) link.hub.leave(this.#receiver, topicsIn(link, kind, added))
    })
    const join = Effect.suspend(() =>
      Effect.all(
        Array.from(this.#links.route(kind, keys), ([link, some]) => link.join(this.#receiver, kind, some)),
        // All links are joined at once: where a name is subscribed to everywhere, no server must look forgotten.
        { concurrency: "unbounded", discard: true }
      )
    )
    const joined = insisting(
      Effect.tapError(join, () => undo),
      this.#links.retry(subscribing[kind].spec.name, kind, keys)
    )
    return Effect.onError(Effect.andThen(this.#links.known(kind, keys), joined), () => undo)
  }

  remove(kind: Kind, given: RedisArg.Many<RedisArg.Key>): Effect.Effect<void, CommandError> {
    return Effect.gen({ self: this }, function*() {
      const ids = RedisArg.many(given).map(nameOf)
      const leaving = this.#links.all.map((link) =>
        link.leave(
          this.#receiver,
          given.length === 0 ? link.hub.topicsOf(this.#receiver, kind) : topicsIn(link, kind, ids)
        )
      )
      // All links are left at once: a server that does not answer must not keep the others sending.
      const left = Effect.all(leaving, { concurrency: "unbounded", discard: true })
      yield* this.#opening.limited(unsubscribing[kind].spec.name, left)
      if (!this.hasChannels) this.mailbox.finish()
    })
  }

  ping(message: RedisArg.Value | undefined): Effect.Effect<string, CommandError> {
    return Effect.suspend(() => {
      const links = this.#links
      const command = pingOf(message)
      const once = Effect.suspend(() => {
        const link = links.all.find(({ hub }) => hub.serves(this.#receiver)) ?? links.at(links.anyServer)
        return link.execute(command)
      })
      return command.settled ?? this.#opening.limited("PING", insisting(once, links.retry("PING", "subscribe", [])))
    })
  }

  #topics(): ReadonlyArray<Topic> {
    return this.#links.all.flatMap(({ hub }) => hub.topicsOf(this.#receiver))
  }
}

/** Runs an effect that does no harm when it is repeated, and again as long as the deployment says where. */
const insisting = <A>(
  once: Effect.Effect<A, CommandError>,
  retry: (error: CommandError) => Effect.Effect<void, CommandError>
): Effect.Effect<A, CommandError> => Effect.catch(once, (error) => Effect.andThen(retry(error), insisting(once, retry)))

/** The topics of these names on a connection, whoever receives them. */
const topicsIn = ({ hub }: Link.Link, kind: Kind, ids: ReadonlyArray<string>): ReadonlyArray<Topic> =>
  ids.flatMap((id) => hub.find(kind, id) ?? [])

const subscription = Effect.fnUntraced(function*(
  links: Links,
  opening: Opening,
  options: Options
): Effect.fn.Return<Subscription<Mailbox.Element>, never, Scope.Scope> {
  const subscribed = new Subscribed(links, opening, options)
  yield* Effect.addFinalizer(() => Effect.sync(() => subscribed.end()))
  return {
    messages: Stream.fromPull(Effect.succeed(subscribed.mailbox.take)),
    subscribe: (...given) => subscribed.add("subscribe", given),
    psubscribe: (...given) => subscribed.add("psubscribe", given),
    ssubscribe: (...given) => subscribed.add("ssubscribe", given),
    unsubscribe: (...given) => subscribed.remove("subscribe", given),
    punsubscribe: (...given) => subscribed.remove("psubscribe", given),
    sunsubscribe: (...given) => subscribed.remove("ssubscribe", given),
    ping: (message) => subscribed.ping(message),
    subscribed: Effect.sync(() => subscribed.hasChannels)
  }
})

/** Limits a subscription by the command timeout, and names the command in errors. Subscribing twice does no harm. */
const limitedBy = (settings: ConnectionSettings, clock: Clock.Clock) =>
<A>(
  name: string,
  effect: Effect.Effect<A, CommandError>
): Effect.Effect<A, CommandError> => {
  const spec = { name, readonly: true }
  const named = Effect.mapError(
    effect,
    (error) => failureOf(error, spec, "delivery" in error ? error.delivery ?? "not-sent" : "not-sent")
  )
  const limit = Duration.toMillis(settings.commandTimeout)
  return withTimeout(named, {
    clock,
    limit,
    orElse: () => Effect.fail(failureOf(timeLimit("read", limit), spec, "unknown"))
  })
}

const checkKeys = (
  command: string,
  keys: ReadonlyArray<RedisArg.Key>,
  { bytes }: Receiver,
  { textDecoding }: ConnectionSettings
): Effect.Effect<void, CommandError> => {
  if (keys.length === 0) return refuse(command, "needs at least one channel")
  if (!keys.every((key) => typeof key === "string" ? key.isWellFormed() : isBytes(key))) {
    return refuse(command, "a channel must be text or bytes")
  }
  return bytes || textDecoding === "replace" || keys.every(isText)
    ? Effect.void
    : refuse(command, `the name of a channel is not valid UTF-8; payload: "bytes" tells it as it is`)
}

const isText = (key: RedisArg.Key): boolean =>
  typeof key === "string" || decodeUtf8Strict(key, 0, key.length) !== undefined
