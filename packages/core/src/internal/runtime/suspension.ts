/**
 * Effects that wait for something outside of Effect, as requests do. One object is the effect, what the fiber waits on,
 * and what is called on interruption. `Effect.callback` makes four closures and three objects for the same, which is a
 * third of what a GET allocates.
 *
 * This is the only module that relies on internals of Effect. A trial, which is run once, tells whether the installed
 * Effect works as this module expects. Where it does not, everything goes through `Effect.callback`, which is the
 * public way.
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { throwAside } from "./aside.ts"

/** A function that takes the outcome. It is called once. */
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

/**
 * The values of `#waiter` while nobody waits: `fresh` when nobody has run the effect yet, and `claimed` when a fiber
 * has run it and does not wait yet.
 */
const fresh = (): void => {}
const claimed = (): void => {}

/**
 * The function that a fiber calls when it goes on, which does nothing. A fiber that is to call it is known to wait
 * here.
 */
const waits = (): void => {}

/**
 * Has the waiter go on. What it throws, as an observer of a fiber may, is thrown in a task of its own, which Effect itself does as
 * well: others wait behind this one, and the connection that brought its reply goes on reading.
 */
const goOn = <Next>(waiter: Inner | ((next: Next) => void), next: Next): void => {
  try {
    if (typeof waiter === "function") waiter(next)
    else waiter.evaluate(next)
  } catch (defect) {
    throwAside(defect)
  }
}

/** The outcomes that were there before the fiber began to wait. */
const early = new WeakMap<object, Exit.Exit<unknown, unknown>>()

/**
 * An effect that begins something and waits for it. An object stands for one run. To run the same effect once more
 * takes another object, which `again` makes.
 */
export abstract class Suspension<out A, out E> extends Effectable.Class<A, E> {
  /** The fiber or the function that waits; `undefined` when there is an outcome, or when nobody wants it. */
  #waiter: Inner | ((exit: Exit.Exit<never, never>) => void) | undefined
  /** The value that was handed over to a fiber that is about to take it. */
  #value: unknown = undefined

  /** With `resume`, that function waits. Without it the object is an effect, and begins when a fiber runs it. */
  constructor(resume: Resume<A, E> = fresh) {
    super()
    this.#waiter = resume
  }

  /** Begins what is waited for, which may settle it at once. */
  protected abstract begin(): void

  /** Gives up, because nobody waits any more or a defect ends it. It is called at most once, and not when there is an outcome. */
  protected abstract abandon(): void

  /** Makes the same effect for another run. */
  protected abstract again(): Suspension<A, E>

  /** Whether there is an outcome, or nobody who wants it. */
  get settled(): boolean {
    return this.#waiter === undefined
  }

  /** Hands over the outcome. It throws nothing, whatever the caller does with the outcome. */
  protected settle(exit: Exit.Exit<A, E>): void {
    const waiter = this.#waiter
    if (waiter === undefined) return
    this.#waiter = undefined
    // The function was given for an outcome of A and E, so it takes this one.
    if (typeof waiter === "function") return goOn(waiter, exit as Exit.Exit<never, never>)
    if (waiter._yielded !== waits) return void early.set(this, exit)
    // This object is on top of the stack, because nothing is put above it while the fiber waits. It is popped here, so
    // that the fiber need not ask what it does when it is popped.
    waiter._stack.pop()
    goOn(waiter, exit)
  }

  /**
   * Hands over a value. A fiber takes it without an `Exit`, which is 32 bytes. The value stands in this object, on top
   * of the fiber's stack, because a scheduler may run other fibers before this one takes it.
   */
  protected succeed(value: A): void {
    const waiter = this.#waiter
    if (waiter === undefined) return
    if (typeof waiter === "function" || waiter._yielded !== waits) return this.settle(Exit.succeed(value))
    this.#waiter = undefined
    this.#value = value
    goOn(waiter, Suspension.#handedOver)
  }

  /** The effect that a fiber goes on with when its value stands on its stack. */
  static readonly #handedOver = {
    [evaluate](fiber: Inner): unknown {
      // The object is on top, because nothing is put above it before this is evaluated.
      const handed = fiber._stack.pop() as Suspension<unknown, unknown>
      const value = handed.#value
      handed.#value = undefined
      return fiber.succeedWith(value)
    }
  }

  /** Hands over a defect, unless there is an outcome. */
  die(defect: unknown): void {
    if (this.#waiter === undefined) return
    this.abandon()
    this.settle(Exit.die(defect))
  }

  /** Gives up, unless there is an outcome. */
  cancel(): void {
    if (this.#waiter === undefined) return
    this.abandon()
    this.#waiter = undefined
  }

  /** Runs the effect in the public way. The first run chooses the way of all others. */
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

  /** Relies on the internals of Effect from now on, if they are as expected; returns whether they are. */
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

  /**
   * Runs an effect on behalf of another one that a fiber is running. It runs at once where the fiber would only come
   * back for it.
   */
  static run(effect: Effect.Effect<unknown, unknown>, fiber: unknown): Effect.Effect<unknown, unknown> {
    // A fiber goes on with whatever this returns, and only fibers call this.
    return (ownWay && #waiter in effect ? Suspension.#evaluate.call(effect, fiber as Inner) : effect) as typeof effect
  }

  /** Runs an effect without a fiber and has a function wait; returns it, or `undefined` when it cannot be run so. */
  static start<A, E>(effect: Effect.Effect<A, E>, resume: Resume<A, E>): Suspension<A, E> | undefined {
    // A client of somebody's own may give something that is no object, whatever its type says.
    if (typeof effect !== "object" || effect === null || !(#waiter in effect) || effect.#waiter !== fresh) {
      return undefined
    }
    effect.#waiter = resume
    try {
      effect.begin()
    } catch (defect) {
      effect.settle(Exit.die(defect))
    }
    // TypeScript knows the class of an effect with this field, and not its type parameters, which are those of the effect.
    return effect as Suspension<unknown, unknown> as Suspension<A, E>
  }

  static #evaluate(this: Suspension<unknown, unknown>, fiber: Inner): unknown {
    if (this.#waiter !== fresh) return this.again()
    this.#waiter = fiber
    this.begin()
    if (this.#waiter === undefined) return early.get(this)
    fiber._stack.push(this)
    return fiber.yieldWith(waits)
  }

  /** Called when the fiber pops this object off its stack: with the outcome, or because it was interrupted. */
  static #onPop(this: Suspension<unknown, unknown>): void {
    if (this.#waiter !== undefined) this.cancel()
  }
}

let tried = false
let ownWay = false

/** - `atOnce`: whether it is settled while it begins. `asExit`: whether it is settled with an `Exit`, and not with a value. */
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

/**
 * Runs some trials that are settled at once, some that are settled later, and one whose fiber is interrupted; returns
 * whether each ends as it should.
 */
const isAsExpected = (): boolean => {
  try {
    const begin = (trial: Trial) => Effect.runFork(Effect.map(trial, (one) => one + 1))
    const [later, left] = [[new Trial(false, false), new Trial(false, true)], new Trial(false, false)]
    const settled = [new Trial(true, false), new Trial(true, true), ...later].map(begin)
    const interrupted = begin(left)
    const waiting = [...settled.slice(2), interrupted].every((fiber) => fiber.pollUnsafe() === undefined)
    for (const trial of later) trial.finish()
    interrupted.interruptUnsafe()
    const gone = interrupted.pollUnsafe()
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
