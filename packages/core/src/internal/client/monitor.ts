/**
 * Connections that turn into feeds: after MONITOR the server sends lines that
 * no command asked for.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { monitorEvent } from "../../commands/replies/MonitorEvent.ts"
import type { RedisClient } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { PubSubOverflowError } from "../../RedisError.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import type { MonitorOptions } from "../../RedisMonitor.ts"
import * as RedisReply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import { count, readOptions } from "../argument/options.ts"
import * as Connection from "../connection/connection.ts"
import type { RedisConnection } from "../connection/model.ts"
import { watchSilence } from "../connection/silence.ts"
import { clientClosed, timeLimit } from "../error/events.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import { Once } from "../runtime/once.ts"
import type { Subscribers } from "./router.ts"

// The command has no traits, because the connection is used by this feed alone.
const command = RedisCommand.make({
  spec: new RedisCommand.Spec("MONITOR", []),
  args: () => [],
  reply: RedisReply.ok
})

// This command is never sent: lines are decoded by it, and errors name it.
const event = RedisCommand.make({ spec: command.spec, args: () => [], reply: monitorEvent })

const defaultCapacity = 16_384

type OnFull = NonNullable<MonitorOptions["onFull"]>

type Lines = Queue.Queue<Resp.Value, CommandError | PubSubOverflowError>

/** Makes the feeds of a client. Feeds that still run when the scope closes fail. */
export const make = Effect.fnUntraced(function*(
  subscribers: Subscribers,
  settings: ConnectionSettings
): Effect.fn.Return<RedisClient["Service"]["monitor"], never, Scope.Scope> {
  // Each has a scope of its own: that of the stream stays open for as long as nobody asks for the next line.
  const feeds = new Set<Scope.Closeable>()
  const clock = yield* Clock.Clock
  const limit = Duration.toMillis(settings.commandTimeout)
  const closing = new Once<never, CommandError>()
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      closing.end(Exit.fail(clientClosed()))
      return Effect.forEach(feeds, (feed) => Scope.close(feed, Exit.void), { discard: true })
    })
  )

  const connect = Effect.fnUntraced(function*(lines: Lines, take: (value: Resp.Value, owed: boolean) => boolean) {
    const connection = yield* subscribers.connect(subscribers.serverFor("subscribe", ""), {
      feed: true,
      onUnasked: take
    })
    const { address, protocol } = connection
    let error: CommandError | undefined = undefined
    yield* Effect.acquireRelease(
      Effect.sync(() => subscribers.onEvent({ _tag: "Connected", address, protocol })),
      () => {
        subscribers.onEvent({ _tag: "Disconnected", address, error })
        return Queue.fail(lines, clientClosed())
      }
    )
    yield* withTimeout(Connection.run(connection, command), {
      clock,
      limit,
      orElse: () => Effect.fail(timeLimit("read", limit))
    })
    yield* Effect.forkScoped(watchLiveness(connection, subscribers, settings))
    yield* Effect.forkScoped(Effect.flatMap(connection.lost, (loss) => {
      error = loss
      return Queue.fail(lines, loss)
    }))
  })

  return (options) =>
    Stream.unwrap(Effect.gen(function*() {
      const { capacity = defaultCapacity, onFull = "fail" } = options
      const lines = yield* bufferOf(capacity, onFull)
      const feed = yield* Scope.fork(yield* Effect.scope)
      yield* Scope.addFinalizer(feed, Effect.sync(() => feeds.delete(feed)))
      feeds.add(feed)
      const connected = connect(lines, offerTo(lines, capacity, onFull))
      yield* Effect.raceFirst(closing.outcome, Scope.provide(connected, feed))
      return Stream.mapEffect(Stream.fromQueue(lines), (line) => RedisCommand.decode(event, line))
    }))
})

/**
 * Ends a feed whose server says nothing for long and does not answer a PING. The PING goes over another connection,
 * because on the feed's own connection its answer could not be told from a line.
 */
const watchLiveness = (
  connection: RedisConnection,
  subscribers: Subscribers,
  { livenessTimeout }: ConnectionSettings
): Effect.Effect<void> => {
  if (!Duration.isFinite(livenessTimeout)) return Effect.void
  const limit = Duration.toMillis(livenessTimeout)
  const probe = Effect.scoped(
    Effect.flatMap(subscribers.connect(subscribers.serverFor("subscribe", ""), {}), (other) => other.probe)
  )
  return watchSilence(connection, {
    every: limit,
    limit,
    probe: Effect.catchIf(probe, showsLife, () => Effect.void)
  })
}

/** Whether an error shows that the server is there, although it has refused another connection. */
const showsLife = (error: CommandError): boolean =>
  error._tag !== "TimeoutError" && !(error._tag === "ConnectionError" && error.reason !== "MaxClients")

const bufferOf = (capacity: number, onFull: OnFull): Effect.Effect<Lines, DataError> =>
  Effect.flatMap(
    readOptions("Redis.monitor", () => count("capacity", capacity)),
    (kept) => onFull === "dropOldest" ? Queue.sliding(kept) : Queue.dropping(kept)
  )

/**
 * Whether a value is a line of the feed. Lines begin with a time and an address, which the answers to MONITOR, and to
 * AUTH when credentials are renewed, do not.
 */
const isLine = (value: Resp.Value): boolean => typeof value === "string" && /^\d+\.\d+ \[/.test(value)

const offerTo = (lines: Lines, capacity: number, onFull: OnFull) => (value: Resp.Value, owed: boolean): boolean => {
  if (owed && !isLine(value)) return false
  if (!Queue.offerUnsafe(lines, value) && onFull === "fail") {
    Queue.failCauseUnsafe(lines, Cause.fail(new PubSubOverflowError({ capacity })))
  }
  return true
}
