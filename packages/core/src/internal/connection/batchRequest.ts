/**
 * Requests of several commands.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { atIndex } from "../../RedisError.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import type * as Resp from "../../Resp.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import type { Reader } from "../codec/gather.ts"
import type { Outcome } from "../command/weave.ts"
import { besides } from "../error/events.ts"
import type { Resume } from "../runtime/suspension.ts"
import { formOf } from "../script/knownScripts.ts"
import type { Keepers } from "../tracking/tracking.ts"
import { begins, isUnended, Losses, missingScript, outcome } from "./outcome.ts"
import { readerOf, Request } from "./request.ts"
import type { Origin, Send } from "./request.ts"
import { isAsking } from "./singleRequest.ts"

/**
 * Commands that are written one right after the other.
 *
 * - `positions`: the places of the commands in the pipeline that they are a part of.
 * - `atomic`: once the first command is written all are, whatever becomes of the caller.
 * - `withTexts`: no script is named by its digest, whatever is known of the server.
 */
export interface Batch {
  readonly commands: ReadonlyArray<RedisCommand.Any>
  readonly positions?: ReadonlyArray<number> | undefined
  readonly atomic?: boolean | undefined
  readonly withTexts?: boolean | undefined
}

/** A request of several commands. */
export class BatchRequest extends Request<ReadonlyArray<Outcome>, never> {
  readonly #batch: Batch
  readonly commands: ReadonlyArray<RedisCommand.Any>
  readonly #positions: ReadonlyArray<number> | undefined
  readonly #atomic: boolean
  readonly #withTexts: boolean
  #outcomes: Array<Outcome> = []
  /** The errors of the commands that could not be encoded, by index. */
  #unsendable: Map<number, DataError> | undefined = undefined
  /**
   * The indices of the commands whose scripts were named by digest; the index from which on no command was run, because
   * its script was missing, with the ASKING before it; and the request that sends those commands once more.
   */
  #byDigest: Set<number> | undefined = undefined
  #missingFrom: number | undefined = undefined
  #rest: BatchRequest | undefined = undefined
  /** Whether the server has begun the transaction. */
  #hasBegun = false

  constructor(batch: Batch, send: Send | undefined, resume?: Resume<ReadonlyArray<Outcome>, never>) {
    super(send, resume)
    this.#batch = batch
    this.commands = batch.commands
    this.#positions = batch.positions
    this.#atomic = batch.atomic === true
    // A transaction sends texts: when a digest turned out to be unknown, it would be too late for the text.
    this.#withTexts = this.#atomic || batch.withTexts === true
  }

