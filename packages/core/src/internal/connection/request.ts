/**
 * A request: commands that are written together, and the caller that waits for their replies. A request is in one place
 * at a time: it waits in a {@link RequestQueue}, is in flight on a connection, or is settled.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { atIndex } from "../../RedisError.ts"
import type { CommandError, DataError, Delivery, TimeoutError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import { forgetting } from "../codec/gather.ts"
import type { Reader } from "../codec/gather.ts"
import { besides, connectionLoss, timeLimit } from "../error/events.ts"
import { decodeOrThrow, reader, undecodable } from "../reply/decode.ts"
import { Suspension } from "../runtime/suspension.ts"
import type { Resume } from "../runtime/suspension.ts"
import { formOf } from "../script/knownScripts.ts"
import type { Form, KnownScripts } from "../script/knownScripts.ts"
import type { Keepers, Tracking } from "../tracking/tracking.ts"
import { begins, errorOf, failed, isUnended, Losses, missingScript, outcome } from "./outcome.ts"
import type { Outcome, Replies } from "./outcome.ts"
import type { Deadline, Timed } from "./timed.ts"

/**
 * The connection that a reply came over.
 *
 * - `scripts`: the scripts that its server is known to have. `again`: sends a request over the same connection once
 *   more.
 * - `tracking`: what the server tells of keys over this connection. `keepers`: the caches, which are told of writes.
 * - `onUnended`: called when a server may still queue commands for a transaction, although it has answered EXEC.
 */
export interface Origin extends Replies {
  readonly scripts?: KnownScripts | undefined
  readonly again?: ((request: Request) => void) | undefined
  readonly tracking?: Tracking | undefined
  readonly keepers?: Keepers | undefined
  readonly onUnended?: (() => void) | undefined
}

/**
 * Decides whether a request is sent somewhere else instead of being settled.
 *
 * - `onRefusal`: takes an error reply and the address that it came from. `onLoss`: takes the loss of a connection.
 *   Either returns whether it sees to the request.
 */
export interface Redirector {
  readonly onRefusal: (request: Request, error: Resp.ErrorReply, address: string) => boolean
  readonly onLoss: (request: Request, error: CommandError) => boolean
}

/** Takes a request to the place that sends it. */
export type Send = (request: Request) => void

const nowhere: Send = () => {}

/** The facts that only few requests need: those that are sent elsewhere, or cannot be encoded. */
interface Detour {
  redirects: number
  asking: boolean
  /** Whether a server that the request was sent to before may have run it. */
  mayHaveRun: boolean
  /** The error that kept the request from being encoded. */
  unsendable: DataError | undefined
}

/** A request as an Effect: it is sent when a fiber runs it, and given up when the fiber is interrupted. */
export abstract class Request<out A = unknown, out E extends CommandError = CommandError> extends Suspension<A, E>
  implements Timed
{
  /** Links of the queue that holds this request; `queue` is undefined when none does. */
  queue: RequestQueue | undefined = undefined
  previous: Request | undefined = undefined
  next: Request | undefined = undefined

  /** Links of the list of deadlines that holds this request; `deadline` is undefined when none does. */
  earlier: Timed | undefined = undefined
  later: Timed | undefined = undefined
  deadline: Deadline | undefined = undefined

  /** The number of commands that were encoded, for which server, and the number of replies that have come. */
  written = 0
  address: string | undefined = undefined
  answered = 0

  /** Decides whether the request is sent elsewhere; `undefined` when it never is. */
  redirector: Redirector | undefined = undefined
  #detour: Detour | undefined = undefined
  protected readonly send: Send

  constructor(send: Send | undefined, resume: Resume<A, E> | undefined) {
    super(resume)
    this.send = send ?? nowhere
  }

  /** The command whose keys say where the request is sent. */
  abstract readonly leading: RedisCommand.Any
  /** All commands of the request. */
  abstract readonly commands: ReadonlyArray<RedisCommand.Any>
  /** The number of commands to write, and so of replies. */
  abstract readonly count: number
  /** The milliseconds for which the server may hold back its answers, beyond the time that it takes to make them. */
  abstract readonly blockMilliseconds: number

  /** Whether a cache keeps the answer: no replica may give it, and it has its place among the reports of changes. */
  get isKept(): boolean {
    return false
  }

  /** Encodes the next command, for the connection that its reply will come over. */
  abstract encode(encoder: RespEncoder, origin: Origin): void
  /** Takes the next reply. It is called `count` times, also after the caller has gone away. */
  abstract reply(value: Resp.Value, origin: Origin): void
  /** The reader of the next reply, which has come in part; `undefined` when the reply is to be read as a whole. */
  abstract reader(origin: Origin): Reader | undefined
  /** Settles the request with the error that ended its connection, or its time. */
  abstract fail(error: CommandError): void

  protected begin(): void {
    this.send(this)
  }

  /** Settles the request because its time has passed, with the reason for which it still waits, where that is known. */
  expire(limit: number): void {
    this.fail(this.queue?.late(limit, this) ?? timeLimit("read", limit, this.address))
  }

  /** The number of times that the request was sent elsewhere. */
  get redirects(): number {
    return this.#detour?.redirects ?? 0
  }

  /** Whether ASKING is written before the request. */
  get asking(): boolean {
    return this.#detour !== undefined && this.#detour.asking
  }

  set asking(asking: boolean) {
    if (asking !== this.asking) this.detour.asking = asking
  }

  protected get detour(): Detour {
    return this.#detour ??= { redirects: 0, asking: false, mayHaveRun: false, unsendable: undefined }
  }

  /** Whether the request has a detour. */
  protected get strayed(): boolean {
    return this.#detour !== undefined
  }

  /**
   * Prepares the request to be sent again, when no queue and no connection holds it. `mayHaveRun`: whether a server may
   * have run it already.
   */
  renew(asking: boolean, mayHaveRun: boolean): void {
    const { detour } = this
    detour.mayHaveRun ||= mayHaveRun
    detour.asking = asking
    detour.redirects++
    this.written = 0
    this.address = undefined
    this.answered = 0
  }

  /** Whether a server may have run the commands that have no reply yet. */
  get delivery(): Delivery {
    return this.written === 0 && this.#detour?.mayHaveRun !== true ? "not-sent" : "unknown"
  }

  /**
   * Gives the request up. When it is not written yet, it is never sent. When it is, it keeps its place in flight, and
   * its replies are dropped.
   */
  protected abandon(): void {
    this.release()
  }

  /** Whether the rest of the request has to be written, whatever becomes of the caller. */
  protected get committed(): boolean {
    return false
  }

  protected release(): void {
    this.deadline?.list.remove(this)
    if (!this.committed) this.queue?.remove(this)
  }
}

