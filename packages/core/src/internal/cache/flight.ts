/**
 * A read under way whose answer is to be kept, and the callers that wait for it.
 *
 * It is sent after the command that has the server report changes of its keys from then on, on the
 * same connection and with nothing in between, and before what asks how long
 * the keys live. So the server tells of every change after the read; what it
 * tells before the answer is here may be of a change after it as well, and marks
 * the flight.
 *
 * The callers join a request, and not a fiber as with `Flights`: each is a request itself, with a deadline, and gets its
 * answer when the reply is read.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import { ConnectionError, fromReply } from "../../RedisError.ts"
import type { CommandError, Delivery } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import { RequestQueue } from "../connection/request.ts"
import type { Origin, Request, Resending } from "../connection/request.ts"
import { asking, SingleRequest } from "../connection/singleRequest.ts"
import { timeLimit } from "../error/events.ts"
import { present } from "../error/present.ts"
import { stackless } from "../error/stackless.ts"
import type { Mode, Tracking } from "../tracking/tracking.ts"
import * as Lives from "./lives.ts"

/** A caller that waits for the answer to a flight. It has a deadline like every request, but is not sent itself. */
export class Waiter<A> extends SingleRequest<A> {
  readonly #flight: Flight

  constructor(
    command: RedisCommand.RedisCommand<A>,
    flight: Flight,
    resume: (exit: Exit.Exit<A, CommandError>) => void
  ) {
    super(command, undefined, resume)
    this.#flight = flight
    flight.waiters.push(this)
  }

  override get delivery(): Delivery {
    return this.#flight.delivery
  }

  override expire(limit: number): void {
    const flight = this.#flight
    this.fail(flight.queue?.late(limit, flight) ?? timeLimit("read", limit, flight.address))
  }
}

/** The queue of the callers that wait. */
class Waiters extends RequestQueue {
  readonly #onNobody: () => void

  constructor(onNobody: () => void) {
    super()
    this.#onNobody = onNobody
  }

  override remove(request: Request): void {
    super.remove(request)
    if (this.length === 0) this.#onNobody()
  }
}

/**
 * - `onEnd`: takes the flight and its outcome, before the callers do. `onNobody`: called when the last caller has gone.
 */
export interface FlightOptions {
  readonly mode: Mode
  readonly onEnd: (flight: Flight, answer: Exit.Exit<Resp.Value, CommandError>) => void
  readonly onNobody: (flight: Flight) => void
}

export class Flight extends SingleRequest<Resp.Value> {
  readonly waiters: RequestQueue
  /** The names of the command's keys, and what it is under the first of them. */
  readonly names: ReadonlyArray<string>
  readonly rest: string
  /** The time at which the flight began. */
  readonly began: number
  /**
   * Whether a key may have changed since the flight was sent. Its answer is then for the callers that wait, and for
   * nobody else.
   */
  marked = false
  #origin: Origin | undefined = undefined
  readonly #mode: Mode
  /** The commands that are sent before the read, and after it. */
  #preparation: ReadonlyArray<RedisCommand.Any> = [askForNext]
  #addition: ReadonlyArray<RedisCommand.Any> = []
  #answer: Resp.Value | undefined = undefined
  #life = Infinity
  /** Whether the server is to report changes of the keys over this connection. */
  #tracked = false
  /** The reason why there is no answer although the server gives one. */
  #refusal: CommandError | undefined = undefined

  constructor(
    command: RedisCommand.Any,
    read: { readonly names: ReadonlyArray<string>; readonly rest: string; readonly began: number },
    options: FlightOptions
  ) {
    super(RedisCommand.undecoded(command), undefined, (answer) => options.onEnd(this, answer))
    this.names = read.names
    this.rest = read.rest
    this.began = read.began
    this.#mode = options.mode
    this.waiters = new Waiters(() => {
      if (!this.settled) options.onNobody(this)
    })
  }

  /** The connection that the flight was sent on last. */
  get origin(): Origin | undefined {
    return this.#origin
  }

  /** What the server reports of the keys over that connection; `undefined` when it reports nothing. */
  get tracking(): Tracking | undefined {
    const tracking = this.#tracked ? this.#origin?.tracking : undefined
    return tracking?.ended === false ? tracking : undefined
  }

  /**
   * How many milliseconds the keys still live, and the fields. The client keeps count itself, because servers delete late what
   * nobody asks for, and report it even later.
   */
  get life(): number {
    return this.#life
  }

  /** Whether the server may already have run the flight. */
  get hasLeft(): boolean {
    return this.written > 0
  }

  override get count(): number {
    return this.#preparation.length + 1 + this.#addition.length
  }

