/**
 * Lines of callers who wait for the same thing, of which there is only so much at a time.
 *
 * Those of a line are given it in the order in which they came. Of all of them only those ask for it for whom there may be
 * enough: one, or as many as the last answer left room for. The others sleep without a timer. After a refusal nobody asks
 * before the time that it told; one timer is enough for that, as the others come after the first.
 *
 * Each asks for itself, in its own fiber. So what it asks with, what becomes of an answer that it does not wait for, and the
 * span of it are its own.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { aside } from "./aside.ts"
import { sleepUntil } from "./elapsed.ts"
import { fork } from "./ownContext.ts"

/**
 * What an answer tells a line.
 *
 * - `granted`: whether the one who asked was given what it wants.
 * - `room`: how much more there is.
 * - `pause`: the milliseconds until there is enough for a waiter that wants as much, 0 if there is enough now.
 */
export interface Told {
  readonly granted: boolean
  readonly room: number
  readonly pause: number
}

/** An answer, the time of it, and the time before which nobody asks again. */
interface Answered<A> {
  readonly last: A
  readonly at: number
  readonly notBefore: number
}

/** What a waiter goes on with: it is to ask, which is `undefined`, or it is too late for that, by the last answer. */
type Turn<A, E> = Effect.Effect<Answered<A> | undefined, E>

/** `longest`: for how long something is handed on at the most. `pause`: how long it is left to others then. */
export interface Run {
  readonly now: number
  readonly longest: number
  readonly pause: number
}

/** `at`: when an answer came. `notBefore`: when somebody asks again. `leaves`: whether the one who asked waits no longer. */
interface Coming {
  readonly at: number
  readonly notBefore: number
  readonly leaves: boolean
}

/** One who waits. `limit`: the milliseconds in which it is answered when it asks. */
export class Waiter<A, E> {
  readonly number: number
  readonly size: number
  readonly stopAt: number
  readonly limit: number
  readonly clock: Clock.Clock
  before: Waiter<A, E> | undefined
  behind: Waiter<A, E> | undefined
  isThere = true
  isAsking = false
  /** How many waiters had come when it began to ask. */
  asksAfter = 0
  /** Has it go on. It is there while the waiter is suspended. */
  resume: ((turn: Turn<A, E>) => void) | undefined

  constructor(number: number, size: number, stopAt: number, limit: number, clock: Clock.Clock) {
    this.number = number
    this.size = size
    this.stopAt = stopAt
    this.limit = limit
    this.clock = clock
  }
}

/**
 * A line.
 *
 * - `room`: how much there may be before anybody has asked.
 * - `whenEmpty`: called when the last has left. Whoever comes then begins another line.
 */
export class Line<A, E> {
  readonly #whenEmpty: () => void
  #first: Waiter<A, E> | undefined
  #last: Waiter<A, E> | undefined
  /** The first who does not ask. */
  #next: Waiter<A, E> | undefined
  #came = 0
  #size = 0
  #asking = 0
  /** How much those want who ask, and the most that one of them does. */
  #asked = 0
  #largest = 0
  #room: number
  /** The time before which it is no use to ask for so much or more: `-Infinity` where one may ask now. */
  #notBefore = -Infinity
  #notFor = 0
  /** No waiter that does not ask gives up before this time. */
  #nextStop = Infinity
  #timer: Fiber.Fiber<void> | undefined
  #isMoving = false
  #answered: Answered<A> | undefined
  #isWoken = false
  /** Whether something was given back since the last answer, and since when it is handed on so, or from when on. */
  #isHandedOn = false
  #runsSince: number | undefined

