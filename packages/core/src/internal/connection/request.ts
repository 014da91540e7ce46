/**
 * A request: commands that are written together, and the caller that waits for their replies. A request is in one place
 * at a time: it waits in a {@link RequestQueue}, is in flight on a connection, or is settled.
 */
import type * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError, DataError, Delivery, TimeoutError } from "../../RedisError.ts"
import type * as Resp from "../../Resp.ts"
import type { RespEncoder } from "../../RespEncoder.ts"
import { forgetting } from "../codec/gather.ts"
import type { Reader } from "../codec/gather.ts"
import { timeLimit } from "../error/events.ts"
import { reader } from "../reply/decode.ts"
import { Suspension } from "../runtime/suspension.ts"
import type { Resume } from "../runtime/suspension.ts"
import type { KnownScripts } from "../script/knownScripts.ts"
import type { Keepers, Tracking } from "../tracking/tracking.ts"
import type { Replies } from "./outcome.ts"
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

/** How a request is sent once more: whether ASKING is written before it, and whether a server may have run it already. */
export type Resending = Readonly<Pick<Detour, "asking" | "mayHaveRun">>

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

  /** Prepares the request to be sent again, when no queue and no connection holds it. */
  renew({ asking, mayHaveRun }: Resending): void {
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

/** The reader of a reply that has come in part. Nothing is kept of a reply whose caller has gone away. */
export const readerOf = ({ settled }: Request, command: RedisCommand.Any, origin: Origin): Reader | undefined =>
  settled ? forgetting : reader(command, origin.textDecoding)

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

/** Fails all requests of a queue: those of a connection that was lost before they were written, where nobody carries them over. */
export const failAll = (requests: RequestQueue, error: CommandError): void => {
  for (const request of requests.takeAll()) request.fail(error)
}
