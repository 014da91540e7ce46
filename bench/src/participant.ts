/**
 * A client under measurement, in a process of its own as in a program that uses it. In one process, all clients would run code
 * that V8 has compiled for what the others do too, and each would pay for the garbage of the others.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import process from "node:process"
import type { Place } from "./cases.ts"
import { forkOnOtherCores } from "./cores.ts"
import type { Answer, Request, Requests, Target } from "./participant-child.ts"

/** A client connected for the run. */
export interface Participant extends Omit<Requests, "connect" | "close"> {
  readonly name: string
  /** Closes the client and ends the process. */
  readonly close: () => Promise<void>
}

/** Starts a process with a client. `undefined` when the client has no such form; rejects when it does not load or connect. */
export async function startParticipant(
  name: string,
  place: Place | undefined,
  target: Target
): Promise<Participant | undefined> {
  // What is sent keeps its type, so that an array of durations need not become text.
  const options = { serialization: "advanced", ...forkOnOtherCores() } as const
  const child = fork(join(import.meta.dirname, "participant-child.ts"), [], options)
  const kill = (): void => void child.kill("SIGKILL")
  process.once("exit", kill)
  const ended = once(child, "exit").then((): Answer => ({ failure: `The process of ${name} ended.` }))
  const end = async (): Promise<void> => {
    kill()
    await ended
    process.off("exit", kill)
  }
  const ask = async (request: Request): Promise<unknown> => {
    const answered = once(child, "message")
    child.send(request)
    // Only `participant-child.ts` sends messages, one for each request.
    const answer = await Promise.race([answered.then(([answer]) => answer as Answer), ended])
    if ("failure" in answer) throw new Error(answer.failure)
    return answer.answer
  }
  /** A request by its name; what the child answers has the type that it declares. */
  const asking = <K extends keyof Requests>(name: K) =>
    ((request: object) => ask({ ...request, ask: name } as Request)) as Requests[K]
  try {
    if (await asking("connect")({ client: name, place, target })) {
      return {
        name,
        warmUp: asking("warmUp"),
        fault: asking("fault"),
        totalFor: asking("totalFor"),
        sample: asking("sample"),
        close: async () => {
          await asking("close")({})
          await end()
        }
      }
    }
  } catch (error) {
    await end()
    throw error
  }
  await end()
  return undefined
}
