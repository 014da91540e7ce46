/**
 * Finds what a holder leaves behind on a connection that it had alone.
 *
 * Invariants of a connection that is handed on:
 *
 * - No reply is still to come.
 * - Nothing is watched: WATCH was never sent, or EXEC or UNWATCH was answered since.
 * - Its state is the one of its handshake: no MULTI, database, name, tracking, credentials, protocol, subscription or MONITOR
 *   of the holder's, and no ASKING that waits for its command.
 *
 * A watch is undone with UNWATCH, as bodies of `Redis.watch` that end without a transaction are common. Everything else is
 * rare, and closing the connection surely undoes it. Only what was sent counts, not what was answered: in doubt something
 * is left.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { DataError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import type { ErrorReply } from "../../Resp.ts"
import type { Holder } from "../connection/exchange.ts"
import type { RedisConnection } from "../connection/model.ts"
import { isUnended, refusedEnd } from "../connection/outcome.ts"
import type { Request } from "../connection/request.ts"
import { SingleRequest } from "../connection/singleRequest.ts"
import { connectionLoss } from "../error/events.ts"

/**
 * The fate of a connection that was given back.
 *
 * - `Clean`: it may be handed on.
 * - `Undoing`: it may be when `undone` succeeds.
 * - `Spoilt`: it has to be closed.
 */
export type Verdict = "Clean" | "Undoing" | "Spoilt"

/** The end of a connection for a holder that has given it back. */
export const givenBack = (address: string): CommandError =>
  connectionLoss("ClientClosed", "The reserved connection was given back", address)

/**
 * What begins a transaction or ends one: the number of commands before it, and whether a transaction is open after it. Turns are
 * linked, as there may be as many as commands in flight: to shift 16,384 out of an array takes 0.1 s, 60,000 8 s.
 */
interface Turn {
  readonly before: number
  open: boolean
  next: Turn | undefined
}

/** A connection in the hands of one holder. */
export class Lease implements Holder {
  /** The connection as its holder gets it; the lease sees everything that is sent on it. */
  readonly connection: RedisConnection
  readonly #raw: RedisConnection
  readonly #tooLate: CommandError
  #returned = false
  /** Whether something was sent that only closing the connection undoes, or nobody is to have it any more. */
  #spoilt = false
  /** Whether ASKING was sent last, which would apply to the next holder's command. */
  #asking = false
  /** The last turn that was answered, with those that were not behind it, and the last of all. */
  #answered: Turn = { before: -1, open: false, next: undefined }
  #last = this.#answered
  /** Requests that begin a transaction by name or end one; among them all of which something has yet to be written. */
  #turning: Array<Request> = []
  /** Whether the holder may have become another user. */
  #otherUser = false
  /**
   * The number of WATCHes that were sent, the number before the last EXEC, and the number that an answered EXEC or
   * UNWATCH has ended.
   */
  #watches = 0
  #executing = 0
  #ended = 0
  #undoing = false
  #onUndone: ((undone: boolean) => void) | undefined = undefined

  /** - `onClose`: called when the holder closes the connection, which says nothing about the server. */
  constructor(connection: RedisConnection, onClose: () => void) {
    this.#raw = connection
    this.#tooLate = givenBack(connection.address)
    this.connection = {
      ...connection,
      submit: (request) => this.submit(request),
      close: (reason) => {
        onClose()
        connection.close(reason)
      }
    }
    connection.exchange.holder = this
  }

  get isAlone(): boolean {
    return this.#queueing || this.#otherUser
  }

  dismiss(): void {
    this.#spoilt = true
  }

  /** What was given up before it was written neither begins a transaction nor ends one. */
  wrote({ spec }: RedisCommand.Any): void {
    const begins = spec.capitals === "MULTI"
    if (!begins && !endsTransaction.has(spec.capitals)) return
    const { replies, written } = this.#raw.exchange
    this.#settleBefore(replies)
    this.#last = this.#last.next = { before: written, open: begins, next: undefined }
  }

  denied(replies: number, error: ErrorReply): CommandError | undefined {
    this.#settleBefore(replies)
    const { next, open } = this.#answered
    if (next?.before !== replies) return undefined
    this.#answered = next
    // A MULTI that is refused changes nothing.
    if (next.open) next.open = open
    else if (open && isUnended(error)) return refusedEnd(this.#raw.address)
    return undefined
  }

  /** Moves past the turns that were answered before so many replies. One that is refused is taken by `denied`. */
  #settleBefore(replies: number): void {
    for (let turn = this.#answered.next; turn !== undefined && turn.before < replies; turn = turn.next) {
      this.#answered = turn
    }
  }

