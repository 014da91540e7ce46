/**
 * Search by place: positions in a sorted set, what is near, nearest first, in a box, and how far it is.
 */
import { Redis } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { run } from "../support/server.ts"

const shops = "shops"

await run(Effect.gen(function*() {
  yield* Redis.geoadd(shops, [
    { member: "Alexanderplatz", longitude: 13.4132, latitude: 52.5219 },
    { member: "Zoo", longitude: 13.3325, latitude: 52.5074 },
    { member: "Potsdam", longitude: 13.0645, latitude: 52.3906 },
    { member: "Leipzig", longitude: 12.3731, latitude: 51.3397 }
  ])
  const here = { longitude: 13.3777, latitude: 52.5163 }

  const near = yield* Redis.geosearchWith(shops, {
    fromlonlat: here,
    byradius: { radius: 50, unit: "km" },
    sort: "asc",
    withdist: true
  })
  yield* Console.log("within 50 km, nearest first:", near.map(({ distance, member }) => `${member} ${distance} km`))

  const nearest = yield* Redis.geosearch(shops, {
    frommember: "Leipzig",
    byradius: { radius: 1000, unit: "km" },
    sort: "asc",
    count: 2
  })
  yield* Console.log("nearest to Leipzig, itself first:", nearest)

  const inTown = yield* Redis.geosearch(shops, { fromlonlat: here, bybox: { width: 20, height: 20, unit: "km" } })
  yield* Console.log("in a box of 20 km:", inTown)
  yield* Console.log("from Zoo to Potsdam:", yield* Redis.geodist(shops, "Zoo", "Potsdam", "km"), "km")
}))
