/**
 * Reads on replicas, everything else on the master.
 *
 * @internal
 */
import type { RedisStats } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { RedisRouter } from "@redfx/core/RedisRouter"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * A router that sends single commands that only read keys to replicas. What goes out together stays together, on the
 * master, as do questions about the server itself.
 */
export const make = (master: RedisRouter, replicas: RedisRouter): RedisRouter => ({
  ...master,
  submit: (request) => (request.count === 1 && onlyReads(request.leading) ? replicas : master).submit(request),
  exclusive: (commands) => (commands.every(onlyReads) ? replicas : master).exclusive(commands),
  events: Stream.merge(master.events, replicas.events),
  stats: Effect.zipWith(master.stats, replicas.stats, sum)
})

const onlyReads = (command: RedisCommand.Any): boolean =>
  command.spec.readonly && RedisCommand.firstKey(command) !== undefined

const sum = (one: RedisStats, other: RedisStats): RedisStats => ({
  shared: one.shared + other.shared,
  exclusive: one.exclusive + other.exclusive,
  exclusiveIdle: one.exclusiveIdle + other.exclusiveIdle,
  waiting: one.waiting + other.waiting,
  inFlight: one.inFlight + other.inFlight
})
