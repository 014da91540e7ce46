/**
 * The answers that a client keeps, and the reads under way for more of them.
 *
 * Invariants:
 *
 * - An answer is kept only while a server has promised, on a connection that is open, to report every change of its keys.
 * - A read is marked by whatever it may not know: a key that changed, a connection that ended, after it had left. A marked
 *   read answers the callers that wait for it; nobody else joins it, and its answer is not kept.
 * - An answer is dropped before the next caller or frame that could read it is looked at.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Exit from "effect/Exit"
import type { Key } from "../../RedisArg.ts"
import type { CacheClearing, CacheEvent, CacheLimits, CacheStats } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import type * as Resp from "../../Resp.ts"
import { named, nameOf } from "../codec/names.ts"
import { give } from "../connection/give.ts"
import type { Request } from "../connection/request.ts"
import type { TextDecoding } from "../reply/decode.ts"
import { elapsed } from "../runtime/elapsed.ts"
import { errorOf } from "../runtime/firstError.ts"
import { queueMicrotask } from "../runtime/microtask.ts"
import type { Keeper, Keepers, Mode, Tracking } from "../tracking/tracking.ts"
import { compact, freeze } from "./compact.ts"
import { Dependants } from "./dependants.ts"
import { Entry, Recency } from "./entries.ts"
import { Flight, Waiter } from "./flight.ts"
import { restOf } from "./rest.ts"

/** - `slotOf`: the slot of a key, where what is of one slot may have to be dropped. */
export interface StoreOptions extends CacheLimits {
  readonly keepers: Keepers
  readonly clock: Clock.Clock
  readonly textDecoding: TextDecoding
  readonly onEvent: (event: CacheEvent) => void
  readonly slotOf?: ((key: Key) => number) | undefined
}

/** How a client begins its requests, and where it sends them. */
export interface Sending {
  readonly begin: (request: Request) => void
  readonly submit: (request: Request) => void
}

/** What the store has for a command: an answer, or a read under way. */
type Item = Entry | Flight

export class Store implements Keeper {
  readonly #options: StoreOptions
  #limits: CacheLimits
  #mode: Mode = "read"
  #configured = false
  #joined = false
  #closed = false
  readonly #keys = new Map<string, Dependants<Item>>()
  readonly #recency = new Recency()
  readonly #flights = new Set<Flight>()
  /** The items by the slot of their first key. */
  readonly #slots = new Map<number, Set<Item>>()
  #turn: number | undefined = undefined
  #hits = 0
  #misses = 0
  #joins = 0
  #evictions = 0
  #invalidations = 0

  constructor(options: StoreOptions) {
    this.#options = options
    this.#limits = options
  }

  get stats(): CacheStats {
    return {
      entries: this.#recency.length,
      bytes: this.#recency.bytes,
      hits: this.#hits,
      misses: this.#misses,
      joined: this.#joins,
      evictions: this.#evictions,
      invalidations: this.#invalidations
    }
  }

  /**
   * Sets the limits of the store, and which keys the server is to report. Works once, before the store is used; returns
   * whether it did.
   */
  configure(limits: CacheLimits, mode: Mode): boolean {
    if (this.#configured || this.#joined) return false
    this.#configured = true
    this.#limits = limits
    this.#mode = mode
    return true
  }

  /** Whether the server reports changes of the keys of a command. */
  covers(command: RedisCommand.Any): boolean {
    const mode = this.#mode
    if (RedisCommand.firstKey(command) === undefined) return false
    return mode === "read" ||
      RedisCommand.keys(command).map(nameOf).every((name) => mode.some((prefix) => name.startsWith(prefix)))
  }

  /** The kept answer to a command, `undefined` when none is good enough for it. */
  find<A>(command: RedisCommand.RedisCommand<A>): Exit.Exit<A, CommandError> | undefined {
    // A command without a key is not cached, so there is a first key.
    const item = this.#keys.get(nameOf(RedisCommand.firstKey(command)!))?.get(restOf(command))
    if (!(item instanceof Entry)) return undefined
    const age = this.#now - item.at
    if (age >= item.life || age > (command.caching?.life ?? Infinity)) {
      if (age >= item.life) this.#remove(item)
      return undefined
    }
    this.#hits++
    this.#recency.touch(item)
    return item.answer(command, this.#options.textDecoding)
  }

  /** The time, which is read once a turn of the event loop: reading it takes 50 ns, and a hit takes 150 ns in all. */
  get #now(): number {
    if (this.#turn !== undefined) return this.#turn
    queueMicrotask(this.#endTurn)
    return this.#turn = elapsed(this.#options.clock)
  }

  readonly #endTurn = (): void => {
    this.#turn = undefined
  }

  /**
   * Waits for the answer to a command, together with other callers; the first of them has it sent.
   *
   * - `begin`: gives the waiting caller its deadline. `submit`: sends a read.
   */
  join<A>(
    command: RedisCommand.RedisCommand<A>,
    { begin, submit }: Sending,
    resume: (exit: Exit.Exit<A, CommandError>) => void
  ): Request {
    const names = [...new Set(RedisCommand.keys(command).map(nameOf))]
    const rest = restOf(command)
    // A command without a key is not cached, so the index is in range.
    const item = this.#keys.get(names[0]!)?.get(rest)
    if (item instanceof Flight && this.#isYoung(item, command)) {
      this.#joins++
      const waiter = new Waiter(command, item, resume)
      begin(waiter)
      return waiter
    }
    this.#misses++
    if (item instanceof Flight) this.#mark(item)
    else if (item !== undefined) this.#remove(item)
    const flight = this.#begin(command, names, rest)
    const waiter = new Waiter(command, flight, resume)
    begin(waiter)
    submit(flight)
    return waiter
  }

  /** Whether the answer to a read will do for a command. One that has not left yet reads what is there by then. */
  #isYoung({ began, hasLeft }: Flight, { caching }: RedisCommand.Any): boolean {
    return !hasLeft || this.#now - began <= Math.min(caching?.life ?? Infinity, this.#limits.longestLife)
  }

  #begin(command: RedisCommand.Any, names: ReadonlyArray<string>, rest: string): Flight {
    if (!this.#joined && !this.#closed) {
      this.#joined = true
      this.#options.keepers.add(this)
    }
    const flight = new Flight(command, { names, rest, began: this.#now }, {
      mode: this.#mode,
      onEnd: (flight, answer) => this.#onEnd(flight, answer),
      onNobody: (flight) => {
        this.#forget(flight)
        flight.cancel()
      }
    })
    this.#flights.add(flight)
    this.#index(flight)
    return flight
  }

