/**
 * Takes what befell requests: asks for the verdict, settles what that settles, and has the others sent again.
 */
import type { CommandError } from "@redfx/core/RedisError"
import type { ErrorReply } from "@redfx/core/Resp"
import type { Redirector, Request } from "@redfx/core/unstable/Request"
import type { State } from "./state.ts"
import { outcomeOf } from "./verdict.ts"
import type { Next, Outcome, Sent, Spent } from "./verdictModel.ts"
import { fail } from "./waitingRequests.ts"

/**
 * A request that is to be sent again.
 *
 * - `address`: the server that it was sent to. `before`: what was spent of its budget until then, `spent`: what is by now.
 */
export interface Again extends Omit<Extract<Next, { readonly _tag: "Again" }>, "_tag"> {
  readonly address: string | undefined
  readonly before: Spent
  readonly spent: Spent
}

export abstract class JudgedRequests implements Redirector {
  protected readonly state: State
  readonly #way: Sent["way"]

  constructor(state: State, way: Sent["way"]) {
    this.state = state
    this.#way = way
  }

  /** What is spent of the budget of a request; `undefined` when it is not sent again, whatever has befallen it. */
  protected abstract spentBy(request: Request): Spent | undefined

  protected abstract again(request: Request, again: Again): void

  /** The server that a request was sent to, where its loss does not say that. */
  protected sentTo(): string | undefined {
    return undefined
  }

  onRefusal(request: Request, { code, line }: ErrorReply, address: string): boolean {
    return this.judged(request, address, { _tag: "Refused", code, line, queued: false })
  }

  onLoss(request: Request, error: CommandError): boolean {
    const address = "address" in error ? error.address : undefined
    return this.judged(request, address ?? this.sentTo(), outcomeOf(error, request.delivery))
  }

  /** Does what the verdict on an outcome says; returns whether the outcome is not the request's own. */
  protected judged(request: Request, address: string | undefined, outcome: Outcome): boolean {
    const before = this.spentBy(request)
    if (before === undefined) return false
    const sent = { way: this.#way, command: request.leading }
    const { next, spent } = this.state.judge(sent, address, outcome, before)
    if (next._tag === "Again") {
      this.again(request, { ...next, address, before, spent })
      return true
    }
    if (next.error === undefined) return false
    fail(request, next.error)
    return true
  }
}