  override get isKept(): boolean {
    return true
  }

  /**
   * A flight that has begun to be written has to be written to its end: the server would take the next command for the
   * read.
   */
  protected override get committed(): boolean {
    return this.written > 0
  }

  override renew(resending: Resending): void {
    super.renew(resending)
    this.#origin = undefined
    this.#preparation = [askForNext]
    this.#addition = []
    this.#answer = undefined
    this.#life = Infinity
    this.#tracked = false
    this.#refusal = undefined
  }

  override encode(encoder: RespEncoder, origin: Origin): void {
    if (this.written === 0) this.#begin(origin)
    const index = this.written - this.#preparation.length
    if (index === 0) return this.refuse(RedisCommand.encodeInto(this.command, encoder))
    // The connection encodes `count` times, so the index is in range.
    RedisCommand.encodeInto(index < 0 ? this.#preparation[this.written]! : this.#addition[index - 1]!, encoder)
  }

  #begin(origin: Origin): void {
    this.#origin = origin
    const { tracking } = origin
    if (this.asking) {
      // ASKING applies to the next command, and so does CLIENT CACHING, so the two cannot be combined.
      this.#preparation = [asking]
      return
    }
    this.#preparation = []
    if (tracking?.protocol !== 3) {
      this.#refusal = this.#unusable(origin, onlyResp3)
    } else if (tracking.mode !== undefined && !isSame(tracking.mode, this.#mode)) {
      this.#refusal = this.#unusable(origin, otherMode)
    } else {
      this.#tracked = !tracking.ended
      this.#preparation = [
        ...(tracking.mode === undefined ? [askForAll(this.#mode)] : []),
        ...(this.#mode === "read" ? [askForNext] : [])
      ]
      this.#addition = Lives.asking(this.command, tracking)
      tracking.begin(this.#mode)
    }
  }

  /** The error of a connection that cannot keep answers. A command that is not to be kept can use the connection. */
  #unusable({ address }: Origin, detail: string): ConnectionError {
    return stackless(() =>
      new ConnectionError({
        reason: "NotCacheable",
        detail,
        permanent: true,
        command: this.command.spec.name,
        // Whatever the server has answered only reads.
        delivery: "unknown",
        readonly: true,
        ...present({ address })
      })
    )
  }

  override reply(value: Resp.Value, origin: Origin): void {
    const index = this.answered - this.#preparation.length
    if (index < 1) {
      if (value instanceof Resp.ErrorReply && !this.asking) this.#refused(value, origin)
    } else if (index === 1) this.#answer = value
    else {
      this.#life = Math.min(this.#life, Lives.said(value))
      // The answer is to one of these commands, so the index is in range.
      Lives.learn(this.#addition[index - 2]!, value, origin.tracking)
    }
    if (this.answered < this.count || this.settled) return
    // All is answered, so the flight may be sent elsewhere.
    const answer = this.#answer ?? null
    // An error of the read itself comes before one of the commands around it.
    if (this.#refusal === undefined || answer instanceof Resp.ErrorReply) return super.reply(answer, origin)
    this.conclude(Exit.fail(this.#refusal))
  }

  /** Takes the refusal of a server that does not report changes of keys. */
  #refused(error: Resp.ErrorReply, { address, tracking }: Origin): void {
    this.#tracked = false
    // The refusal is the answer to one of these commands, so the index is in range.
    const { spec } = this.#preparation[this.answered - 1]!
    this.#refusal ??= fromReply(error, { command: spec.name, secrets: [], address, index: undefined, runsCode: false })
    if (tracking?.mode === undefined) return
    tracking.refuse()
    tracking.renew("Untracked")
  }
}

const isSame = (one: Mode, other: Mode): boolean => String(one) === String(other)

const onlyResp3 = "Client-side caching needs RESP3, and this connection speaks RESP2"

const otherMode = "Another client on the same pool has the server tell of other keys than this one's cache needs"

/** Has the server report changes of what the next command reads. */
const askForNext = RedisCommand.make({
  spec: new RedisCommand.Spec("CLIENT CACHING", []),
  args: () => ["YES"],
  reply: RedisReply.raw
})

const trackingSpec = new RedisCommand.Spec("CLIENT TRACKING", [])

/** Has the server report changes of keys over this connection at all. */
const askForAll = (mode: Mode): RedisCommand.Any =>
  RedisCommand.make({
    spec: trackingSpec,
    args: () => mode === "read" ? ["ON", "OPTIN"] : ["ON", "BCAST", ...mode.flatMap((prefix) => ["PREFIX", prefix])],
    reply: RedisReply.raw
  })
