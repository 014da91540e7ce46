/**
 * Routers above two others, which decide which commands go to which servers of a deployment. The first of them tells what happens to
 * the connections of both.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import { isContinued, isForMaster, sumStats } from "@redfx/core/unstable/Router"
import type { RedisRouter } from "@redfx/core/unstable/Router"
import * as Effect from "effect/Effect"

/**
 * A router that sends single commands that only read keys to replicas. Batches go to the master as a whole, and so do
 * questions about the server itself, scans, which must go on where their last page ended, and reads that must see every write.
 */
export const readingFrom = (master: RedisRouter, replicas: RedisRouter): RedisRouter =>
  divide(
    master,
    replicas,
    (command) =>
      command.spec.readonly && RedisCommand.firstKey(command) !== undefined && !isContinued(command) &&
      !isForMaster(command)
  )

/** A router that sends scans over connections to one server, where the other commands go to several. */
export const scanningOn = (router: RedisRouter, one: RedisRouter): RedisRouter => ({
  ...divide(router, one, isContinued),
  servers: one.servers
})

const divide = (
  router: RedisRouter,
  other: RedisRouter,
  isForOther: (command: RedisCommand.Any) => boolean
): RedisRouter => ({
  ...router,
  submit: (request) =>
    (request.count === 1 && !request.isKept && isForOther(request.leading) ? other : router).submit(request),
  exclusive: (commands, wait) => (commands.every(isForOther) ? other : router).exclusive(commands, wait),
  stats: Effect.map(Effect.all([router.stats, other.stats]), sumStats)
})
