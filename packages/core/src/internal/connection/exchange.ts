/**
 * Pairs requests with replies on one connection. There is no Effect and no I/O in this module: the writer of the
 * connection takes bytes out, and its reader puts replies in.
 *
 * Invariants:
 *
 * - The commands of a request are encoded without a command of another request in between.
 * - The requests in flight are in the order of their bytes.
 * - Every encoded command takes exactly one reply, whether or not its caller is still there.
 * - The socket holds memory of a caller, or is yet to be given it, only while the caller waits.
 */
import type * as RedisCommand from "../../RedisCommand.ts"
import { ProtocolError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import * as Resp from "../../Resp.ts"
import type { RespDecoder } from "../../RespDecoder.ts"
import { LEND_FROM, LEND_SHORT_FROM, RespEncoder } from "../../RespEncoder.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"
import { SHARED_FROM } from "../codec/sharedText.ts"
import { besides, connectionLoss } from "../error/events.ts"
import { queueMicrotask } from "../runtime/microtask.ts"
import { give } from "./give.ts"
import { Halves } from "./halves.ts"
import { InFlight } from "./inFlight.ts"
import { Lending } from "./lending.ts"
import { Pieces } from "./pieces.ts"
import { failAll, RequestQueue } from "./request.ts"
import type { Origin, Request } from "./request.ts"

export interface ExchangeOptions {
  readonly origin: Origin & { readonly address: string }
  /** The limits of what is in flight. One request is always admitted. */
  readonly maxCommands: number
  readonly maxBytes: number
  /** Whether the socket reads nothing any more of what it was given; absent where that is not known. */
  readonly done?: (() => boolean) | undefined
  /** Called when there is something to write. */
  readonly onWork: () => void
  /** Called when what there is to write should not wait any longer. */
  readonly onFlush: () => void
  /** Called with out-of-band data; returns whether the data is the answer to the first command in flight after all. */
  readonly onPush: (items: ReadonlyArray<Resp.Value>) => boolean
  /**
   * Whether arrays are out-of-band data as well. A subscriber gets its messages as arrays where the protocol has no
   * push.
   */
  readonly subscriber?: boolean | undefined
  /** Called with each reply, and with whether a reply is owed; returns whether no command asked for this reply. */
  readonly onUnasked?: ((value: Resp.Value, owed: boolean) => boolean) | undefined
  /** Called once, with the error that ended the exchange and the requests of which nothing was written. */
  readonly onClose: (failure: CommandError, unsent: RequestQueue) => void
}

/**
 * The caller that has the connection alone.
 *
 * - `wrote`: called with each command that is written. `denied`: called with each refusal of the server, and with the number of
 *   replies before it; returns the error that ends the connection over it.
 * - `isAlone`: whether nothing may be written but what the holder sends: in a transaction that was begun by name the server
 *   would queue it, and answer it in the reply to EXEC. A holder who has become another user stays that one.
 * - `dismiss`: has the connection closed when it is given back.
 */
export interface Holder {
  readonly wrote: (command: RedisCommand.Any) => void
  readonly denied: (replies: number, error: Resp.ErrorReply) => CommandError | undefined
  readonly isAlone: boolean
  readonly dismiss: () => void
}

/** The number of bytes after which a write is handed over, so that a huge pipeline does not become one giant buffer. */
const writeSize = 1024 * 1024

/** The bytes that even a slow network takes in a millisecond. A command that is still on its way cannot be answered. */
const slowestUpload = 1000

/**
 * The milliseconds in which that network takes what a socket has taken and the server has not got. The buffers of Linux hold 4 MB
 * of that at the most, and there is a piece that is being taken.
 */
const longestRest = 8000

export class Exchange {
  readonly #options: ExchangeOptions
  readonly #waiting = new RequestQueue()
  /** The requests of the connection itself, which wait while it is its holder's alone. */
  readonly #aside = new RequestQueue()
  #holder: Holder | undefined = undefined
  readonly #inFlight = new InFlight()
  readonly #encoder = new RespEncoder()
  /** The encoded chunks that the socket is given once it has taken the chunks before them. */
  readonly #pieces = new Pieces(writeSize, LEND_FROM)
  /** The requests whose callers' memory the socket holds. */
  readonly #lending: Lending
  /** Whether the socket has yet to ask for more: from when it was given something, or is about to be. */
  #taking = false
  #written = 0
  #handed = 0
  #received = 0
  #replies = 0
  readonly #halves = new Halves()
  #rests = false
  #failure: CommandError | undefined = undefined
  /** Why the exchange takes nothing more, and whether it waits for its answers however long they take. */
  #leaving: { readonly failure: CommandError; readonly patient: boolean } | undefined = undefined

  constructor(options: ExchangeOptions) {
    this.#options = options
    const { done } = options
    this.#lending = new Lending({
      // Before the socket asks for more it may have yet to be given some: the next pieces of the same memory.
      done: done && (() => !this.#taking && done()),
      // The caller is told first why it goes away. Nothing is written meanwhile, as that takes another turn.
      onTorn: () => queueMicrotask(() => this.close(this.#torn()))
    })
  }

  /** The number of requests that are not written yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The number of commands that are written and not answered. */
  get inFlight(): number {
    return this.#failure === undefined ? this.#written - this.#replies : 0
  }

  /** The number of commands that were written so far. */
  get written(): number {
    return this.#written
  }

  /** The number of writes that the socket was given. Of the bytes of earlier ones it may still hold 64 KB at the most. */
  get handed(): number {
    return this.#handed
  }

  /** The number of times that anything has come from the server: replies, or a piece of one. */
  get received(): number {
    return this.#received
  }

  /** The number of replies that have come in full. */
  get replies(): number {
    return this.#replies
  }

  /** Whether the caller that the next reply is for has gone away, for instance because its time was up. */
  get abandoned(): boolean {
    return this.inFlight > 0 && this.#inFlight.first?.settled === true
  }

  /** Sets the limits of every command that is written from now on. */
  limit({ argumentBytes, argumentCount }: { readonly argumentBytes: number; readonly argumentCount: number }): void {
    this.#encoder.maxBytes = argumentBytes
    this.#encoder.maxWords = argumentCount
  }

  /** Whether no request waits and none is unanswered, so that somebody else can have the connection. */
  get idle(): boolean {
    return this.inFlight === 0 && this.#waiting.length === 0 && this.#leaving === undefined
  }

  /**
   * The milliseconds for which the server may hold back its next answer; `undefined` when it owes none. They include
   * the time in which what was written reaches the server: as long as the socket goes on taking it, and for what it has taken.
   *
   * - `taking`: the milliseconds since the server's last answer after which the socket took something last.
   */
  heldBack(taking: number): number | undefined {
    const first = this.inFlight > 0 ? this.#inFlight.first : undefined
    if (first === undefined) return undefined
    return first.blockMilliseconds + Math.min(Math.floor(this.#inFlight.bytes / slowestUpload), taking + longestRest)
  }

  get closed(): boolean {
    return this.#failure !== undefined
  }

  /** Takes a request. The request settles with its replies, or with the error that ended the exchange. */
  readonly submit = (request: Request): void => {
    if (this.#failure !== undefined) return request.fail(this.#failure)
    this.#waiting.push(request)
    this.#options.onWork()
  }

  /** Sets the caller that has the connection alone from now on; `undefined` for none. */
  set holder(holder: Holder | undefined) {
    this.#holder = holder
    if (this.#aside.length > 0) this.#options.onWork()
  }

  /** Takes a request of one command of the connection itself, which waits while it is its holder's alone. */
  readonly submitAside = (request: Request): void => {
    if (this.#holder === undefined || this.#failure !== undefined) return this.submit(request)
    this.#aside.push(request)
    this.#options.onWork()
  }

  /**
   * Encodes as many requests as the limits admit, and takes their bytes. It is to be called when the socket has taken
   * the bytes before, and no later.
   */
  encode(): ReadonlyArray<Uint8Array | string> {
    this.#taking = false
    const rest = this.#pieces.take()
    const chunks = rest.length > 0 ? rest : this.#encodeNext()
    this.#taking = chunks.length > 0
    if (this.#taking) this.#handed++
    return chunks
  }

  #encodeNext(): ReadonlyArray<Uint8Array | string> {
    if (this.#lending.settle()) this.#encoder.recycle()
    let request = this.#next
    while (request !== undefined && this.#admits(request) && this.#encoder.size < writeSize) {
      this.#encodeSome(request)
      if (request.written < request.count) break
      request.queue?.remove(request)
      if (this.#encoder.lent) {
        this.#encoder.lent = false
        this.#lending.push(request)
      }
      request = this.#next
    }
    const { size } = this.#encoder
    if (size === 0) return []
    if (this.#isLarge) this.#halves.skip()
    else this.#halves.wrote(this.inFlight)
    const chunks = this.#encoder.take()
    if (size < 2 * writeSize) return chunks
    this.#pieces.push(chunks)
    return this.#pieces.take()
  }

  /**
   * Whether what is in flight is large on the average. Halves would be more than the socket takes at once, and bytes of callers are
   * copied after that: SET of 32 KB from bytes by 10 fibers takes 25 µs of processor time by halves and 15 together.
   */
  get #isLarge(): boolean {
    return this.#inFlight.bytes >= this.inFlight * LEND_SHORT_FROM
  }

  /** The request to be written next. What was written before it says whether the connection is its holder's alone. */
  get #next(): Request | undefined {
    const first = this.#waiting.first
    if (this.#aside.length === 0 || this.#holder?.isAlone === true || (first?.written ?? 0) > 0) return first
    return this.#aside.first
  }

  /** Whether there is something to write, and the limits admit it. */
  get writable(): boolean {
    const next = this.#next
    return next !== undefined && this.#admits(next)
  }

  #admits(request: Request): boolean {
    const { maxBytes, maxCommands } = this.#options
    if (this.#leaving !== undefined && request.written === 0) return false
    if (this.inFlight === 0) return true
    if (this.inFlight >= maxCommands) return false
    return this.#inFlight.bytes < maxBytes || request.written > 0
  }

  #encodeSome(request: Request): void {
    const encoder = this.#encoder
    const { origin } = this.#options
    if (request.written === 0) {
      this.#inFlight.push(request)
      request.address = origin.address
    }
    // A request of several commands may be written in parts, and could be given up between two of them.
    encoder.lend = request.count === 1
    encoder.lendFrom = this.#lending.lendFrom(this.#inFlight.bytes)
    const before = encoder.size
    do {
      request.encode(encoder, origin)
      this.#holder?.wrote(request.commands[request.written] ?? request.leading)
      request.written++
      this.#written++
    } while (
      request.written < request.count && this.inFlight < this.#options.maxCommands && encoder.size < writeSize
    )
    this.#inFlight.addBytes(encoder.size - before)
  }

  /**
   * Gives replies to their requests, from an index on, and returns the index to go on at: it may rest before the end.
   */
  receive(values: ReadonlyArray<Resp.Value>, from = 0): number {
    this.#rests = false
    this.#received++
    // A socket that takes all at once asks for more before anything comes.
    if (this.#taking) this.#lending.noteWait()
    if (from === 0) this.#halves.came(values, this.inFlight)
    const origin = this.#options.origin
    let i = from
    while (i < values.length && !this.#rests) {
      const value = values[i++]!
      if (value instanceof Resp.Push) {
        if (!this.#options.onPush(value.items)) continue
      } else if (
        this.#options.subscriber === true && isReadonlyArray<Resp.Value>(value) && !this.#options.onPush(value)
      ) {
        continue
      }
      const request = this.#owed()
      const owed = request !== undefined && request.answered !== request.written
      if (this.#options.onUnasked?.(value, owed) === true) continue
      if (!owed) {
        // A caller that an earlier reply has resumed may have closed the connection. Then the rest belongs to nobody.
        if (this.#failure === undefined) this.close(this.#unexpected())
        return values.length
      }
      const end = value instanceof Resp.ErrorReply ? this.#holder?.denied(this.#replies, value) : undefined
      this.#replies++
      const isComplete = ++request.answered === request.count
      if (isComplete) this.#shift(request)
      give(value, request, origin)
      if (end !== undefined) this.close(end)
      if (!this.#halves.gave() || this.inFlight === 0) continue
      // The push may tell of a key that the reply is about. A read of it that is sent first could not be cached.
      if (values[i] instanceof Resp.Push) continue
      if (this.writable) this.#options.onFlush()
      else if (isComplete) this.#rest()
    }
    if (this.writable) this.#options.onWork()
    else this.#leaveWhenDone()
    return i
  }

  /** Rests once a write, as callers of promises ask for more in tasks of their own, and others do not ask for more. */
  #rest(): void {
    this.#rests = true
    this.#halves.skip()
  }

  /** Whether the exchange rests: its reader gives other fibers a turn before the next values. */
  get rests(): boolean {
    return this.#rests
  }

  /** How many of the next replies are for the same caller, where they are many. */
  get alike(): number {
    const request = this.#inFlight.first
    const owed = request === undefined ? 0 : request.written - request.answered
    return owed < SHARED_FROM ? 0 : owed
  }

  /**
   * Has a reply that has come in part read by the command that it is for. It is to be called when the replies before it
   * were received.
   */
  gather(decoder: RespDecoder): void {
    const { onUnasked, origin, subscriber } = this.#options
    // On the connection of a subscriber or of MONITOR a value need not be an answer.
    if (subscriber === true || onUnasked !== undefined) return
    const request = this.#owed()
    if (request === undefined || request.answered === request.written) return
    const reader = request.reader(origin)
    if (reader !== undefined) decoder.gather(reader)
  }

  /** The reason why the exchange takes nothing more; `undefined` until it is told to leave. */
  get leaving(): CommandError | undefined {
    return this.#leaving?.failure
  }

  /**
   * Ends the exchange when all that was written has its answers. Until then it writes nothing but the rest of what is
   * written in part.
   *
   * - `patient`: nothing is wrong with the server, so answers may take as long as ever, and a holder may go on until it gives the
   *   connection back. Otherwise `hasten` ends the exchange.
   */
  leave(failure: CommandError, { patient = false } = {}): void {
    if (this.#leaving?.patient === false || this.#failure !== undefined) return
    if (patient && this.#holder !== undefined) return this.#holder.dismiss()
    this.#leaving = { failure, patient }
    // The exchange does not end at once, because what the same read brought for others still has to reach them.
    queueMicrotask(() => this.#leaveWhenDone())
  }

  /** Ends an exchange that leaves, as the server takes longer than usual. */
  hasten(): void {
    if (this.#leaving?.patient === false) this.close(this.#leaving.failure)
  }

  #leaveWhenDone(): void {
    if (this.#leaving !== undefined && this.inFlight === 0 && !this.writable) this.close(this.#leaving.failure)
  }

  /** The request that the next reply belongs to. */
  #owed(): Request | undefined {
    let request = this.#inFlight.first
    // A batch that was given up between two writes ends with what was written of it, and so may be complete by now.
    while (request !== undefined && request.answered === request.count) {
      this.#shift(request)
      request = this.#inFlight.first
    }
    return request
  }

  #shift(request: Request): void {
    this.#inFlight.shift()
    // The server answers what it has read, so the socket does not need the memory of this caller any more.
    if (request.queue === this.#lending) this.#lending.release(request)
  }

  /**
   * The loss of a connection whose caller went away while the socket was writing a large argument. The caller may use
   * the memory for something else, and the server would store a mixture. To copy every large argument instead would
   * make it cost four to seven times as much.
   */
  #torn(): CommandError {
    return connectionLoss(
      "Closed",
      "The client closed the connection, as a large argument was written in part when its caller gave up",
      this.#options.origin.address
    )
  }

  #unexpected(): ProtocolError {
    return new ProtocolError({ detail: "a reply that no command asked for", address: this.#options.origin.address })
  }

  /** Ends the exchange. The requests that were not written go back to the owner, and all others fail. */
  close(failure: CommandError): void {
    if (this.#failure !== undefined) return
    // Requests that come later have lost the connection, whatever a reply was that ended it.
    const others = this.#failure = besides(failure)
    this.#lending.end()
    this.#pieces.clear()
    const unsent = new RequestQueue()
    for (const request of this.#waiting.takeAll()) {
      // A request that is written in part is in flight as well, and fails with the others in flight.
      if (request.written === 0) unsent.push(request)
    }
    // The owner is told first: a caller that fails may retry at once, and its request must not come back here.
    this.#options.onClose(failure, unsent)
    let own = failure
    for (let request = this.#inFlight.shift(); request !== undefined; request = this.#inFlight.shift()) {
      const isOwed = request.answered < request.written
      request.fail(isOwed ? own : others)
      if (isOwed) own = others
    }
    failAll(this.#aside, failure)
  }
}
