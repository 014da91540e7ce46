/**
 * Finds out whether servers that are suspect or down are back, by asking each, mostly with a PING, until it answers.
 */
import { ping } from "@redfx/core/commands/Connection"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import { isWithoutData } from "@redfx/core/unstable/Connection"
import { backOff, withTimeout } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type * as Semaphore from "effect/Semaphore"
import { unlessLate } from "../topology/discovery.ts"
import type { Node } from "../topology/nodes.ts"
import { isTurnedAway, isUnready } from "./losses.ts"
import { learnedOf } from "./verdict.ts"

/** The milliseconds for which a server may leave a PING unanswered, and those until the next PING. */
const limit = 500
const pause = 500

/**
 * The pauses after PINGs for which a server has not let this client in: each asks the program's `credentials`, and is an entry in
 * the server's log of refusals.
 */
const turnedAwayPauses = { shortest: pause, longest: 10_000 }

/** How many PINGs a server may leave unanswered after it has not let this client in. */
const excused = 3

/** The outcome of a PING. */
type Answer = Result.Result<unknown, CommandError>

export interface ProbesOptions {
  /** Asks a server for an answer. */
  readonly ask: (node: Node) => Effect.Effect<unknown, CommandError>
  /** Whether the answer of a server is of use to anybody. */
  readonly isOfUse: (node: Node) => boolean
  readonly onAnswer: (node: Node) => void
  /** Called once for a server that accepts connections, or bytes, and answers nothing. */
  readonly onHung: (node: Node, error: CommandError) => void
  /** The permits to dial a server. A PING on an open connection needs no permit. */
  readonly permits: Semaphore.Semaphore
  /** Runs as long as a server is asked. */
  readonly meanwhile: (node: Node) => Effect.Effect<never>
}

/**
 * A server that is being asked.
 *
 * - `excused`: how many PINGs it may leave unanswered. `refusals`: how often in a row it has not let this client in.
 * - `hurry`: has it asked again at once, while it rests: it was silent at the last PING, or let nobody in.
 */
interface Probed {
  readonly node: Node
  excused: number
  refusals: number
  hurry: (() => void) | undefined
}

export class Probes {
  readonly #options: ProbesOptions
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #probed = new Map<Node, Probed>()

  constructor(options: ProbesOptions, fork: (effect: Effect.Effect<void>) => void) {
    this.#options = options
    this.#fork = fork
  }

  /** Asks a server until it is healthy. There is one question at a time, however often this is called. */
  start(node: Node): void {
    if (this.#probed.has(node)) return
    const probed: Probed = { node, excused: 0, refusals: 0, hurry: undefined }
    this.#probed.set(node, probed)
    this.#fork(
      Effect.onExit(Effect.raceFirst(this.#run(probed), this.#options.meanwhile(node)), (exit) =>
        Effect.sync(() => {
          this.#probed.delete(node)
          // It may be suspect again since, and whoever found that has asked nothing as this was still running.
          if (Exit.isSuccess(exit) && !node.health.isHealthy && this.#options.isOfUse(node)) this.start(node)
        }))
    )
  }

  /**
   * Takes the end of a connection: a server that was silent is back, or gone, so it is asked once without a pause. Or takes the
   * answer of a server: there is nothing to ask until it is suspect again, and then it is asked at once.
   */
  hurry(node: Node): void {
    this.#probed.get(node)?.hurry?.()
  }

  /** Asks a server, and goes on to listen when the server does not answer in time. */
  readonly #asked = Effect.fnUntraced(function*(this: Probes, node: Node) {
    const asking = yield* Effect.forkChild(Effect.result(this.#options.ask(node)))
    const answer = Fiber.join(asking)
    return { asking, answer, inTime: yield* withTimeout(answer, { limit, orElse: () => Effect.undefined }) }
  })

  /** Waits for the pause after a silence; returns whether the server answers in it after all. */
  #afterSilence(probed: Probed, answer: Effect.Effect<Answer>): Effect.Effect<boolean> {
    const answered = Effect.flatMap(answer, (answer) => takes(probed, answer) ? Effect.succeed(true) : Effect.never)
    return Effect.raceFirst(Effect.as(rested(probed, pause), false), answered)
  }

  #run(probed: Probed): Effect.Effect<void> {
    const { node } = probed
    return Effect.gen({ self: this }, function*() {
      let wasSilent = false
      while (!node.health.isHealthy && this.#options.isOfUse(node)) {
        const before = probed.refusals
        const { answer, asking, inTime } = yield* (yield* node.isOpen)
          ? this.#asked(node)
          : this.#options.permits.withPermit(this.#asked(node))
        if (inTime === undefined) {
          if (probed.excused > 0) probed.excused--
          else this.#onSilence(node)
          const answered = yield* this.#afterSilence(probed, answer)
          // A server that takes its time with everything is there all the same.
          if (answered) return this.#options.onAnswer(node)
          yield* Fiber.interrupt(asking)
        } else if (takes(probed, inTime)) return this.#options.onAnswer(node)
        if (probed.refusals > before) {
          // One that is gone is asked for more often: nothing is sent to it until it answers.
          yield* Effect.ignore(
            Effect.raceFirst(rested(probed, backOff(before, turnedAwayPauses)), node.health.untilDown)
          )
        } else if (inTime !== undefined && !wasSilent) yield* Effect.sleep(pause)
        wasSilent = inTime === undefined
      }
    })
  }

