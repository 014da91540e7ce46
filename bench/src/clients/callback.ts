/**
 * The least that a command of Effect can cost: the socket of `socket.ts`, with callers that are fibers and a bare
 * `Effect.callback` for each command. Only `floor.ts` runs it.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { smallValues } from "../data.ts"
import type { Client } from "../session.ts"
import { onlyGets, Wire } from "./socket.ts"

const answer = Exit.succeed(smallValues[0])

const withEffects = (wire: Wire) => {
  let waiting: Array<(exit: Exit.Exit<unknown>) => void> = []
  let asked = 0
  const flush = () => {
    wire.send(asked)
    asked = 0
  }
  wire.onReplies = (count) => {
    const answered = waiting.slice(0, count)
    waiting = waiting.slice(count)
    for (const resume of answered) resume(answer)
  }
  const callback = Effect.callback<unknown>((resume) => {
    waiting.push(resume)
    if (++asked === 1) queueMicrotask(flush)
    return Effect.void
  })
  return (callers: number, total: number): Promise<void> =>
    Effect.runPromise(Effect.forEach(Array.from({ length: callers }), () =>
      Effect.gen(function*() {
        for (let i = 0; i < total / callers; i++) yield* callback
      }), { concurrency: "unbounded", discard: true }))
}

export const client: Client = {
  name: "with `Effect.callback`",
  package: "effect",
  connect: async (address) => {
    const wire = await Wire.open(address)
    return onlyGets(wire, withEffects(wire))
  }
}
