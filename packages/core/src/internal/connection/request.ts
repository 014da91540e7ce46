/**
 * A request: commands that go out together, and the caller who waits for their
 * replies. It is in one place at a time: waiting in a {@link RequestQueue}, in
 * flight on a connection, or settled.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { DataError } from "../../RedisError.ts"
import type { CommandError, Delivery } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import { forgetting } from "../codec/gather.ts"
import type { Reader } from "../codec/gather.ts"
import { decodeOrThrow, reader, undecodable } from "../command/decode.ts"
import { besides, connectionLoss } from "../error/events.ts"
import { Suspension } from "../runtime/suspension.ts"
import type { Resume } from "../runtime/suspension.ts"
import { formOf } from "../script/knownScripts.ts"
import type { Form, KnownScripts } from "../script/knownScripts.ts"
import type { Keepers, Tracking } from "../tracking/tracking.ts"
import { errorAsItIs, errorOf, failed, outcome } from "./outcome.ts"
import type { Replies } from "./outcome.ts"
import type { Deadline, Timed } from "./timed.ts"

/**
 * What a reply came from.
 *
 * - `scripts`: those that the server at the other end has. `again`: sends a request over the same connection once more.
 * - `tracking`: what the server tells of keys over this connection. `keepers`: who keeps answers, and is told of writes.
 */
export interface Origin extends Replies {
  readonly scripts?: KnownScripts | undefined
  readonly again?: ((request: Request) => void) | undefined
  readonly tracking?: Tracking | undefined
  readonly keepers?: Keepers | undefined
}

/**
 * Who may send a request somewhere else instead of settling it.
 *
 * - `onRefusal`: takes an error reply and where it came from, `onLoss` the loss of a connection; either returns whether it
 *   sees to the request.
 */
export interface Redirector {
  readonly onRefusal: (request: Request, error: Resp.ErrorReply, address: string) => boolean
  readonly onLoss: (request: Request, error: CommandError) => boolean
}

/** Takes a request to where it is sent from. */
export type Send = (request: Request) => void

const nowhere: Send = () => {}

/** What few requests come to. */
interface Detour {
  redirects: number
  asking: boolean
  /** Whether a server that it was sent to before can have run it. */
  mayHaveRun: boolean
  /** What kept it from being encoded. */
  unsendable: DataError | undefined
}

/** An Effect that is sent when a fiber runs it, and given up when the fiber is interrupted. */
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

  /** How many commands were encoded, and how many replies have come. */
  written = 0
  answered = 0

  /** Who may send it elsewhere. */
  redirector: Redirector | undefined = undefined
  #detour: Detour | undefined = undefined
  protected readonly send: Send

  constructor(send: Send | undefined, resume: Resume<A, E> | undefined) {
    super(resume)
    this.send = send ?? nowhere
  }

  /** The command whose keys say where to send it. */
  abstract readonly leading: RedisCommand.Any
  /** All of its commands. */
  abstract readonly commands: ReadonlyArray<RedisCommand.Any>
  /** The number of commands to write, and so of replies. */
  abstract readonly count: number
  /** How long the server may hold back its answers, beyond the time that it takes to make them. */
  abstract readonly blockMilliseconds: number

  /** Whether its answer is kept: no replica may give it, and it has its place among what the server tells of changes. */
  get isKept(): boolean {
    return false
  }

  /** Encodes the next command, for the connection that replies come from. */
  abstract encode(encoder: RespEncoder, origin: Origin): void
  /** Takes the next reply. Called `count` times, also after the caller has gone away. */
  abstract reply(value: Resp.Value, origin: Origin): void
  /** How the next reply is read that has come in part, `undefined` for as a whole. */
  abstract reader(origin: Origin): Reader | undefined
  /** Settles with what befell the connection. */
  abstract fail(error: CommandError): void

  protected begin(): void {
    this.send(this)
  }

  /** How often it was sent elsewhere. */
  get redirects(): number {
    return this.#detour?.redirects ?? 0
  }

  /** Whether ASKING goes before it. */
  get asking(): boolean {
    return this.#detour !== undefined && this.#detour.asking
  }

  set asking(asking: boolean) {
    if (asking !== this.asking) this.detour.asking = asking
  }

  protected get detour(): Detour {
    return this.#detour ??= { redirects: 0, asking: false, mayHaveRun: false, unsendable: undefined }
  }

  /** Whether there is a detour. */
  protected get strayed(): boolean {
    return this.#detour !== undefined
  }

  /** Prepares it to be sent again; nothing must hold it. `mayHaveRun`: whether it can have been run already. */
  renew(asking: boolean, mayHaveRun: boolean): void {
    const { detour } = this
    detour.mayHaveRun ||= mayHaveRun
    detour.asking = asking
    detour.redirects++
    this.written = 0
    this.answered = 0
  }

  /** Whether the server can have run what has no reply yet. */
  get delivery(): Delivery {
    return this.written === 0 && this.#detour?.mayHaveRun !== true ? "not-sent" : "unknown"
  }

  /**
   * What is not yet written is never sent; what is keeps its place in flight, and
   * its replies are dropped.
   */
  protected abandon(): void {
    this.release()
  }

  /** Whether the rest has to be written, whatever becomes of the caller. */
  protected get committed(): boolean {
    return false
  }

  protected release(): void {
    this.deadline?.list.remove(this)
    if (!this.committed) this.queue?.remove(this)
  }
}

