/**
 * Effects that wait for something outside of Effect, as requests do. One object
 * is the effect, what the fiber waits on, and what interruption calls: for the
 * same `Effect.callback` makes four closures and three objects, which is a third
 * of what a GET allocates.
 *
 * This is the one module that goes by what is internal to Effect. A trial, run
 * once, says whether the Effect at hand works like that. Where it does not,
 * everything goes the public way, through `Effect.callback`.
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"

/** Takes the outcome, once. */
export type Resume<A, E> = (exit: Exit.Exit<A, E>) => void

/** The parts of a fiber that are internal to Effect. */
interface Inner {
  readonly _stack: Array<unknown>
  readonly _yielded: unknown
  readonly yieldWith: (onResume: () => void) => unknown
  readonly evaluate: (effect: unknown) => void
  readonly succeedWith: (value: unknown) => unknown
}

const evaluate = "~effect/Effect/evaluate"
const onPop = "~effect/Effect/ensureCont"

/** In the place of who waits: nobody has asked for it yet, and somebody has who does not wait yet. */
const fresh = (): void => {}
const claimed = (): void => {}

/** What a fiber calls when it goes on: nothing. By having to call it a fiber is known to wait here. */
const waits = (): void => {}

/** Outcomes that were there before the fiber began to wait. */
const early = new WeakMap<object, Exit.Exit<unknown, unknown>>()

/**
 * An effect that begins something and waits for it. An object stands for one
 * run; to run the same effect once more takes another, see `again`.
 */
export abstract class Suspension<out A, out E> extends Effectable.Class<A, E> {
  /** A fiber or a function; `undefined` when there is an outcome, or nobody who wants it. */
  #waiter: Inner | ((exit: Exit.Exit<never, never>) => void) | undefined
  /** What was handed over to a fiber that is about to take it. */
  #value: unknown = undefined

  /** Without `resume` it is an effect, and begins when a fiber runs it. */
  constructor(resume: Resume<A, E> = fresh) {
    super()
    this.#waiter = resume
  }

  /** Begins what is waited for; that may settle it at once. */
  protected abstract begin(): void

  /** Gives up, as nobody waits any more. Called at most once, and not when it is settled. */
  protected abstract abandon(): void

  /** The same effect, for another run. */
  protected abstract again(): Suspension<A, E>

  /** Whether there is an outcome, or nobody who wants it. */
  get settled(): boolean {
    return this.#waiter === undefined
  }

  /** Hands over the outcome. */
  protected settle(exit: Exit.Exit<A, E>): void {
    const waiter = this.#waiter
    if (waiter === undefined) return
    this.#waiter = undefined
    // Whoever waits asked for an A and an E.
    if (typeof waiter === "function") return waiter(exit as Exit.Exit<never, never>)
    if (waiter._yielded !== waits) return void early.set(this, exit)
    // What waits is on top: nothing is put above it meanwhile. Popped here it need not be asked what it does then.
    waiter._stack.pop()
    waiter.evaluate(exit)
  }

  /**
   * Hands over a value: a fiber takes it without an `Exit`, which is 32 bytes. It stands in the object on top of the fiber's
   * stack, as a scheduler may have others run before the fiber comes to it.
   */
  protected succeed(value: A): void {
    const waiter = this.#waiter
    if (waiter === undefined) return
    if (typeof waiter === "function" || waiter._yielded !== waits) return this.settle(Exit.succeed(value))
    this.#waiter = undefined
    this.#value = value
    waiter.evaluate(Suspension.#handedOver)
  }

  /** What a fiber goes on with whose value stands on its stack. */
  static readonly #handedOver = {
    [evaluate](fiber: Inner): unknown {
      // On top: nothing is put above it before this is evaluated.
      const handed = fiber._stack.pop() as Suspension<unknown, unknown>
      const value = handed.#value
      handed.#value = undefined
      return fiber.succeedWith(value)
    }
  }

