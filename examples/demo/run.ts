/** The course of the demo, from the start of the servers to the sum. */
import type { RedisError } from "@redfx/core"
import type { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import process from "node:process"
import { isDeepStrictEqual } from "node:util"
import { layerOf } from "../../bench/src/chaos/clients.ts"
import { peers, redfx } from "./clients.ts"
import type { Client } from "./clients.ts"
import { start } from "./deployments.ts"
import type { Site } from "./deployments.ts"
import { meter, paintOf, whole } from "./meter.ts"
import type { Stage } from "./meter.ts"
import { seconds, strike } from "./outages.ts"
import type { View } from "./outages.ts"
import { program } from "./program.ts"
import * as Screens from "./screen.ts"
import { isSound, readCounters, sumOf, table } from "./sum.ts"
import type { Sum } from "./sum.ts"
import { emptyBook, places, startWriters } from "./writers.ts"

export interface Options {
  readonly binary: string
  readonly peers: boolean
  readonly short: boolean
  readonly live: boolean
}

/** When masters die. `lead`: the time before the first; `apart`: between the deployments; `rest`: after each. In milliseconds. */
interface Plan {
  readonly rounds: number
  readonly lead: number
  readonly apart: number
  readonly rest: number
}

const plans = {
  long: { rounds: 2, lead: 2500, apart: 2500, rest: 3000 },
  short: { rounds: 1, lead: 1000, apart: 500, rest: 1000 }
} satisfies Record<string, Plan>

/** The pause of a writer between its writes, in milliseconds, for each client that there is beside it. */
const pause = 10

const setUp = Effect.fnUntraced(function*({ screen }: Stage, binary: string) {
  const up: Array<string> = []
  const begun = performance.now()
  const what = "Starting 13 servers: one, a Sentinel group (1+2+3), a Cluster (3+3)"
  yield* screen.isLive ? screen.draw([what]) : screen.log(what)
  const sites = yield* start(binary, places, (title) => {
    up.push(title)
    return screen.draw([`${what}; up: ${up.join(", ")}`])
  })
  yield* screen.draw([])
  yield* screen.log(
    `13 servers are up after ${seconds(performance.now() - begun)}: one, a Sentinel group, a Cluster.\n`
  )
  return sites
})

/** Runs the same program on each, and holds the answers against each other. */
const tour = Effect.fnUntraced(function*({ screen, paint }: Stage, sites: ReadonlyArray<Site>) {
  yield* screen.log(paint("bold", "One program, three Layers: GET, MULTI, a typed error, 10,000 INCRs by 1000 fibers"))
  const first: Array<unknown> = []
  for (const { deployment, title } of sites) {
    const { answers, milliseconds } = yield* Effect.provide(program, layerOf(deployment, "demo"))
    first.push(answers)
    const { distinct, error, greeting, sums } = answers
    const same = isDeepStrictEqual(answers, first[0]) ? "" : ", and not what the first one answered"
    yield* screen.log(
      `  ${title.padEnd(12)}"${greeting}", [${sums.join(", ")}], ${error}, ${whole(distinct)} different counts `
        + `in ${milliseconds} ms${same}`
    )
    if (same !== "") return yield* Effect.die("the deployments answer differently")
  }
})

const open = Effect.fnUntraced(function*(site: Site, clients: ReadonlyArray<Client>) {
  const books = clients.map(({ name }) => emptyBook(name))
  const next = yield* site.victim
  const view: View = { site, books, next, master: next.server, outage: undefined }
  const writes = yield* Effect.forEach(clients, (client) => client.open(site.deployment))
  return { view, writes }
})

/** Kills masters under the writes of all clients, and returns when all are done. */
const storm = Effect.fnUntraced(function*(
  stage: Stage,
  sites: ReadonlyArray<Site>,
  clients: ReadonlyArray<Client>,
  plan: Plan
) {
  const { paint, screen } = stage
  yield* screen.log(paint("bold", `\n${places.length} fibers write to each, and masters are killed`))
  const stages = yield* Effect.forEach(sites, (site) => open(site, clients))
  const views = stages.map(({ view }) => view)
  const ends = yield* Effect.forEach(
    stages.flatMap(({ view, writes }) =>
      view.books.map((book, index) => startWriters(book, writes[index]!, pause * clients.length))
    ),
    (start) => start
  )
  const endMeter = yield* meter(views, stage)
  const begun = performance.now()
  const log = (text: string) => screen.log(`${seconds(performance.now() - begun).padStart(8)}  ${text}`)
  yield* Effect.forEach(views, (view, index) =>
    Effect.gen(function*() {
      yield* Effect.sleep(plan.lead + index * plan.apart)
      for (let kill = 0; kill < plan.rounds * view.site.kills; kill++) {
        yield* strike(view, log)
        yield* Effect.sleep(plan.rest)
      }
    }), { concurrency: "unbounded" })
  yield* Effect.forEach(ends, (end) => end, { concurrency: "unbounded" })
  yield* endMeter
  return views
})

const sums = Effect.fnUntraced(function*(views: ReadonlyArray<View>) {
  const sums: Array<Sum> = []
  for (const { books, site } of views) {
    const reading = Effect.forEach(
      books,
      (book) => Effect.map(readCounters(book.client), (counters) => sumOf(site.title, book, counters))
    )
    sums.push(...yield* Effect.provide(reading, layerOf(site.deployment, "demo")))
  }
  return sums
})

const verdict = (own: ReadonlyArray<Sum>, kills: number): string => {
  const total = (key: "acknowledged" | "doubled" | "unknown") => own.reduce((sum, each) => sum + each[key], 0)
  return `redfx: ${kills} times kill -9, ${whole(total("acknowledged"))} acknowledged, `
    + `${whole(total("doubled"))} doubled, ${whole(total("unknown"))} reported as unknown.`
}

const course = Effect.fnUntraced(function*(options: Options, stage: Stage) {
  const { paint, screen } = stage
  const plan = options.short ? plans.short : plans.long
  const clients = [redfx, ...options.peers ? yield* peers : []]
  const sites = yield* setUp(stage, options.binary)
  yield* tour(stage, sites)
  const views = yield* storm(stage, sites, clients, plan)
  const all = yield* sums(views)
  const own = all.filter(({ client }) => client === redfx.name)
  yield* screen.log(`\n${paint("bold", "The sum")}\n${table(all)}\n`)
  yield* screen.log(paint("bold", verdict(own, sites.reduce((sum, { kills }) => sum + plan.rounds * kills, 0))))
  return own.every(isSound)
})

/** Runs the demo. Returns whether redfx has kept its word. */
export const run = (
  options: Options
): Effect.Effect<boolean, RedisServer.RedisServerError | RedisError.RedisError> =>
  Effect.scoped(Effect.gen(function*() {
    const { env, stdout } = process
    const isPlain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb"
    const isLive = options.live || (stdout.isTTY === true && !isPlain)
    const screen = yield* Screens.make(stdout, isLive, Number(env["COLUMNS"]) || undefined)
    const goodbye = Effect.andThen(screen.draw([]), screen.log("Interrupted. All servers are stopped."))
    return yield* Effect.onInterrupt(
      Effect.scoped(course(options, { screen, paint: paintOf(isLive && !isPlain) })),
      () => goodbye
    )
  }))