/**
 * The command that is written before a request which an ASK has sent elsewhere. It has no traits, because the next
 * command uses its effect up.
 */
export const asking = RedisCommand.make({
  spec: new RedisCommand.Spec("ASKING", []),
  args: () => [],
  reply: RedisReply.raw
})

/** A request of one command. */
export class SingleRequest<out A> extends Request<A> {
  readonly command: RedisCommand.RedisCommand<A>

  constructor(
    command: RedisCommand.RedisCommand<A>,
    send: Send | undefined,
    resume?: Resume<A, CommandError>
  ) {
    super(send, resume)
    this.command = command
  }

  protected again(): Request<A> {
    return requestOf(this.command, this.send)
  }

  get leading(): RedisCommand.Any {
    return this.command
  }

  get commands(): ReadonlyArray<RedisCommand.Any> {
    return [this.command]
  }

  get count(): number {
    return this.asking ? 2 : 1
  }

  get blockMilliseconds(): number {
    return RedisCommand.blockMilliseconds(this.command)
  }

  /** An ASKING that is written alone would apply to whatever command comes next. */
  protected override get committed(): boolean {
    return this.asking && this.written > 0
  }

  encode(encoder: RespEncoder, _origin: Origin): void {
    this.refuse(RedisCommand.encodeInto(this.asking && this.written === 0 ? asking : this.command, encoder))
  }

  /**
   * Makes the request fail with the error that kept it from being encoded. A command that every server refuses has
   * taken its place, so whatever comes for the request stands for this error.
   */
  protected refuse(error: DataError | undefined): void {
    if (error !== undefined) this.detour.unsendable = error
  }

  reply(value: Resp.Value, origin: Origin): void {
    if (this.settled) return
    if (this.asking && this.answered === 1) return
    if (!this.command.spec.readonly) origin.keepers?.answered(this.command)
    if (!(value instanceof Resp.ErrorReply)) return this.#answer(value, origin)
    if (this.#redirected((redirector) => redirector.onRefusal(this, value, origin.address ?? ""))) return
    this.conclude(Exit.fail(errorOf(this.command, value, origin)))
  }

  #answer(value: Resp.Value, origin: Origin): void {
    let answer: A
    try {
      // The command has the types of its decoder, so the answer is an A.
      answer = decodeOrThrow(this.command, value, origin.replaceInvalidText) as A
    } catch (error) {
      return this.conclude(undecodable(this.command, error))
    }
    if (this.strayed) return this.conclude(Exit.succeed(answer))
    this.release()
    this.succeed(answer)
  }

  reader(origin: Origin): Reader | undefined {
    return this.asking && this.answered === 0 ? undefined : readerOf(this, this.command, origin)
  }

  fail(error: CommandError): void {
    if (this.settled || this.#redirected((redirector) => redirector.onLoss(this, error))) return
    this.conclude(failed(this.command, error, this.delivery))
  }

  /**
   * Offers the request to the redirector; returns whether the redirector sees to it. One that throws fails this
   * request, and not those behind it on the connection.
   */
  #redirected(offer: (redirector: Redirector) => boolean): boolean {
    if (this.redirector === undefined) return false
    const { delivery } = this
    try {
      return offer(this.redirector)
    } catch (defect) {
      const broken = connectionLoss("Other", "The client failed to send the command elsewhere", undefined, defect)
      this.conclude(failed(this.command, broken, delivery))
      return true
    }
  }

