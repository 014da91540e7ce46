/**
 * What the topologies differ in, where a command goes, and the client that is
 * written once above it: deadlines, pipelines, exclusive use.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * A client above a router, for as long as the scope is open. Its limits go by the clock that it is made with.
   *
   * @category constructors
   * @since 0.1.0
   */
  makeClient
} from "../internal/client/client.ts"
export {
  /**
   * Whether a command goes on where another one ended: its cursor means nothing
   * to another server than the one that gave it.
   *
   * @category guards
   * @since 0.1.0
   */
  isContinued
} from "../internal/client/continued.ts"
export {
  /**
   * A router that sends everything over one connection of its caller's own, until
   * the lease ends: a caller that kept it for longer would use somebody else's.
   *
   * @category constructors
   * @since 0.1.0
   */
  ofLease
} from "../internal/client/exclusiveUse.ts"
export {
  /**
   * The same read, which a master answers whatever the option `readFrom` says, and the client's cache never.
   *
   * @category combinators
   * @since 0.1.0
   */
  forMaster,
  /**
   * Whether only a master may answer a command, although it only reads.
   *
   * @category guards
   * @since 0.1.0
   */
  isForMaster
} from "../internal/client/forMaster.ts"
export {
  /**
   * Refuses what is of no use on connections that others share.
   *
   * @category constructors
   * @since 0.1.0
   */
  refusals
} from "../internal/client/refusals.ts"
export {
  /**
   * The counts of several routers together.
   *
   * @category combinators
   * @since 0.1.0
   */
  sumStats
} from "../internal/client/stats.ts"

export {
  /**
   * A client that loads the libraries of the functions that it calls, where the server does not have them.
   *
   * @category combinators
   * @since 0.1.0
   */
  withFunctions
} from "../internal/script/calls.ts"

export type { Held, RedisRouter, Spread, Subscribers } from "../internal/client/router.ts"
export type { Wait } from "../internal/pool/attempts.ts"
