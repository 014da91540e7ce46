/**
 * One client in a process of its own, which does what `participant.ts` asks it to: it connects, measures samples of cases,
 * and tells what it found.
 */
import { performance } from "node:perf_hooks"
import process from "node:process"
import type { Case, Place } from "./cases.ts"
import { casesOf } from "./cases.ts"
import { loadClient } from "./clients/index.ts"
import type { Bind, Endpoint, Nodes, Session } from "./session.ts"
import { explain, perCaller } from "./session.ts"

/** Where a client connects: one server, or nodes of a cluster. */
export type Target = { readonly endpoint: Endpoint } | { readonly nodes: Nodes }

/** What one sample of a case says. */
export interface Sample {
  /** Commands per second. */
  readonly rate: number
  /** Processor time of the whole process, all threads and garbage collection, in microseconds per command. */
  readonly cpu: number
  /** Of every command, in milliseconds; only where the case asks for them. */
  readonly latencies: Float64Array | undefined
}

/** What the process can be asked for, one thing at a time, and what it answers. */
export interface Requests {
  /** Whether the client has such a form. */
  readonly connect: (
    request: { readonly client: string; readonly place: Place | undefined; readonly target: Target }
  ) => Promise<boolean>
  readonly warmUp: (request: { readonly milliseconds: number }) => Promise<void>
  /** Why a client is not measured, if there is a reason: it lacks the operation, its answer is wrong, or it fails. */
  readonly fault: (request: { readonly name: string }) => Promise<"lacking" | { readonly reason: string } | undefined>
  /** How many operations take so long. */
  readonly totalFor: (request: { readonly name: string; readonly milliseconds: number }) => Promise<number>
  readonly sample: (request: { readonly name: string; readonly total: number }) => Promise<Sample>
  readonly close: (request: object) => Promise<void>
}

/** One of the requests, with its name. */
export type Request = { [K in keyof Requests]: { readonly ask: K } & Parameters<Requests[K]>[0] }[keyof Requests]

/** What comes back. */
export type Answer = { readonly answer: unknown } | { readonly failure: string }

const smallRead: Bind = (operations) => () => operations.get("bench:small:0")

async function sample(session: Session, item: Case, total: number): Promise<Sample> {
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const latencies = await item.load.run(session, total)
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const commands = perCaller(item.callers, total) * item.callers * item.commands
  return { rate: commands / seconds, cpu: (cpu.user + cpu.system) / commands, latencies: latencies ?? undefined }
}

/**
 * So many times as long as a sample a case is run before it is measured. V8 compiles the last of what XRANGE needs after several
 * hundred replies: until then it took redfx twice the processor time.
 */
const warming = 15

/** Runs more and more operations until they take so long and everything is warm. */
async function totalFor(session: Session, item: Case, milliseconds: number): Promise<number> {
  const begin = performance.now()
  for (let total = item.callers;;) {
    const start = performance.now()
    await item.load.run(session, total)
    const now = performance.now()
    const scale = milliseconds / (now - start)
    // Four times as many at most: the first ones are the slowest.
    total = Math.max(item.callers, Math.round(total * Math.min(4, scale)))
    if (scale < 2 && now - begin >= warming * milliseconds) return total
  }
}

const connectTo = async (name: string, target: Target): Promise<Session | undefined> => {
  const client = await loadClient(name)
  return "endpoint" in target ? client?.connect(target.endpoint) : client?.connectCluster?.(target.nodes)
}

/** What answers the requests. */
function makeAnswers(): Requests {
  let session: Session | undefined
  let cases: ReadonlyArray<Case> = []
  const connected = (): Session => {
    if (session === undefined) throw new Error("The client is not connected.")
    return session
  }
  const named = (name: string): Case => {
    const found = cases.find((each) => each.name === name)
    if (found === undefined) throw new Error(`There is no case ${name}.`)
    return found
  }
  return {
    connect: async ({ client, place, target }) => {
      cases = casesOf(place)
      session = await connectTo(client, target)
      return session !== undefined
    },
    warmUp: async ({ milliseconds }) => {
      const end = performance.now() + milliseconds
      while (performance.now() < end) await connected().run(smallRead, 1000, 20_000)
    },
    fault: async ({ name }) => {
      const item = named(name)
      if (!item.load.supports(connected())) return "lacking"
      try {
        const reason = item.check(await item.load.once(connected()))
        return reason === undefined ? undefined : { reason }
      } catch (error) {
        return { reason: explain(error) }
      }
    },
    totalFor: ({ milliseconds, name }) => totalFor(connected(), named(name), milliseconds),
    sample: ({ name, total }) => sample(connected(), named(name), total),
    close: async () => session?.close()
  }
}

if (import.meta.main) {
  const answers = makeAnswers()
  process.on("disconnect", () => process.exit(1))
  // Only `participant.ts` sends messages. The function takes the request that it is named by.
  process.on("message", (request: Request) => {
    const answer = answers[request.ask] as (request: Request) => Promise<unknown>
    answer(request).then(
      (answer) => process.send?.({ answer } satisfies Answer),
      (error: unknown) => process.send?.({ failure: explain(error) } satisfies Answer)
    )
  })
}