  /** Takes the request out of the lists that hold it, and hands over the outcome. */
  protected conclude(exit: Exit.Exit<A, CommandError>): void {
    this.release()
    const unsendable = this.strayed ? this.detour.unsendable : undefined
    this.settle(unsendable === undefined ? exit : Exit.fail(unsendable))
  }
}

/** Makes a request of one command: an effect that sends it or, with `resume`, a request that its maker sends. */
export const requestOf = <A>(
  command: RedisCommand.RedisCommand<A>,
  send: Send | undefined,
  resume?: Resume<A, CommandError>
): SingleRequest<A> =>
  command.spec.script === undefined
    ? new SingleRequest(command, send, resume)
    : new ScriptRequest(command, command.spec.script, send, resume)

/**
 * A request of one command that names a script. A server that turns out not to
 * have the script has run nothing, and is sent the text.
 */
class ScriptRequest<out A> extends SingleRequest<A> {
  readonly #script: RedisCommand.Script
  #form: Form = "text"
  /**
   * Whether the text is sent, whatever is known of the server. Another caller may have brought the script to the server
   * meanwhile, but not to each of several servers behind one address, and this request may have reached another one.
   */
  #needsText = false

  constructor(
    command: RedisCommand.RedisCommand<A>,
    script: RedisCommand.Script,
    send: Send | undefined,
    resume: Resume<A, CommandError> | undefined
  ) {
    super(command, send, resume)
    this.#script = script
  }

  override encode(encoder: RespEncoder, origin: Origin): void {
    if (this.asking && this.written === 0) return super.encode(encoder, origin)
    this.#form = this.#needsText ? "text" : formOf(this.#script, origin.scripts)
    this.refuse(RedisCommand.encodeInto(this.command, encoder, this.#form === "text" ? this.#script : undefined))
  }

  override reply(value: Resp.Value, origin: Origin): void {
    if (this.asking && this.answered === 1) return
    const missing = origin.scripts?.isMissing(this.#script, this.#form, value) === true
    if (this.settled || !missing || origin.again === undefined) return super.reply(value, origin)
    this.renew(this.asking, false)
    this.#needsText = true
    origin.again(this)
  }
}

export type { Outcome } from "./outcome.ts"

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
   * its script was missing; and the request that sends those commands once more.
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
    return this.commands[this.written - 1]?.spec === asking.spec ? this.written + 1 : this.written
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
      this.#missingFrom = undefined
      return outcome(command, position, value, origin)
    }
    this.#missingFrom ??= index
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
    const others = new Losses(besides(error))
    let losses = new Losses(error)
    const sent = this.#rest === undefined ? this.#due : this.#outcomes.length + this.#rest.written
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

/** The reader of a reply that has come in part. Of a reply whose caller has gone away, nothing is kept. */
const readerOf = ({ settled }: Request, command: RedisCommand.Any, origin: Origin): Reader | undefined =>
  settled ? forgetting : reader(command, origin.replaceInvalidText)

/**
 * Requests that wait to be written, in the order in which they came. The links are fields of the requests, so that one
 * in the middle is removed in constant time.
 *
 * The list of deadlines has the same body with other links, and the two share no code. Measured: to add a request to
 * both and to remove it takes 7 ns, with methods that read and set the links 10 ns, and with the names of the links as
 * parameters 300 ns.
 */
export class RequestQueue {
  #head: Request | undefined = undefined
  #tail: Request | undefined = undefined
  #length = 0

  /** The number of requests. */
  get length(): number {
    return this.#length
  }

  /** The first request, left in its place. */
  get first(): Request | undefined {
    return this.#head
  }

  push(request: Request): void {
    request.queue = this
    request.previous = this.#tail
    request.next = undefined
    if (this.#tail === undefined) this.#head = request
    else this.#tail.next = request
    this.#tail = request
    this.#length++
  }

  remove(request: Request): void {
    if (request.previous === undefined) this.#head = request.next
    else request.previous.next = request.next
    if (request.next === undefined) this.#tail = request.previous
    else request.next.previous = request.previous
    request.queue = undefined
    request.previous = undefined
    request.next = undefined
    this.#length--
  }

  shift(): Request | undefined {
    const request = this.#head
    if (request !== undefined) this.remove(request)
    return request
  }

  /** Removes a request that is done. Subclasses that react to callers who go away override `remove`, and not this. */
  release(request: Request): void {
    this.remove(request)
  }

  /** The error of a request whose time passes in this queue; `undefined` when nothing is known of what it waits for. */
  late(_limit: number, _request: Request): TimeoutError | undefined {
    return undefined
  }

  /** Takes all requests out. What callers add meanwhile is not among them. */
  takeAll(): Array<Request> {
    const all: Array<Request> = []
    for (let request = this.shift(); request !== undefined; request = this.shift()) all.push(request)
    return all
  }
}
