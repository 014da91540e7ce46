/**
 * Guards what a command costs, by figures that do not vary with the machine or
 * with what else runs on it: bytes that are allocated, writes and reads, and bytes
 * that a pending command keeps alive. Each has a limit; what is over its limit
 * fails, with a line that says how to look.
 *
 * The measuring is done by `guard-child.ts`, in a process with so large a young
 * generation that nothing is collected meanwhile. Each part has its own: V8 throws
 * optimised code away when what it was made for is gone, and what it makes of the
 * same functions then may allocate more. SET after GET took 64 bytes more in a
 * third of all runs. That it keeps ours is guarded, too.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import type { Figures, Part, Ready } from "./guard-child.ts"

const flags = ["--expose-gc", "--max-semi-space-size=512", "--min-semi-space-size=512"]
const child = "scripts/guard-child.ts"
const tracing = "--trace-deopt"
const root = join(import.meta.dirname, "..")

/** Where bytes come from: by function, without those of the measurement itself. */
const sampled = `node ${flags.join(" ")} ${child} --sample`

interface Guard {
  readonly title: string
  readonly limit: number
  /** How to find out what it is made of. */
  readonly look: string
}

/** For bytes 4% over what was measured; for writes and reads the next whole number. */
const guards: { readonly [K in keyof Figures]: Guard } = {
  getBytes: { title: "bytes allocated for a GET of 64 bytes", limit: 836, look: `${sampled} get` },
  setBytes: { title: "bytes allocated for a SET of 64 bytes", limit: 675, look: `${sampled} set` },
  pipelinedBytes: { title: "bytes allocated for a GET in a pipeline of 1000", limit: 545, look: `${sampled} pipeline` },
  promisedBytes: {
    title: "bytes allocated for a GET of 64 bytes through RedisPromise",
    limit: 1080,
    look: `${sampled} promise`
  },
  writes: {
    title: "writes for 1000 commands of 1000 fibers",
    limit: 3,
    look:
      "see Exchange.receive and Wakeup in packages/core/src/internal/connection: what writes before the end of a turn?"
  },
  reads: {
    title: "reads for 1000 commands of 1000 fibers",
    limit: 2,
    look: "a read follows a write here: see the writes first, then how connection.ts pulls"
  },
  pendingBytes: {
    title: "bytes that a GET keeps alive while it waits for its answer, its fiber left out",
    limit: 315,
    look:
      "see the fields of Request and what they lead to; a heap snapshot of guard-child.ts --part pending --hold tells the rest"
  },
  discarded: {
    // 14 of Effect's and Node's; 85 without keepShapes.
    title: "compiled functions that a collection throws away when no command is under way",
    limit: 20,
    look: `node ${flags.join(" ")} ${tracing} ${child} --part shapes names them; see connection/shapes.ts`
  },
  tenured: {
    title: "literals of large replies that V8 takes for what lives long",
    limit: 0,
    look: "see internal/reply/plain.ts: what else makes objects or arrays of a literal, for each element of a reply?"
  },
  majors: {
    // 0 with what `allocate` does, and 7 to 9 without.
    title: "collections of the whole heap for a gigabyte of short-lived bytes",
    limit: 2,
    look: `node --trace-gc ${child} --part bytes tells when; see internal/codec/memory.ts`
  }
}

const parts: ReadonlyArray<Part> = ["get", "set", "pipeline", "promise", "turns", "pending"]

const output = (part: Part, options: ReadonlyArray<string> = flags): string => {
  const args = [...options, child, "--part", part]
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28
  })
  if (status !== 0) throw new Error(`The measurement failed: ${stderr}`)
  return stdout
}

// The child prints its figures and nothing else.
const measured = (part: Part): Partial<Figures> => JSON.parse(output(part)) as Partial<Figures>

/** How often V8 says something once the child is ready. */
const said = (part: Part, options: ReadonlyArray<string>, words: string): number => {
  const [, after] = output(part, options).split(`${"ready" satisfies Ready}\n`)
  if (after === undefined) throw new Error("The child has not said when it was ready.")
  return after.split(words).length - 1
}

/** How many functions V8 throws away because what they were compiled for is gone. */
const discarded = () => said("shapes", [...flags, tracing], "reason: embedded weak objects cleared")

/**
 * How many literals V8 decides to make among the old objects. It goes by how many objects of the young generation are in use,
 * which therefore has the size that it has in programs.
 */
const tenured = () => said("replies", ["--expose-gc", "--trace-pretenuring-statistics"], " => tenure")

/** How often V8 collects its whole heap. */
const majors = () => said("bytes", ["--expose-gc", "--trace-gc"], "Mark-Compact")

// The parts make all of them; one that is missing is over every limit.
const figures = Object.assign(
  { discarded: discarded(), tenured: tenured(), majors: majors() },
  ...parts.map(measured)
) as Figures
for (const [name, { limit, look, title }] of Object.entries(guards)) {
  const figure = figures[name as keyof Figures]
  console.log(`${figure.toFixed(1).padStart(8)} of at most ${String(limit).padStart(5)}  ${title}`)
  if (!(figure <= limit)) {
    console.error(`More than ${limit} ${title}. To look: ${look}`)
    process.exitCode = 1
  }
}