  protected again(): BatchRequest {
    return new BatchRequest(this.#batch, this.send)
  }

  get leading(): RedisCommand.Any {
    // There is a first command, because empty batches are not sent.
    return this.commands.find((command) => RedisCommand.firstKey(command) !== undefined) ?? this.commands[0]!
  }

  /** The number of commands. A batch that is given up between two writes ends with what is due by then. */
  get count(): number {
    return this.settled ? this.#due : this.commands.length
  }

  protected override get committed(): boolean {
    return this.#due > this.written
  }

  /** The number of commands to be written, whatever becomes of the caller. ASKING would apply to whatever came next. */
  get #due(): number {
    if (this.#atomic && this.written > 0) return this.commands.length
    return isAsking(this.commands[this.written - 1]) ? this.written + 1 : this.written
  }

  get blockMilliseconds(): number {
    return this.commands.reduce((sum, command) => sum + RedisCommand.blockMilliseconds(command), 0)
  }

  encode(encoder: RespEncoder, origin: Origin): void {
    // The connection encodes `count` times, so the index is in range.
    const command = this.commands[this.written]!
    const { script } = command.spec
    const byDigest = script !== undefined && !this.#withTexts && formOf(script, origin.scripts) === "digest"
    const error = RedisCommand.encodeInto(command, encoder, byDigest ? undefined : script)
    if (byDigest) (this.#byDigest ??= new Set()).add(this.written)
    if (error !== undefined) (this.#unsendable ??= new Map()).set(this.written, error)
  }

  reply(value: Resp.Value, origin: Origin): void {
    if (this.#atomic && this.answered === 1) this.#hasBegun = begins(value)
    if (this.#hasBegun && this.answered === this.count && isUnended(value)) origin.onUnended?.()
    if (this.settled) return
    const index = this.#outcomes.length
    if (origin.keepers !== undefined) this.#wrote(index, origin.keepers)
    // There is one reply for each command, so the index is in range.
    this.#outcomes.push(this.#refusal(index) ?? this.#outcomeOf(this.commands[index]!, index, value, origin))
    if (this.#outcomes.length === this.commands.length && !this.#runsRest(origin)) this.#settle()
  }

  reader(origin: Origin): Reader | undefined {
    // There is one reply for each command, and this one is still to come, so the index is in range. In a settled
    // request it does not matter which command it is.
    return readerOf(this, this.commands[this.#outcomes.length]!, origin)
  }

  /** Tells the caches of keys that were written. In a transaction nothing is written before its end. */
  #wrote(index: number, keepers: Keepers): void {
    if (!this.#atomic) return keepers.answered(this.commands[index]!)
    if (index < this.commands.length - 1) return
    for (let i = 0; i < index; i++) keepers.answered(this.commands[i]!)
  }

  #outcomeOf(command: RedisCommand.Any, index: number, value: Resp.Value, origin: Origin): Outcome {
    const position = this.#positions?.[index] ?? index
    const { script } = command.spec
    const form = this.#byDigest?.has(index) === true ? "digest" : "text"
    // In a transaction each reply but the last says only that a command is queued.
    const missing = script !== undefined && !this.#atomic && origin.scripts?.isMissing(script, form, value) === true
    if (!missing) {
      if (!isAsking(command)) this.#missingFrom = undefined
      return outcome(command, position, value, origin)
    }
    this.#missingFrom ??= isAsking(this.commands[index - 1]) ? index - 1 : index
    // Only an error reply says that a script is missing.
    return Exit.fail(missingScript(command, value as Resp.ErrorReply, origin, position))
  }

  /**
   * Sends the commands that were not run because their scripts were missing once more, with the texts of the scripts;
   * returns whether there are any. Only the end of the batch is sent again: a command that stands before one that was
   * run cannot be run in its place any more.
   */
  #runsRest({ again }: Origin): boolean {
    const from = this.#missingFrom
    if (from === undefined || again === undefined) return false
    this.#missingFrom = undefined
    this.#outcomes.length = from
    const commands = this.commands.slice(from)
    const positions = commands.map((_, index) => this.#positions?.[from + index] ?? from + index)
    this.#rest = new BatchRequest({ commands, positions, withTexts: true }, undefined, (exit) => {
      if (this.settled || Exit.isFailure(exit)) return
      for (const each of exit.value) this.#outcomes.push(each)
      this.#settle()
    })
    again(this.#rest)
    return true
  }

  fail(error: CommandError): void {
    if (this.settled) return
    this.#rest?.cancel()
    let losses = new Losses(error)
    const sent = this.#rest === undefined ? this.#due : this.#outcomes.length + this.#rest.written
    // Where no reply is owed it is not about one of them, and the replies of a transaction are one.
    const others = this.#atomic || this.#outcomes.length === sent ? losses : new Losses(besides(error))
    for (let i = this.#outcomes.length; i < this.commands.length; i++) {
      this.#outcomes.push(this.#refusal(i) ?? losses.of(this.commands[i]!, i < sent ? "unknown" : "not-sent"))
      losses = others
    }
    this.#settle()
  }

  #refusal(index: number): Outcome | undefined {
    const error = this.#unsendable?.get(index)
    return error && Exit.fail(atIndex(error, this.#positions?.[index] ?? index))
  }

  protected override abandon(): void {
    super.abandon()
    this.#rest?.cancel()
    this.#outcomes = []
  }

  #settle(): void {
    this.release()
    // The place in flight may last for much longer than the caller needs the outcomes.
    const outcomes = this.#outcomes
    this.#outcomes = []
    this.settle(Exit.succeed(outcomes))
  }
}