/** Goes before what an ASK has sent elsewhere. Without traits: the next command uses its effect up. */
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

  /** ASKING alone would be for whatever command comes next. */
  protected override get committed(): boolean {
    return this.asking && this.written > 0
  }

  encode(encoder: RespEncoder, _origin: Origin): void {
    this.refuse(RedisCommand.encodeInto(this.asking && this.written === 0 ? asking : this.command, encoder))
  }

  /** Has it fail with what kept it from being encoded: its place is taken, and whatever comes for it means this. */
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
      // The command has the types of its decoder.
      answer = decodeOrThrow(this.command, value, origin.replaceInvalidText) as A
    } catch (error) {
      return this.conclude(undecodable(this.command, error))
    }
    // Not within the attempt: who waited goes on here, and what it throws is its own.
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

  /** Whether the redirector saw to it. One that breaks costs this request, and not those behind it on the connection. */
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

  /** Hands over the outcome, when nothing holds the request any more. */
  protected conclude(exit: Exit.Exit<A, CommandError>): void {
    this.release()
    const unsendable = this.strayed ? this.detour.unsendable : undefined
    this.settle(unsendable === undefined ? exit : Exit.fail(unsendable))
  }
}

/** A request of one command, as an effect that sends it: or with `resume`, for whoever sends it himself. */
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
  /** Somebody else may have taught the server the script meanwhile, or not this one of several behind an address. */
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

/** The outcome of one command of a batch. */
export type Outcome = Exit.Exit<unknown, CommandError>

