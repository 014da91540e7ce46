/**
 * Sends commands where the cluster says, and again where that is safe: within a
 * budget of tries that redirects, retries and lost connections share.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import {
  ClusterDownError,
  ClusterRetriesExhaustedError,
  CrossSlotError,
  SlotNotCoveredError
} from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import type { Redirector, Request } from "@redfx/core/RedisRouter"
import type { ErrorReply } from "@redfx/core/Resp"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Node } from "./nodes.ts"
import { fail, Parking } from "./parking.ts"
import { routingKey } from "./plan.ts"
import { isForReplicas } from "./readFrom.ts"
import type { Reader } from "./readFrom.ts"
import { slotOf } from "./slot.ts"
import type { State } from "./state.ts"
import { parseAddress } from "./topology.ts"

/** How often one command is sent at the most. */
export const maxTries = 16

/** How often TRYAGAIN is obeyed at once, and the pause after that. */
const immediateTries = 8
const tryAgainPause = 50

/** Pauses after the loss of a connection: doubled from the shortest to the longest. */
const shortestPause = 20
const longestPause = 250

/** The pause before a slot without owner is looked up once more. */
const uncoveredPause = 100

export interface RedirectsOptions {
  readonly clusterDownRetryAttempts: number
  readonly reader: Reader | undefined
}

export class Redirects implements Redirector {
  readonly parking: Parking
  readonly #state: State
  readonly #options: RedirectsOptions
  #used = false

  constructor(state: State, options: RedirectsOptions, fork: (effect: Effect.Effect<void>) => void) {
    this.#state = state
    this.#options = options
    this.parking = new Parking((request) => this.#route(request), fork)
  }

  submit(request: Request): void {
    request.redirector = this
    this.#route(request)
  }

  /** Reads the topology again at intervals in which there were commands. */
  refreshWhileUsed(interval: Duration.Duration): Effect.Effect<void> {
    if (!Duration.isFinite(interval)) return Effect.void
    return Effect.forever(
      Effect.andThen(
        Effect.sleep(interval),
        Effect.sync(() => {
          if (this.#used) this.#state.requestRefresh()
          this.#used = false
        })
      )
    )
  }

  /** The node for a command; `undefined` when its slot is not served. */
  nodeFor(command: RedisCommand.Any): Node | undefined {
    this.#used = true
    const key = RedisCommand.firstKey(command) ?? routingKey(command)
    if (key === undefined) return anyOf(this.#state.masters)
    const route = this.#state.routeOf(slotOf(key))
    const { reader } = this.#options
    return route === undefined || reader === undefined || !isForReplicas(command)
      ? route?.master
      : reader(route, command)
  }

  #route(request: Request): void {
    const { closed } = this.#state
    if (closed !== undefined) return fail(request, closed)
    if (this.#state.topology === undefined) {
      this.parking.untilTopology(request)
      return this.#state.requestRefresh()
    }
    const { leading } = request
    // What failed once is asked of the master.
    const node = request.redirects === 0 ? this.nodeFor(leading) : this.masterOf(leading)
    if (node === undefined) this.#uncovered(request)
    else node.pool.router.submit(request)
  }

  /** The master for a command; `undefined` when its slot is not served. */
  masterOf(command: RedisCommand.Any): Node | undefined {
    const key = RedisCommand.firstKey(command) ?? routingKey(command)
    return key === undefined ? anyOf(this.#state.masters) : this.#state.routeOf(slotOf(key))?.master
  }

  onRefusal(request: Request, error: ErrorReply, address: string): boolean {
    switch (error.code) {
      case "MOVED":
      case "ASK": {
        const target = this.#state.follow(error.line, endpointOf(address))
        if (target === undefined) return false
        if (this.#renew(request, error.line, error.code === "ASK")) target.node.pool.router.submit(request)
        return true
      }
      case "TRYAGAIN": {
        const { asking, redirects } = request
        if (!this.#renew(request, error.line, asking)) return true
        if (redirects >= immediateTries) this.parking.forPause(request, tryAgainPause)
        else this.#state.nodes.at(endpointOf(address)).pool.router.submit(request)
        return true
      }
      case "CLUSTERDOWN":
      case "MASTERDOWN":
        this.#down(request, error)
        return true
      case "CROSSSLOT":
        fail(request, new CrossSlotError({ command: request.leading.spec.name }))
        return true
      default:
        return false
    }
  }

  onLoss(request: Request, error: RedisError): boolean {
    if (!isOutage(error)) return false
    this.#state.requestRefresh()
    const { delivery } = request
    if (delivery === "unknown" && !request.leading.spec.readonly) return false
    const pause = Math.min(shortestPause * 2 ** request.redirects, longestPause)
    if (this.#renew(request, error.message, false, delivery === "unknown")) this.parking.forPause(request, pause)
    return true
  }

  /** Prepares a request for another try; fails it when there is none left. */
  #renew(request: Request, last: string, asking: boolean, mayHaveRun = false): boolean {
    request.renew(asking, mayHaveRun)
    if (request.redirects < maxTries) return true
    fail(request, exhausted(request.leading, last, request.delivery))
    return false
  }

  #down(request: Request, { code, line }: ErrorReply): void {
    const attempts = request.redirects + 1
    if (attempts < this.#options.clusterDownRetryAttempts) {
      request.renew(false, false)
      this.parking.untilTopology(request)
      return this.#state.requestRefresh()
    }
    const detail = line.slice(code.length + 1)
    fail(request, new ClusterDownError({ code, detail, command: request.leading.spec.name, attempts }))
  }

  #uncovered(request: Request): void {
    const key = RedisCommand.firstKey(request.leading) ?? routingKey(request.leading)
    if (request.redirects > 0 || key === undefined) {
      return fail(request, new SlotNotCoveredError({ slot: key === undefined ? 0 : slotOf(key) }))
    }
    request.renew(false, false)
    this.#state.requestRefresh()
    this.parking.forPause(request, uncoveredPause)
  }
}

/** The address of a node, which this client wrote. */
const endpointOf = (address: string) => parseAddress(address, { host: "", port: 0 }) ?? { host: "", port: 0 }

const anyOf = (nodes: ReadonlyArray<Node>): Node | undefined => nodes[Math.floor(Math.random() * nodes.length)]

/** Whether a server is gone or was not reached, as after it failed: then another may take its place. */
export const isOutage = (error: RedisError): boolean =>
  error._tag === "TimeoutError"
    ? error.phase === "connect"
    : error._tag === "ConnectionError" && outages.has(error.reason)

const outages: ReadonlySet<string> = new Set(["Refused", "Closed", "Reset", "Dns", "HealthCheck", "Other"])

export const exhausted = (
  command: RedisCommand.Any,
  last: string,
  delivery: "not-sent" | "unknown"
): ClusterRetriesExhaustedError => {
  const key = RedisCommand.firstKey(command) ?? routingKey(command)
  return new ClusterRetriesExhaustedError({
    command: command.spec.name,
    attempts: maxTries,
    last,
    delivery,
    readonly: command.spec.readonly,
    ...(key === undefined ? {} : { slot: slotOf(key) })
  })
}
