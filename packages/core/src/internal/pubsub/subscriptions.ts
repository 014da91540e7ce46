/**
 * The pub/sub of a client. It decides which subscription is on which connection.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
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
import { clientClosed, connectionLoss, failureOf, timeLimit } from "../error/events.ts"
import { backOff } from "../runtime/backOff.ts"
import { elapsed, withTimeout } from "../runtime/elapsed.ts"
import { fork, runNow } from "../runtime/ownContext.ts"
import { Turns } from "../runtime/turns.ts"
import { subscribing, unsubscribing } from "./commands.ts"
import * as Link from "./link.ts"
import * as Mailbox from "./mailbox.ts"
import { shown } from "./message.ts"
import { serversOf } from "./servers.ts"
import { topicName } from "./topic.ts"
import type { Receiver, Topic } from "./topic.ts"

/** The number of moves of a channel in a row that are made at once, the pauses before others, and the time that one lasts. */
const movesAtOnce = 4
const movePauses = { shortest: 50, longest: 1000 }
const lasting = 2000

/** The connections of some subscriptions, by server. */
class Links {
  readonly #subscribers: Subscribers
  readonly #settings: ConnectionSettings
  readonly #scope: Scope.Scope
  readonly #context: Context.Context<never>
  readonly #links = new Map<string, { readonly link: Link.Link; readonly fiber: Fiber.Fiber<never> | undefined }>()
  /** The connections whose channels are being looked after, as other servers seem to have some of them. */
  readonly #inDoubt = new Set<Link.Link>()
  #throttle: Receiver | undefined = undefined
  #closed = false
  readonly #unfollow: (() => void) | undefined

  constructor(
    subscribers: Subscribers,
    settings: ConnectionSettings,
    scope: Scope.Scope,
    context: Context.Context<never>
  ) {
    this.#subscribers = subscribers
    this.#settings = settings
    this.#scope = scope
    this.#context = context
    this.#unfollow = subscribers.onChange?.(() => {
      this.#follow()
      for (const link of this.all) if (link.hub.all.some((topic) => this.#isStray(link, topic))) this.#bringHome(link)
    })
  }

