/**
 * Sends commands where the cluster says, and again where that is safe: within a
 * budget of tries that redirects, retries and lost connections share.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterDownError, ConnectionError, CrossSlotError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import type { Redirector, Request } from "@redfx/core/RedisRouter"
import type { ErrorReply } from "@redfx/core/Resp"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { anyOf } from "./anyOf.ts"
import type { Node } from "./nodes.ts"
import { fail, Parking } from "./parking.ts"
import { routingKey } from "./plan.ts"
import { isForReplicas } from "./readFrom.ts"
import type { Reader } from "./readFrom.ts"
import { slotOf } from "./slot.ts"
import type { State } from "./state.ts"
import { endpointOf } from "./topology.ts"
import {
  exhausted,
  isOutage,
  maxTries,
  notCovered,
  pauseAfterLoss,
  pauseAfterRedirect,
  saidBy,
  uncoveredPause
} from "./tries.ts"

export interface RedirectsOptions {
  readonly clusterDownRetryAttempts: number
  readonly reader: Reader | undefined
}

/**
 * What a request has been through, beyond the number of its tries.
 *
 * - `downs`: how often the cluster was down for it. `uncovered`: what was waited for since nobody served its slot.
 * - `target`: where to send it next, whoever owns the slot.
 */
interface Trouble {
  downs: number
  uncovered: "nothing" | "pause" | "topology"
  target: Node | undefined
}

export class Redirects implements Redirector {
  readonly parking: Parking
  readonly #state: State
  readonly #options: RedirectsOptions
  /** Few requests get into trouble; the others do not pay for it. */
  readonly #troubles = new WeakMap<Request, Trouble>()
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

  /** Whether others than masters may be asked. */
  get readsFromReplicas(): boolean {
    return this.#options.reader !== undefined
  }

  /** The node for a command; `undefined` when its slot is not served, an error when the program's `readFrom` failed. */
  nodeFor(command: RedisCommand.Any): Node | ConnectionError | undefined {
    const { reader } = this.#options
    if (reader === undefined || !isForReplicas(command)) return this.masterOf(command)
    this.#used = true
    const key = RedisCommand.firstKey(command) ?? routingKey(command)
    if (key === undefined) return anyOf(this.#state.masters)
    const route = this.#state.routeOf(slotOf(key))
    return route === undefined ? undefined : reader(route, command)
  }

  /** The master for a command; `undefined` when its slot is not served. */
  masterOf(command: RedisCommand.Any): Node | undefined {
    this.#used = true
    const key = RedisCommand.firstKey(command) ?? routingKey(command)
    return key === undefined ? anyOf(this.#state.masters) : this.#state.routeOf(slotOf(key))?.master
  }

  #route(request: Request): void {
    // Who waited with others may have gone away when one of them was settled.
    if (request.settled) return
    const { closed } = this.#state
    if (closed !== undefined) return fail(request, closed)
    if (this.#state.topology === undefined) {
      this.parking.untilTopology(request)
      return this.#state.requestRefresh()
    }
    const node = this.#targetOf(request)
    if (node === undefined) this.#uncovered(request)
    else if (node instanceof ConnectionError) fail(request, node)
    else node.pool.router.submit(request)
  }

  #targetOf(request: Request): Node | ConnectionError | undefined {
    if (request.redirects === 0) return this.nodeFor(request.leading)
    const trouble = this.#troubles.get(request)
    const target = trouble?.target
    if (trouble !== undefined) trouble.target = undefined
    // What failed once is asked of the master.
    // It may have been given up and made again during the pause.
    return target === undefined ? this.masterOf(request.leading) : this.#state.nodes.at(target.endpoint)
  }

  onRefusal(request: Request, error: ErrorReply, address: string): boolean {
    switch (error.code) {
      case "MOVED":
      case "ASK": {
        const target = this.#state.follow(error.line, endpointOf(address))
        if (target === undefined) return false
        this.#redirect(request, target.node, error, error.code === "ASK")
        return true
      }
      case "TRYAGAIN":
        this.#redirect(request, this.#state.nodes.at(endpointOf(address)), error, request.asking)
        return true
      case "LOADING":
        return this.#onMaster(request, error, address)
      case "CLUSTERDOWN":
      case "MASTERDOWN":
        if (!this.#onMaster(request, error, address)) this.#down(request, error)
        return true
      case "CROSSSLOT":
        fail(request, new CrossSlotError({ command: request.leading.spec.name }))
        return true
      default:
        return false
    }
  }

  onLoss(request: Request, error: RedisError): boolean {
    // A master that only stands still tells nobody that another has taken its place.
    if (isOutage(error) || error._tag === "TimeoutError") this.#state.requestRefresh(true)
    if (!isOutage(error)) return false
    const { delivery } = request
    if (delivery === "unknown" && !request.leading.spec.readonly) return false
    if (this.#renew(request, saidBy(error), false, delivery === "unknown")) {
      this.parking.forPause(request, pauseAfterLoss(request.redirects))
    }
    return true
  }

  #redirect(request: Request, node: Node, { line }: ErrorReply, asking: boolean): void {
    if (!this.#renew(request, line, asking)) return
    const pause = pauseAfterRedirect(request.redirects)
    if (pause === 0) return node.pool.router.submit(request)
    this.#troubleOf(request).target = node
    this.parking.forPause(request, pause)
  }

  /** Asks the master what a replica cannot answer at the moment; returns whether there is a master to ask. */
  #onMaster(request: Request, error: ErrorReply, address: string): boolean {
    if (!isForReplicas(request.leading)) return false
    const master = this.masterOf(request.leading)
    if (master === undefined || master.address === address) return false
    this.#redirect(request, master, error, false)
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
    const trouble = this.#troubleOf(request)
    this.#state.requestRefresh(true)
    if (++trouble.downs < this.#options.clusterDownRetryAttempts) {
      if (this.#renew(request, line, false)) this.parking.untilTopology(request)
      return
    }
    const detail = line.slice(code.length + 1)
    const { name } = request.leading.spec
    fail(request, new ClusterDownError({ code, detail, command: name, attempts: trouble.downs }))
  }

  /** Waits for a pause and for the topology to be read, once. */
  #uncovered(request: Request): void {
    const trouble = this.#troubleOf(request)
    if (trouble.uncovered === "nothing") {
      trouble.uncovered = "pause"
      this.#state.requestRefresh()
      return this.parking.forPause(request, uncoveredPause)
    }
    if (trouble.uncovered === "pause" && this.#state.isReading) {
      trouble.uncovered = "topology"
      return this.parking.untilTopology(request)
    }
    fail(request, notCovered(request.leading))
  }

  #troubleOf(request: Request): Trouble {
    const known = this.#troubles.get(request)
    if (known !== undefined) return known
    const trouble: Trouble = { downs: 0, uncovered: "nothing", target: undefined }
    this.#troubles.set(request, trouble)
    return trouble
  }
}