  /**
   * Asks a server that lets nobody in, which may be silent for some time: its PINGs wait for the pauses of its dials, and for
   * the dials.
   */
  excuse(node: Node): void {
    this.start(node)
    const probed = this.#probed.get(node)
    if (probed !== undefined) probed.excused = excused
  }

  #onSilence(node: Node): void {
    if (node.health.downWith !== undefined) return
    const error = connectionLoss(
      "HealthCheck",
      "The server owes answers and did not answer a PING either",
      node.address
    )
    node.health.fail(error)
    if (this.#options.isOfUse(node)) this.#options.onHung(node, error)
  }
}

/** The milliseconds for which a replaced master may leave a PING unanswered, before its commands are given up. */
const replacedLimit = 2000

/**
 * Fails the commands that a replaced master owes answers to, unless it still answers. A master that hangs, or is cut
 * off, would hold its callers up as long as its connections last.
 */
export const checkReplaced = (node: Node): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (yield* node.isIdle) return
    const answer = node.health.downWith === undefined
      ? yield* unlessLate(Effect.raceFirst(node.client.execute(ping()), node.health.untilDown), replacedLimit)
      : undefined
    if (answer !== undefined) return
    const detail = "The master was replaced, and does not answer"
    yield* node.pool.disconnect({ inUse: true, reason: connectionLoss("HealthCheck", detail, node.address) })
  })

/** Takes the outcome of a PING; returns whether the server has answered it. */
const takes = (probed: Probed, answer: Answer): boolean => {
  if (Result.isFailure(answer) && isUnready(answer.failure)) probed.excused = excused
  const isRefused = Result.isFailure(answer) && isTurnedAway(answer.failure)
  probed.refusals = isRefused ? probed.refusals + 1 : 0
  return isAnswered(probed.node, answer)
}

/** Waits before a server is asked again, unless that is to be done at once. */
const rested = (probed: Probed, milliseconds: number): Effect.Effect<void> => {
  const hurried = Effect.callback<void>((resume) => {
    probed.hurry = () => resume(Effect.void)
    return Effect.sync(() => probed.hurry = undefined)
  })
  return Effect.raceFirst(Effect.sleep(milliseconds), hurried)
}

/**
 * Whether a server answered. A refusal is an answer, because not every user may send PING. It is none if the server would refuse
 * reads as well. A server that lets nobody in has only shown that it is there.
 */
const isAnswered = (node: Node, answer: Answer): boolean =>
  Result.isSuccess(answer) ||
  !isUnreadable(answer.failure) && learnedOf(answer.failure, node.address) === undefined &&
    (node.health.downWith !== undefined || !isTurnedAway(answer.failure))

/** Whether nothing can be read from a server for now: it loads its data, has none, or may not show what is old. */
const isUnreadable = (error: CommandError): boolean =>
  error._tag === "BusyLoadingError" || isWithoutData(error) ||
  (error._tag === "ResponseError" && error.code === "MASTERDOWN")