  get all(): ReadonlyArray<Link.Link> {
    return Array.from(this.#links.values(), ({ link }) => link)
  }

  /** The name that stands for any server. */
  get anyServer(): string {
    return this.#subscribers.serverFor("subscribe", "")
  }

  /** The reason why one of the channels cannot be subscribed to. */
  refusal(kind: Kind, keys: ReadonlyArray<RedisArg.Key>): CommandError | undefined {
    const { refuses } = this.#subscribers
    if (refuses === undefined) return undefined
    for (const key of keys) {
      const refusal = refuses(kind, key)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  /** Suspends until it is known where channels belong. */
  known(kind: Kind, keys: ReadonlyArray<RedisArg.Key>): Effect.Effect<void, CommandError> {
    return this.#subscribers.known?.(kind, keys) ?? Effect.void
  }

  /** Channels by the links that they belong on. */
  route(kind: Kind, keys: ReadonlyArray<RedisArg.Key>): ReadonlyMap<Link.Link, ReadonlyArray<RedisArg.Key>> {
    const routes = new Map<Link.Link, Array<RedisArg.Key>>()
    for (const key of keys) {
      for (const server of serversOf(this.#subscribers, kind, key)) {
        const link = this.at(server)
        const route = routes.get(link)
        if (route === undefined) routes.set(link, [key])
        else route.push(key)
      }
    }
    return routes
  }

  /** Waits after each failed try of a command that subscribes, or of another one that has to do with channels, or fails. */
  retry(
    name: string,
    kind: Kind,
    keys: ReadonlyArray<RedisArg.Key>
  ): (error: CommandError) => Effect.Effect<void, CommandError> {
    return this.#subscribers.retry?.(name, kind, keys) ?? Effect.fail
  }

  /** Reads no faster than a receiver takes, also from servers that its channels move to. It has these connections alone. */
  throttleBy(receiver: Receiver): void {
    this.#throttle = receiver
  }

  /** The link to a server. It opens nothing before it is used. */
  at(server: string): Link.Link {
    const known = this.#links.get(server)
    if (known !== undefined) return known.link
    this.#forget()
    const link = new Link.Link({
      server,
      settings: this.#settings,
      subscribers: this.#subscribers,
      onConfirmed: (topics) => this.#confirmed(link, topics),
      onMoved: (topic) => this.#rehome(link, topic)
    })
    if (this.#throttle !== undefined) link.throttleBy(this.#throttle)
    if (this.#closed) link.close()
    const fiber = this.#closed
      ? undefined
      : runNow(this.#context)(Effect.forkIn(link.run, this.#scope, { startImmediately: true }))
    this.#links.set(server, { link, fiber })
    return link
  }

  /**
   * Drops the links to servers that are of no use any more, because servers may come and go as long as the client
   * lives.
   */
  #forget(): void {
    const { isServer } = this.#subscribers
    if (isServer === undefined) return
    for (const [server, { fiber, link }] of this.#links) {
      if (!link.unused || isServer(server)) continue
      this.#links.delete(server)
      // The callers that are about to subscribe there look for another server.
      link.close(connectionLoss("Closed", "The server takes no subscriptions any more", server))
      fiber?.interruptUnsafe()
    }
  }

  close(): void {
    this.#closed = true
    this.#unfollow?.()
    for (const link of this.all) link.close()
  }

  /** Subscribes to a shard channel where it is now, after its server has given it up. */
  #rehome(from: Link.Link, topic: Topic): void {
    const { moved, serverFor, spread } = this.#subscribers
    if (spread?.includes(topic.kind, topic.key) === true) return this.#follow()
    const pause = this.#pauseBefore(topic)
    const isAsked = () => moved !== undefined && this.at(serverFor(topic.kind, topic.key)) === from
    if (pause === 0 && !isAsked()) return this.#move(from, topic)
    this.#fork(Effect.gen({ self: this }, function*() {
      if (pause > 0) yield* Effect.sleep(pause)
      if (isAsked()) yield* moved?.(from.server) ?? Effect.void
      // The channel may not be wanted any more, or a new connection may have asked for it.
      if (from.hub.find(topic.kind, topic.id) === topic && topic.state === "Wanted") this.#move(from, topic)
    }))
  }

  /**
   * The milliseconds to wait before a channel moves once more. Servers that contradict each other, or take a channel and
   * give it up at once, must not be asked without end.
   */
  #pauseBefore(topic: Topic): number {
    const now = elapsed(Context.get(this.#context, Clock.Clock))
    topic.moves = now - topic.movedAt > lasting ? 0 : topic.moves + 1
    topic.movedAt = now
    return topic.moves < movesAtOnce ? 0 : backOff(topic.moves - movesAtOnce, movePauses)
  }

  #confirmed(link: Link.Link, topics: ReadonlyArray<Topic>): void {
    // All are of one kind, and there is at least one.
    const told = this.#subscribers.confirmed?.(topics[0]!.kind, link.server)
    if (told !== undefined) this.#fork(told)
    if (topics.some((topic) => this.#isStray(link, topic))) this.#bringHome(link)
  }

  /** Whether another server seems to have a shard channel that its own has not given up. */
  #isStray({ server }: Link.Link, { key, kind, state }: Topic): boolean {
    const { isServer, serverFor } = this.#subscribers
    if (kind !== "ssubscribe" || state !== "Active" || isServer?.(server) !== true) return false
    const owner = serverFor(kind, key)
    return owner !== server && isServer(owner)
  }

  /**
   * Moves shard channels to the servers that have them by now. Their own may be cut off from the others, and would never
   * say so. What is known may also be older than what their own server knows, so both are asked first.
   */
  #bringHome(link: Link.Link): void {
    if (this.#inDoubt.has(link)) return
    this.#inDoubt.add(link)
    const ownerOf = ({ key, kind }: Topic) => this.#subscribers.serverFor(kind, key)
    const strays = () => link.hub.all.filter((topic) => this.#isStray(link, topic))
    const bringing = Effect.gen({ self: this }, function*() {
      for (let [stray] = strays(); stray !== undefined; [stray] = strays()) {
        const owner = ownerOf(stray)
        yield* this.#subscribers.moved?.(link.server, owner) ?? Effect.void
        link.hub.release(strays().filter((topic) => ownerOf(topic) === owner))
        link.proceed()
      }
    })
    this.#fork(Effect.ensuring(bringing, Effect.sync(() => this.#inDoubt.delete(link))))
  }

  #fork(effect: Effect.Effect<void>): void {
    fork(this.#context)(Effect.forkIn(effect, this.#scope, { startImmediately: true }))
  }

  /**
   * Subscribes to the events that each server reports only for itself on all present servers, and no longer on the
   * others. New servers come first, so that at no time events are lost in silence.
   */
  #follow(): void {
    const { spread } = this.#subscribers
    const servers = spread?.servers() ?? []
    if (spread === undefined || servers.length === 0) return
    const wanted = this.#spreadOver(spread, this.all)
    for (const server of wanted.size === 0 ? [] : servers) {
      const { hub } = this.at(server)
      for (const [receiver, topics] of wanted) hub.extend(receiver, [...topics.values()])
    }
    for (const link of this.all) {
      if (servers.includes(link.server)) continue
      for (const [receiver, topics] of this.#spreadOver(spread, [link])) link.hub.leave(receiver, topics.values())
    }
  }

  /** The topics on some of these links, by receiver and by name. */
  #spreadOver(
    { includes }: Spread,
    links: ReadonlyArray<Link.Link>
  ): ReadonlyMap<Receiver, ReadonlyMap<string, Topic>> {
    const wanted = new Map<Receiver, Map<string, Topic>>()
    for (const topic of links.flatMap(({ hub }) => hub.all)) {
      if (!includes(topic.kind, topic.key)) continue
      for (const receiver of topic.receivers) {
        const topics = wanted.get(receiver) ?? new Map<string, Topic>()
        wanted.set(receiver, topics.set(topicName(topic), topic))
      }
    }
    return wanted
  }

  #move(from: Link.Link, topic: Topic): void {
    const to = this.at(this.#subscribers.serverFor(topic.kind, topic.key))
    if (to === from) from.hub.resubscribe(topic)
    else to.hub.adopt(topic, from.hub.surrender(topic))
  }
}

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

  const { spread } = subscribers
  const opening = (isSpread: boolean) => <const O extends Options>(options: O) =>
    Effect.gen(function*() {
      yield* checkBuffer(options)
      if (isSpread && spread !== undefined) yield* limited("PSUBSCRIBE", spread.known)
      if (closed) return yield* clientClosed()
      const links = options.buffer?.onFull === "suspend" ? (yield* own).links : shared
      // The mailbox yields this type with these options.
      return (yield* subscription(links, { settings, limited, isSpread }, options)) as Subscription<Element<O>>
    })

  return {
    open: opening(false),
    everywhere: {
      open: opening(true),
      execute: (server, command) => spread === undefined ? execute(command) : spread.execute(server, command),
      listensTo: spread && ((server) => spread.servers().includes(server)),
      database: settings.db
    }
  }
})

/** - `isSpread`: whether it is for channels of events that each server reports only for itself, which are refused otherwise. */
interface Opening {
  readonly settings: ConnectionSettings
  readonly limited: ReturnType<typeof limitedBy>
  readonly isSpread: boolean
}

const defaultCapacity = 16_384

const checkBuffer = (options: Options): Effect.Effect<void, DataError> => {
  const { buffer, payload } = options
  const capacity = buffer?.capacity ?? 1
  // A type parameter stands for the options, and lets these pass.
  const misplaced = ["capacity", "onFull"].find((name) => name in options)
  return misplaced !== undefined
    ? refuse("SUBSCRIBE", `${misplaced} belongs in buffer: { buffer: { ${misplaced}: … } }`)
    : !Number.isInteger(capacity) || capacity < 1
    ? refuse("SUBSCRIBE", `buffer.capacity is ${capacity}, and not an integer of at least 1`)
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
    const { isSpread, limited, settings } = this.#opening
    return Effect.gen({ self: this }, function*() {
      const command = subscribing[kind].spec.name
      const keys = RedisArg.many(given)
      yield* checkKeys(command, keys, this.#receiver, settings)
      const refusal = isSpread ? undefined : this.#links.refusal(kind, keys)
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
    (error) => "delivery" in error ? failureOf(error, spec, error.delivery) : error
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
  { replaceInvalidText }: ConnectionSettings
): Effect.Effect<void, CommandError> => {
  if (keys.length === 0) return refuse(command, "needs at least one channel")
  if (!keys.every((key) => typeof key === "string" ? key.isWellFormed() : isBytes(key))) {
    return refuse(command, "a channel must be text or bytes")
  }
  return bytes || replaceInvalidText || keys.every(isText)
    ? Effect.void
    : refuse(command, `the name of a channel is not valid UTF-8; payload: "bytes" tells it as it is`)
}

const isText = (key: RedisArg.Key): boolean =>
  typeof key === "string" || decodeUtf8Strict(key, 0, key.length) !== undefined