/**
 * Commands to write one right after the other.
 *
 * - `positions`: where they stand in the pipeline that they are a part of.
 * - `atomic`: once the first is written all are, whatever becomes of the caller.
 * - `withTexts`: scripts are not named by their digests, whatever is known of them.
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
  readonly #outcomes: Array<Outcome> = []
  /** The commands that could not be encoded, by their index. */
  #unsendable: Map<number, DataError> | undefined = undefined
  /** Those that were sent by digest; from where on all were not run for want of their scripts; and their second try. */
  #byDigest: Set<number> | undefined = undefined
  #missingFrom: number | undefined = undefined
  #rest: BatchRequest | undefined = undefined

  constructor(batch: Batch, send: Send | undefined, resume?: Resume<ReadonlyArray<Outcome>, never>) {
    super(send, resume)
    this.#batch = batch
    this.commands = batch.commands
    this.#positions = batch.positions
    this.#atomic = batch.atomic === true
    // In a transaction it would be too late for the text when the digest turned out to be unknown.
    this.#withTexts = this.#atomic || batch.withTexts === true
  }

  protected again(): BatchRequest {
    return new BatchRequest(this.#batch, this.send)
  }

  get leading(): RedisCommand.Any {
    // There is a command: empty batches are not sent.
    return this.commands.find((command) => RedisCommand.firstKey(command) !== undefined) ?? this.commands[0]!
  }

  /** Given up between two writes, a batch that may do so ends with what was written of it. */
  get count(): number {
    return this.settled && !this.committed ? this.written : this.commands.length
  }

  protected override get committed(): boolean {
    return this.#atomic && this.written > 0
  }

  get blockMilliseconds(): number {
    return this.commands.reduce((sum, command) => sum + RedisCommand.blockMilliseconds(command), 0)
  }

  encode(encoder: RespEncoder, origin: Origin): void {
    // In range: the connection encodes `count` times.
    const command = this.commands[this.written]!
    const { script } = command.spec
    const byDigest = script !== undefined && !this.#withTexts && formOf(script, origin.scripts) === "digest"
    const error = RedisCommand.encodeInto(command, encoder, byDigest ? undefined : script)
    if (byDigest) (this.#byDigest ??= new Set()).add(this.written)
    if (error !== undefined) (this.#unsendable ??= new Map()).set(this.written, error)
  }

  reply(value: Resp.Value, origin: Origin): void {
    if (this.settled) return
    const index = this.#outcomes.length
    if (origin.keepers !== undefined) this.#wrote(index, origin.keepers)
    // In range: there is one reply a command.
    this.#outcomes.push(this.#refusal(index) ?? this.#outcomeOf(this.commands[index]!, index, value, origin))
    if (this.#outcomes.length === this.commands.length && !this.#runsRest(origin)) this.#settle()
  }

  reader(origin: Origin): Reader | undefined {
    // In range: there is one reply a command, and this one is still to come. Of a settled one it does not matter which it is.
    return readerOf(this, this.commands[this.#outcomes.length]!, origin)
  }

  /** In a transaction nothing is written before its end. */
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
    // Only errors say so.
    return Exit.fail(errorAsItIs(command, value as Resp.ErrorReply, origin, position))
  }

  /**
   * Sends what was not run for want of its scripts once more, with their text: but only the end of the batch. What
   * stands before something that was run cannot be run in its place any more.
   */
  #runsRest({ again }: Origin): boolean {
    const from = this.#missingFrom
    if (from === undefined || again === undefined) return false
    this.#missingFrom = undefined
    this.#outcomes.length = from
    const batch = {
      commands: this.commands.slice(from),
      positions: this.commands.slice(from).map((_, index) => this.#positions?.[from + index] ?? from + index),
      withTexts: true
    }
    this.#rest = new BatchRequest(batch, undefined, (exit) => {
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
    const others = besides(error)
    let own = error
    for (let index = this.#outcomes.length; index < this.commands.length; index++) {
      const delivery = index < this.written || this.committed ? "unknown" : "not-sent"
      this.#outcomes.push(
        this.#refusal(index) ?? failed(this.commands[index]!, own, delivery, this.#positions?.[index] ?? index)
      )
      own = others
    }
    this.#settle()
  }

  #refusal(index: number): Outcome | undefined {
    const error = this.#unsendable?.get(index)
    if (error === undefined) return undefined
    const { command, detail } = error
    return Exit.fail(new DataError({ command, detail, index: this.#positions?.[index] ?? index }))
  }

  protected override abandon(): void {
    super.abandon()
    this.#rest?.cancel()
  }

  #settle(): void {
    this.release()
    this.settle(Exit.succeed(this.#outcomes))
  }
}

/** How a reply is read that has come in part; one whose caller has gone away is not kept. */
const readerOf = ({ settled }: Request, command: RedisCommand.Any, origin: Origin): Reader | undefined =>
  settled ? forgetting : reader(command, origin.replaceInvalidText)

/**
 * Requests that wait to be written, first come first served. Linked through the
 * requests themselves, so that one in the middle goes away in constant time.
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

  /** Takes a request out that is done, which is nobody's going away. */
  release(request: Request): void {
    this.remove(request)
  }

  /** Takes all requests out, so that what callers add meanwhile is not among them. */
  takeAll(): Array<Request> {
    const all: Array<Request> = []
    for (let request = this.shift(); request !== undefined; request = this.shift()) all.push(request)
    return all
  }
}
