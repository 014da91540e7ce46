/**
 * The connections of subscriptions, and on which of them each channel is: it goes along when its channel moves to another server.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as RedisArg from "../../RedisArg.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Kind } from "../../RedisPubSub.ts"
import type { Spread, Subscribers } from "../client/router.ts"
import { connectionLoss } from "../error/events.ts"
import { backOff } from "../runtime/backOff.ts"
import { elapsed } from "../runtime/elapsed.ts"
import { fork, runNow } from "../runtime/ownContext.ts"
import * as Link from "./link.ts"
import { serversOf } from "./servers.ts"
import { topicName } from "./topic.ts"
import type { Receiver, Topic } from "./topic.ts"

/** The number of moves of a channel in a row that are made at once, the pauses before others, and the time that one lasts. */
const movesAtOnce = 4
const movePauses = { shortest: 50, longest: 1000 }
const lasting = 2000

/** The connections of some subscriptions, by server. */
export class Links {
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