  /** Gives up, unless it is settled. */
  cancel(): void {
    if (this.#waiter === undefined) return
    this.abandon()
    this.#waiter = undefined
  }

  /** The public way. The first run chooses the way of all others. */
  override asEffect(): Effect.Effect<A, E> {
    if (!tried) Suspension.tryOwnWay()
    if (this.#waiter !== fresh) return this.again()
    this.#waiter = claimed
    return Effect.callback((resume) => {
      this.#waiter = resume
      this.begin()
      return Effect.sync(() => this.cancel())
    })
  }

  /** Goes by the internals of Effect from now on where they are as expected; returns whether they are. */
  static tryOwnWay(): boolean {
    tried = true
    ownWay = false
    const prototype: object = Suspension.prototype
    Object.defineProperties(prototype, {
      [evaluate]: { value: Suspension.#evaluate, configurable: true },
      [onPop]: { value: Suspension.#onPop, configurable: true }
    })
    ownWay = isAsExpected()
    if (!ownWay) {
      Reflect.deleteProperty(prototype, evaluate)
      Reflect.deleteProperty(prototype, onPop)
    }
    return ownWay
  }

  /** Runs an effect on behalf of one that is being run: at once, where the fiber would come back for it. */
  static run(effect: Effect.Effect<unknown, unknown>, fiber: unknown): Effect.Effect<unknown, unknown> {
    // Whatever it returns, a fiber takes it from there. Only fibers come here.
    return (ownWay && #waiter in effect ? Suspension.#evaluate.call(effect, fiber as Inner) : effect) as typeof effect
  }

  static #evaluate(this: Suspension<unknown, unknown>, fiber: Inner): unknown {
    if (this.#waiter !== fresh) return this.again()
    this.#waiter = fiber
    this.begin()
    if (this.#waiter === undefined) return early.get(this)
    fiber._stack.push(this)
    return fiber.yieldWith(waits)
  }

  /** Called when the fiber leaves this behind, be it with the outcome or because it was interrupted. */
  static #onPop(this: Suspension<unknown, unknown>): void {
    if (this.#waiter !== undefined) this.cancel()
  }
}

let tried = false
let ownWay = false

class Trial extends Suspension<number, never> {
  readonly #atOnce: boolean
  readonly #asExit: boolean
  abandoned = false

  constructor(atOnce: boolean, asExit: boolean) {
    super()
    this.#atOnce = atOnce
    this.#asExit = asExit
  }

  protected begin(): void {
    if (this.#atOnce) this.finish()
  }

  protected abandon(): void {
    this.abandoned = true
  }

  protected again(): Trial {
    return new Trial(this.#atOnce, this.#asExit)
  }

  finish(): void {
    if (this.#asExit) this.settle(Exit.succeed(1))
    else this.succeed(1)
  }
}

/** Runs some that are settled at once, some that are settled later, and one whose fiber is interrupted. */
const isAsExpected = (): boolean => {
  try {
    const begin = (trial: Trial) => Effect.runFork(Effect.map(trial, (one) => one + 1))
    const [later, left] = [[new Trial(false, false), new Trial(false, true)], new Trial(false, false)]
    const settled = [new Trial(true, false), new Trial(true, true), ...later].map(begin)
    const third = begin(left)
    const waiting = [...settled.slice(2), third].every((fiber) => fiber.pollUnsafe() === undefined)
    for (const trial of later) trial.finish()
    third.interruptUnsafe()
    const gone = third.pollUnsafe()
    const answered = settled.every((fiber) => {
      const exit = fiber.pollUnsafe()
      return exit !== undefined && Exit.isSuccess(exit) && exit.value === 2
    })
    return waiting && answered && !later.some(({ abandoned }) => abandoned) && left.abandoned && gone !== undefined &&
      Exit.hasInterrupts(gone)
  } catch {
    return false
  }
}