  constructor(room: number, whenEmpty: () => void) {
    this.#room = room
    this.#whenEmpty = whenEmpty
  }

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** Joins the line at its end. */
  join(size: number, stopAt: number, limit: number, clock: Clock.Clock): Waiter<A, E> {
    const waiter = new Waiter<A, E>(this.#came++, size, stopAt, limit, clock)
    waiter.before = this.#last
    if (this.#last === undefined) this.#first = waiter
    else this.#last.behind = waiter
    this.#last = waiter
    this.#size++
    this.#next ??= waiter
    return waiter
  }

  /** Suspends until a waiter is to ask, or is too late. */
  turn(waiter: Waiter<A, E>): Turn<A, E> {
    return Effect.callback((resume) => {
      waiter.resume = resume
      this.#nextStop = Math.min(this.#nextStop, waiter.stopAt)
      this.#dismiss()
      this.#move()
    })
  }

  /** Takes the answer to a waiter, which leaves the line if it was granted or does not wait any longer. */
  answered(waiter: Waiter<A, E>, last: A, told: Told, { at, leaves, notBefore }: Coming): void {
    this.#answered = { last, at, notBefore }
    this.#room = told.room
    if (told.granted && !this.#isHandedOn) this.#runsSince = undefined
    this.#isHandedOn = false
    this.#notBefore = told.pause > 0 && !this.#isWoken ? notBefore : -Infinity
    this.#notFor = waiter.size
    if (leaves) {
      this.#remove(waiter)
    } else {
      this.#asksNoMore(waiter)
      this.#notBefore = Math.min(this.#notBefore, waiter.stopAt)
    }
    this.#dismiss()
    this.#move()
  }

  /**
   * Takes the failure of a waiter's question. `shared`: the failure of another waiter that has stood here for as long, `undefined` if
   * that one may fare better.
   */
  failed(waiter: Waiter<A, E>, shared: (other: Waiter<A, E>) => E | undefined): void {
    this.#remove(waiter)
    this.#send((other) => {
      const error = other.number < waiter.asksAfter ? shared(other) : undefined
      return error === undefined ? undefined : Effect.fail(error)
    })
    this.#move()
  }

  /** Leaves the line, if the waiter has not yet. */
  leave(waiter: Waiter<A, E>): void {
    if (!waiter.isThere) return
    this.#remove(waiter)
    this.#move()
  }

  /** Has the next waiter ask now. If one asks already, which may be too early, a waiter asks once more afterwards. */
  wake(): void {
    this.#isWoken = this.#asking > 0
    this.#notBefore = -Infinity
    this.#move()
  }

  /**
   * Has the next ask now, as one of those who were here has given something back. After the longest run of that it is left
   * to others for a pause, and what is granted then begins another run.
   */
  handOn({ longest, now, pause }: Run): void {
    this.#runsSince ??= now
    if (now < this.#runsSince) return
    if (now - this.#runsSince <= longest) {
      this.#isHandedOn = true
      return this.wake()
    }
    this.#stopTimer()
    this.#runsSince = now + pause
    this.#notBefore = this.#runsSince
    this.#notFor = 0
    this.#dismiss()
    this.#move()
  }

  #remove(waiter: Waiter<A, E>): void {
    if (waiter.isAsking) this.#asksNoMore(waiter)
    waiter.isThere = false
    this.#size--
    if (this.#next === waiter) this.#advance()
    if (waiter.before === undefined) this.#first = waiter.behind
    else waiter.before.behind = waiter.behind
    if (waiter.behind === undefined) this.#last = waiter.before
    else waiter.behind.before = waiter.before
    if (this.#first !== undefined) return
    this.#stopTimer()
    this.#whenEmpty()
  }

  #asksNoMore(waiter: Waiter<A, E>): void {
    waiter.isAsking = false
    this.#asking--
    this.#asked -= waiter.size
    if (this.#next === undefined || waiter.number < this.#next.number) this.#next = waiter
  }

  #advance(): void {
    do this.#next = this.#next?.behind
    while (this.#next?.isAsking === true)
  }

  /** Sends suspended waiters away, each with what it goes on with. A waiter for which that is `undefined` stays. */
  #send(turnOf: (waiter: Waiter<A, E>) => Turn<A, E> | undefined): void {
    for (let waiter = this.#first, behind; waiter !== undefined; waiter = behind) {
      behind = waiter.behind
      const { isThere, resume } = waiter
      // A waiter that was sent away before may have sent this one away.
      const turn = isThere && resume !== undefined ? turnOf(waiter) : undefined
      if (turn === undefined || resume === undefined) continue
      this.#remove(waiter)
      aside(() => resume(turn))
    }
  }

  /** Whether what was told last keeps the next from asking. */
  #isTooSoon(next: Waiter<A, E>): boolean {
    return this.#notBefore > -Infinity && next.size >= this.#notFor
  }

  /**
   * Whether there may be enough for the next waiter besides those that ask. Before the first answer nobody knows how much there is:
   * then a waiter that wants less than those before it must not get what they are refused.
   */
  #mayAskToo(next: Waiter<A, E>): boolean {
    return this.#asked + next.size <= this.#room && (this.#answered !== undefined || next.size >= this.#largest)
  }

  /** Sends those away for whom it will be too late. */
  #dismiss(): void {
    if (this.#answered === undefined || this.#next === undefined) return
    if (this.#nextStop >= this.#notBefore || !this.#isTooSoon(this.#next)) return
    this.#nextStop = Infinity
    const [notBefore, late] = [this.#notBefore, Effect.succeed(this.#answered)]
    // When those have left who want so much that it is too soon for them, one behind them may ask now.
    let [stands, asks] = [false, false]
    this.#send((waiter) => {
      asks ||= !stands && !this.#isTooSoon(waiter)
      if (!asks && waiter.stopAt < notBefore) return late
      stands = true
      this.#nextStop = Math.min(this.#nextStop, waiter.stopAt)
      return undefined
    })
  }

  /** Has those ask whose turn it is. One of them may be answered within this call, and the loop goes on with what that tells. */
  #move(): void {
    if (this.#isMoving) return
    this.#isMoving = true
    for (let next = this.#next; next?.resume !== undefined; next = this.#next) {
      if (this.#asking > 0 && !this.#mayAskToo(next)) break
      if (this.#isTooSoon(next)) {
        if (this.#asking > 0 || this.#timer !== undefined) break
        this.#startTimer(next)
        continue
      }
      this.#stopTimer()
      this.#isWoken = false
      next.isAsking = true
      next.asksAfter = this.#came
      this.#asking++
      this.#asked += next.size
      this.#largest = this.#asking === 1 ? next.size : Math.max(this.#largest, next.size)
      this.#advance()
      const resume = next.resume
      next.resume = undefined
      aside(() => resume(Effect.undefined))
    }
    this.#isMoving = false
  }

  /**
   * The timer goes on for others when the one has left by whose clock it goes. So it has nothing else of that one.
   */
  #startTimer({ clock }: Waiter<A, E>): void {
    const timer = fork(Context.empty())(sleepUntil(clock, this.#notBefore))
    this.#timer = timer
    timer.addObserver(() => {
      if (this.#timer !== timer) return
      this.#timer = undefined
      this.wake()
    })
  }

  #stopTimer(): void {
    const timer = this.#timer
    this.#timer = undefined
    timer?.interruptUnsafe()
  }
}
