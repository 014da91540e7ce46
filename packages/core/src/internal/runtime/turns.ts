/**
 * Effects with names, of which those that share a name run one after the other, in the order in which they came.
 */
import * as Effect from "effect/Effect"
import { aside } from "./aside.ts"

/** An effect that runs, or waits for its turn. */
class Turn {
  readonly names: ReadonlySet<string>
  /** Whether it has its names. */
  isTaken = false
  /** The name that it waits for, which another one has. */
  waitsFor: string | undefined = undefined
  begin: () => void = () => {}

  constructor(names: ReadonlyArray<string>) {
    this.names = new Set(names)
  }
}

export class Turns {
  /** The turns that wait for each name that is taken. A turn waits for one of its names at a time. */
  readonly #waiting = new Map<string, Set<Turn>>()
  /** The turns that have come and have not begun. */
  #due: Array<Turn> = []
  #beginning = false

  /** Runs an effect as soon as no other with one of these names runs. */
  run<A, E, R>(names: ReadonlyArray<string>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const turn = new Turn(names)
      const begun = Effect.callback<void>((resume) => {
        turn.begin = () => resume(Effect.void)
        if (this.#take(turn)) turn.begin()
      })
      // What a turn has is written down before its fiber hears of it, so the end knows it whatever was interrupted when.
      return Effect.ensuring(Effect.andThen(begun, effect), Effect.sync(() => this.#end(turn)))
    })
  }

  /** Takes all names of a turn, or has it wait for one that is taken; returns whether it has them. */
  #take(turn: Turn): boolean {
    turn.waitsFor = undefined
    for (const name of turn.names) {
      const waiting = this.#waiting.get(name)
      if (waiting === undefined) continue
      turn.waitsFor = name
      waiting.add(turn)
      return false
    }
    for (const name of turn.names) this.#waiting.set(name, new Set())
    return turn.isTaken = true
  }

  #end(turn: Turn): void {
    if (turn.waitsFor !== undefined) this.#waiting.get(turn.waitsFor)?.delete(turn)
    if (!turn.isTaken) return
    const freed = Array.from(turn.names, (name) => {
      const waiting = this.#waiting.get(name) ?? new Set()
      this.#waiting.delete(name)
      return { name, waiting }
    })
    for (const { name, waiting } of freed) this.#pass(name, waiting)
    this.#beginDue()
  }

  /** Passes a name on to the first turn that has all of its others too; those behind it go on to wait for it. */
  #pass(name: string, waiting: Set<Turn>): void {
    for (const next of waiting) {
      waiting.delete(next)
      if (!this.#take(next)) continue
      this.#due.push(next)
      this.#waiting.set(name, waiting)
      return
    }
  }

  /** Lets the turns go on that have come. One may end before this does, and so may the next: thousands would not fit on the stack. */
  #beginDue(): void {
    if (this.#beginning) return
    this.#beginning = true
    for (const turn of this.#due) aside(turn.begin)
    this.#due = []
    this.#beginning = false
  }
}