  /** Whether MULTI was written and not refused, and nothing since that ends it. */
  get #queueing(): boolean {
    return this.#last.open
  }

  /** Whether keys may be watched. */
  get watching(): boolean {
    return this.#watches > this.#ended
  }

  submit(request: Request): void {
    if (this.#returned) return request.fail(this.#tooLate)
    const { commands } = request
    let begun = this.#begun
    let turns = false
    for (const command of commands) {
      const end = turnOf(command)
      if (begun && command.reply !== RedisReply.raw && end === undefined && !isAnswered(command)) {
        return request.fail(new DataError({ command: command.spec.name, detail: onlyQueued }))
      }
      begun = end ?? begun
      turns ||= end !== undefined
    }
    for (const command of commands) this.#see(command)
    this.#raw.submit(request)
    if (turns) this.#turning.push(request)
    if (this.#turning.length > 2 * this.#raw.exchange.waiting) this.#turning = this.#turning.filter(isUnwritten)
  }

  /** Whether a transaction by name is open once all requests are written that were sent and not given up. */
  get #begun(): boolean {
    const turning = this.#turning
    while (turning.length > 0 && !isUnwritten(turning.at(-1)!)) turning.pop()
    return turning.at(-1)?.commands.reduce<boolean>((begun, command) => turnOf(command) ?? begun, false) ??
      this.#queueing
  }

  #see({ spec }: RedisCommand.Any): void {
    const { capitals: name } = spec
    this.#asking = name === "ASKING"
    // The connection writes commands of its own as well: credentials that change do not mean that the holder has become another user.
    if (changesUser.has(name)) this.#otherUser = true
    if (name === "WATCH") this.#watches++
    else if (name === "EXEC") this.#executing = this.#watches
    else if (!leavesNothing.has(name) && (spec.traits.has("stateful") || names.has(name))) this.#spoilt = true
  }

  /** Notes that the last EXEC was answered, which ends the watch, whatever the answer is. */
  executed(): void {
    this.#ended = this.#executing
  }

  /** Notes that everything that was sent was refused, so that nothing of it is left. */
  refused(): void {
    this.#ended = this.#watches
  }

  /** Ends the watch, if there is one. It waits for nothing: commands that are sent after it find nothing watched. */
  unwatch(): void {
    if (this.#undoing || !this.watching || this.#raw.exchange.closed) return
    const watches = this.#watches
    this.#undoing = true
    this.#raw.submit(
      new SingleRequest(unwatch, undefined, (exit) => {
        this.#undoing = false
        if (Exit.isSuccess(exit)) this.#ended = Math.max(this.#ended, watches)
        this.#onUndone?.(!this.watching)
      })
    )
  }

  /** Takes the connection from its holder. */
  giveBack(): Verdict {
    this.#returned = true
    const verdict = this.#verdict()
    // One that has to be closed stays its holder's to its end.
    if (verdict !== "Spoilt") this.#raw.exchange.holder = undefined
    return verdict
  }

  #verdict(): Verdict {
    const { exchange } = this.#raw
    // A connection that is ending takes nothing more.
    if (exchange.closed || exchange.leaving !== undefined || this.#spoilt || this.#asking) return "Spoilt"
    this.unwatch()
    // A reply that is still to come would be the next holder's. The reply to UNWATCH is waited for.
    if (exchange.inFlight + exchange.waiting !== (this.#undoing ? 1 : 0)) return "Spoilt"
    return this.#undoing ? "Undoing" : this.watching ? "Spoilt" : "Clean"
  }

  /** Whether nothing is left. The effect ends when that is known, which it also is when the connection is lost. */
  readonly undone: Effect.Effect<boolean> = Effect.callback((resume) => {
    if (!this.#undoing) return resume(Effect.succeed(!this.watching))
    this.#onUndone = (undone) => resume(Effect.succeed(undone))
  })
}

/**
 * The commands that end a MULTI or a watch and leave nothing themselves. A MULTI of a batch has no trait; a MULTI with
 * a trait is the holder's.
 */
const leavesNothing: ReadonlySet<string> = new Set(["DISCARD", "UNWATCH"])

const changesUser: ReadonlySet<string> = new Set(["AUTH", "HELLO", "RESET"])

const endsTransaction: ReadonlySet<string> = new Set(["DISCARD", "EXEC", "RESET"])

/** Whether a transaction by name is begun after a command, whatever was before; `undefined` of a command that does not matter. */
const turnOf = ({ spec }: RedisCommand.Any): boolean | undefined =>
  endsTransaction.has(spec.capitals)
    ? false
    : spec.capitals === "MULTI" && spec.traits.has("stateful")
    ? true
    : undefined

/** Whether a request has yet to be written, in whole or in part. */
const isUnwritten = ({ count, queue, written }: Request): boolean => queue !== undefined && written < count

/** Whether a server answers a command itself while it queues others for a transaction, beside those that begin and end one. */
const isAnswered = ({ spec }: RedisCommand.Any): boolean => ["MULTI", "QUIT", "WATCH"].includes(spec.capitals)

/** Why a command is refused after a MULTI of the holder's: what it promises to answer with would be QUEUED. */
const onlyQueued =
  "a MULTI that was sent by name is open, so that the answer would be QUEUED and not what the command answers. " +
  "Use Redis.transaction, or Redis.send for each command in it"

/**
 * Commands that may be sent on shared connections, where all callers have the same name. So their effect is no trait of
 * theirs.
 */
const names: ReadonlySet<string> = new Set(["CLIENT SETINFO", "CLIENT SETNAME"])

const unwatch = RedisCommand.make({
  spec: new RedisCommand.Spec("UNWATCH", []),
  args: () => [],
  reply: RedisReply.ok
})
