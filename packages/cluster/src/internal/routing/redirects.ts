/**
 * Sends single commands where the cluster says, and again as the verdict on their outcome says. A command that succeeds
 * at once costs nothing here.
 */
import type * as RedisCommand from "@redfx/core/RedisCommand"
import { ConnectionError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { Request } from "@redfx/core/unstable/Request"
import type * as Effect from "effect/Effect"
import type { Random } from "effect/Random"
import { isForAny } from "../keyless/keyless.ts"
import type { Node } from "../topology/nodes.ts"
import { anyNode } from "./anyOf.ts"
import { JudgedRequests } from "./judgedRequests.ts"
import type { Again } from "./judgedRequests.ts"
import { slotIn } from "./plan.ts"
import { isForReplicas } from "./readFrom.ts"
import type { Reader } from "./readFrom.ts"
import type { State } from "./state.ts"
import { unspent } from "./verdictModel.ts"
import type { Outcome, Spent } from "./verdictModel.ts"
import { fail, WaitingRequests } from "./waitingRequests.ts"

/**
 * The history of a request.
 *
 * - `spent`: what is spent of its budget.
 * - `target`: where to send it next, whoever owns the slot; `undefined` means the owner.
 */
interface Trouble {
  spent: Spent
  target: Node | undefined
}

const uncovered: Outcome = { _tag: "Uncovered" }

export class Redirects extends JudgedRequests {
  readonly waiting: WaitingRequests
  readonly #reader: Reader | undefined
  readonly #random: Random
  /** The histories of the few requests that are not answered at once; the others cost nothing. */
  readonly #troubles = new WeakMap<Request, Trouble>()

  constructor(
    state: State,
    reader: Reader | undefined,
    random: Random,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    super(state, "single")
    this.#reader = reader
    this.#random = random
    this.waiting = new WaitingRequests({
      submit: (request) => this.#route(request),
      reasonOf: (request) => this.#troubles.get(request)?.spent.last,
      wait: state.wait,
      fork
    })
  }

  submit(request: Request): void {
    request.redirector = this
    this.#route(request)
  }

  /** Whether replicas may be read from. */
  get readsFromReplicas(): boolean {
    return this.#reader !== undefined
  }

  /**
   * The node for a command; `undefined` when no server has its slot, and an error when the program's `readFrom` failed.
   */
  nodeFor(command: RedisCommand.Any): Node | ConnectionError | undefined {
    const reader = this.#reader
    if (reader === undefined || !isForReplicas(command)) return this.takerOf(command)
    this.state.used = true
    const slot = slotIn(command)
    const route = slot === undefined ? undefined : this.state.routeOf(slot)
    return route === undefined ? this.masterOf(command) : reader(route, command)
  }

  /** The master for a command; `undefined` when no server has its slot. */
  masterOf(command: RedisCommand.Any): Node | undefined {
    this.state.used = true
    const slot = slotIn(command)
    return slot === undefined ? anyNode(this.#random, this.state.masters) : this.state.routeOf(slot)?.master
  }

  /**
   * The master for a command or, while that one is not there or takes no connection, another one if any takes the command: the same one for all
   * commands of a slot, so that they keep their order.
   */
  takerOf(command: RedisCommand.Any): Node | undefined {
    const master = this.masterOf(command)
    if (master?.health.takesConnections === true || !isForAny(command)) return master
    const { masters } = this.state
    const healthy = masters.filter(({ health }) => health.isHealthy)
    const takers = healthy.length === 0 ? masters : healthy
    return takers[(slotIn(command) ?? 0) % takers.length]
  }

  #route(request: Request): void {
    // A request that waited with others may be gone by the time that one of them is settled.
    if (request.settled) return
    const { closed } = this.state
    if (closed !== undefined) return fail(request, closed)
    if (this.state.topology === undefined) return this.waiting.add(request, "topology")
    const node = this.#targetOf(request)
    if (node === undefined) this.judged(request, undefined, uncovered)
    else if (node instanceof ConnectionError) fail(request, node)
    else if (node.health.downWith !== undefined) this.#avoid(request, node, node.health.downWith)
    else node.pool.router.submit(request)
  }

  #targetOf(request: Request): Node | ConnectionError | undefined {
    if (request.redirects === 0 && !request.isKept) return this.nodeFor(request.leading)
    const trouble = this.#troubles.get(request)
    const target = trouble?.target
    if (trouble !== undefined) trouble.target = undefined
    // A read that failed once is sent to the master. The node may have been given up and made again during the pause.
    return target === undefined ? this.takerOf(request.leading) : this.state.nodes.at(target.endpoint)
  }

  #avoid(request: Request, node: Node, error: CommandError): void {
    this.judged(request, node.address, { _tag: "Avoided", error, delivery: request.delivery })
  }

  protected override spentBy(request: Request): Spent {
    return this.#troubles.get(request)?.spent ?? unspent
  }

  protected override again(request: Request, { address, after, before, ran, spent, to }: Again): void {
    const node = to === "owner" || (to === "same" && address === undefined)
      ? undefined
      // The node has just answered, or was named, so it is known.
      : to === "same"
      ? this.state.nodes.find(address!)
      : this.state.nodes.named(to.node)
    const asking = to === "same" ? request.asking : to !== "owner" && to.asking
    // Waiting does not count as a try.
    if (spent.tries > before.tries) request.renew({ asking, mayHaveRun: ran })
    else request.asking = asking
    this.#troubles.set(request, { spent, target: node })
    if (after === 0) this.#route(request)
    else this.waiting.add(request, after)
  }
}