  /** Keeps an answer where that is safe, and gives it to the callers that wait. */
  #onEnd(flight: Flight, answer: Exit.Exit<Resp.Value, CommandError>): void {
    const waiters = flight.waiters.takeAll()
    try {
      this.#forget(flight)
      if (Exit.isFailure(answer)) return waiters.forEach((waiter) => endWith(waiter, answer))
      const { marked, tracking } = flight
      if (!marked && tracking !== undefined && !this.#closed) this.#keep(flight, answer.value, tracking)
      if (waiters.length > 1) freeze(answer.value)
      // An answer came over a connection, so there is one.
      for (const waiter of waiters) give(answer.value, waiter, flight.origin!)
    } catch (defect) {
      for (const waiter of waiters) waiter.die(defect)
    }
  }

  #keep({ began, life, names, rest }: Flight, answer: Resp.Value, tracking: Tracking): void {
    const kept = compact(answer, this.#limits.maxBytes)
    if (kept === undefined) return
    const entry = new Entry({
      names,
      rest,
      ...kept,
      tracking,
      at: began,
      life: Math.min(life, this.#limits.longestLife)
    })
    if (entry.bytes > this.#limits.maxBytes) return
    this.#index(entry)
    this.#recency.push(entry)
    while (this.#recency.length > this.#limits.maxEntries || this.#recency.bytes > this.#limits.maxBytes) {
      // The store holds more than it may, so there is an oldest entry.
      this.#remove(this.#recency.oldest!)
      this.#evictions++
    }
  }

  // ---------------------------------------------------------------------------
  // Dropping
  // ---------------------------------------------------------------------------

  invalidate(name: string): void {
    for (const item of this.#keys.get(name)?.all ?? []) this.#invalidateAt(item)
  }

  #invalidateAt(item: Item): void {
    if (item instanceof Flight) return this.#mark(item)
    this.#invalidations++
    this.#remove(item)
  }

  drop(reason: CacheClearing, tracking?: Tracking): void {
    const isMeant = (item: Item) => tracking === undefined || item.tracking === tracking
    this.#dropAll(reason, [...[...this.#flights].filter(isMeant), ...[...this.#recency.all()].filter(isMeant)])
  }

  /** Drops the items of these slots. */
  dropSlots(reason: CacheClearing, slots: Iterable<number>): void {
    for (const slot of slots) this.#dropAll(reason, this.#slots.get(slot) ?? [])
  }

  #dropAll(reason: CacheClearing, items: Iterable<Item>): void {
    let entries = 0
    for (const item of items) {
      if (item instanceof Flight) this.#mark(item)
      else {
        entries++
        this.#remove(item)
      }
    }
    if (entries > 0) this.#options.onEvent({ _tag: "Cleared", reason, entries })
  }

  /** Marks a read. One that was not sent yet will see the change, and needs no mark. */
  #mark(flight: Flight): void {
    if (!flight.hasLeft) return
    flight.marked = true
    this.#forget(flight)
  }

  /** Drops everything and keeps nothing from then on. */
  close(): void {
    this.#closed = true
    this.#options.keepers.remove(this)
    for (const entry of this.#recency.all()) this.#remove(entry)
  }

  // ---------------------------------------------------------------------------
  // Items
  // ---------------------------------------------------------------------------

  #index(item: Item): void {
    const { names } = item
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      let dependants = this.#keys.get(name)
      if (dependants === undefined) this.#keys.set(name, dependants = new Dependants())
      if (i === 0) dependants.set(item)
      else dependants.add(item)
    }
    const slot = this.#slotOf(item)
    if (slot === undefined) return
    const items = this.#slots.get(slot)
    if (items === undefined) this.#slots.set(slot, new Set([item]))
    else items.add(item)
  }

  #slotOf({ names }: Item): number | undefined {
    // A command without a key is not cached, so the index is in range.
    return this.#options.slotOf?.(named(names[0]!))
  }

  #unindex(item: Item): void {
    const { names } = item
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      const dependants = this.#keys.get(name)
      if (dependants === undefined) continue
      dependants.delete(item)
      if (dependants.isEmpty) this.#keys.delete(name)
    }
    const slot = this.#slotOf(item)
    if (slot === undefined) return
    const items = this.#slots.get(slot)
    if (items?.delete(item) === true && items.size === 0) this.#slots.delete(slot)
  }

  #remove(entry: Entry): void {
    this.#unindex(entry)
    this.#recency.remove(entry)
  }

  #forget(flight: Flight): void {
    if (this.#flights.delete(flight)) this.#unindex(flight)
  }
}

/** Ends a caller that waits with the reason why its read has no answer, which is an error or a defect. */
const endWith = (waiter: Request, { cause }: Exit.Failure<unknown, CommandError>): void => {
  const error = errorOf(cause)
  if (error === undefined) waiter.die(Cause.squash(cause))
  else waiter.fail(error)
}
