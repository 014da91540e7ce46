/**
 * Requests of one command.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import type { Reader } from "../codec/gather.ts"
import { connectionLoss } from "../error/events.ts"
import { decodeOrThrow, undecodable } from "../reply/decode.ts"
import type { Resume } from "../runtime/suspension.ts"
import { formOf } from "../script/knownScripts.ts"
import type { Form } from "../script/knownScripts.ts"
import { errorByReply, failed } from "./outcome.ts"
import { readerOf, Request } from "./request.ts"
import type { Origin, Redirector, Send } from "./request.ts"

/**
 * The command that is written before a request which an ASK has sent elsewhere. It has no traits, because the next
 * command uses its effect up.
 */
export const asking = RedisCommand.make({
  spec: new RedisCommand.Spec("ASKING", []),
  args: () => [],
  reply: RedisReply.raw
})

/** Whether a command means nothing but together with the one that comes next. */
export const isAsking = (command: RedisCommand.Any | undefined): boolean => command?.spec === asking.spec

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
    this.conclude(Exit.fail(errorByReply(this.command, value, origin)))
  }

  #answer(value: Resp.Value, origin: Origin): void {
    let answer: A
    try {
      // The command has the types of its decoder, so the answer is an A.
      answer = decodeOrThrow(this.command, value, origin.textDecoding) as A
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
    this.renew({ asking: this.asking, mayHaveRun: false })
    this.#needsText = true
    origin.again(this)
  }
}
