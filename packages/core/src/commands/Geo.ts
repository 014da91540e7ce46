/**
 * Commands on positions on the earth, which are stored in sorted sets.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import { known } from "../internal/argument/known.ts"
import { plain } from "../internal/reply/plain.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type * as Resp from "../Resp.ts"
import type {
  GeoaddOptions,
  GeoCoordinates,
  GeoFound,
  GeoLimit,
  GeoMember,
  GeoradiusDestination,
  GeoradiusOptions,
  GeosearchArea,
  GeosearchOptions,
  GeoUnit,
  GeoWith
} from "./GeoOptions.ts"

export type * from "./GeoOptions.ts"

// The types allow only these already, but text from outside may still be wrong.
const unitArg = (unit: GeoUnit): string =>
  unit === "m" || unit === "km" || unit === "mi" || unit === "ft"
    ? unit
    : Arg.invalid(`"${String(unit)}" is not a unit: m, km, mi or ft`)

const limitArgs = ({ any, count, sort }: GeoLimit): Arg.Arg =>
  Arg.list(
    count === undefined ? Arg.none : Arg.list("COUNT", count, Arg.flag("ANY", any)),
    sort === undefined || sort === "asc" || sort === "desc"
      ? Arg.token(sort)
      : Arg.invalid(`"${String(sort)}" is not an order: asc or desc`)
  )

const withArgs = (options: GeoWith): Arg.Arg =>
  Arg.list(
    Arg.flag("WITHCOORD", options.withcoord),
    Arg.flag("WITHDIST", options.withdist),
    Arg.flag("WITHHASH", options.withhash)
  )

const circleArgs = (
  key: Arg.Key,
  centre: Arg.List,
  radius: number,
  options: GeoradiusOptions = {},
  told: Arg.Arg = Arg.none
): Arg.List =>
  Arg.list(
    Arg.key(key),
    centre,
    radius,
    unitArg(options.unit ?? "m"),
    told,
    limitArgs(options)
  )

const destinationArgs = ({ store, storedist }: GeoradiusDestination): Arg.Arg => {
  if (store !== undefined && storedist !== undefined) return Arg.invalid("takes either store or storedist")
  return store !== undefined ? Arg.list("STORE", Arg.key(store)) : Arg.list("STOREDIST", Arg.key(storedist))
}

const areaArgs = (area: GeosearchArea): Arg.Arg => {
  if (area.bypolygon !== undefined) {
    const vertices = area.bypolygon.map(({ latitude, longitude }) => Arg.list(longitude, latitude))
    return new Arg.List(["BYPOLYGON", vertices.length, ...vertices])
  }
  const from = area.fromlonlat === undefined
    ? Arg.list("FROMMEMBER", area.frommember)
    : Arg.list("FROMLONLAT", area.fromlonlat.longitude, area.fromlonlat.latitude)
  const by = area.byradius === undefined
    ? Arg.list("BYBOX", area.bybox.width, area.bybox.height, unitArg(area.bybox.unit ?? "m"))
    : Arg.list("BYRADIUS", area.byradius.radius, unitArg(area.byradius.unit ?? "m"))
  return Arg.list(from, by)
}

const searchArgs = (key: Arg.Key, options: GeosearchOptions): Arg.List =>
  Arg.list(
    Arg.key(key),
    areaArgs(options),
    limitArgs(options)
  )

const positionArgs = (positions: ReadonlyArray<GeoMember>): Arg.Arg =>
  !isReadonlyArray(positions)
    ? Arg.invalid("takes its positions as an array, such as [{ longitude: 13.4, latitude: 52.5, member: \"Berlin\" }]")
    : positions.length === 0
    ? Arg.invalid("needs at least one position")
    : new Arg.List(positions.map(({ latitude, longitude, member }) => Arg.list(longitude, latitude, member)))

const coordinates = Reply.fields({ longitude: Reply.double, latitude: Reply.double })

type AnyFound = GeoFound<string | Uint8Array, number | bigint>

const Found = plain<
  AnyFound,
  [AnyFound["member"], AnyFound["distance"], AnyFound["hash"], AnyFound["coordinates"]]
>(function(member, distance, hash, coordinates) {
  this.member = member
  this.distance = distance
  this.hash = hash
  this.coordinates = coordinates
})

/**
 * Distance, hash and coordinates come in this order, those that were asked for. Each has a shape of its own: text, an
 * integer, an array.
 */
const found: Reply.Reply<GeoFound, GeoFound<Uint8Array>, GeoFound<string, bigint>> = Reply.make((value, view) => {
  const parts: ReadonlyArray<Resp.Value> = Array.isArray(value) ? value : [value]
  let distance: number | undefined
  let hash: number | bigint | undefined
  let position: GeoCoordinates | undefined
  for (const part of parts.slice(1)) {
    if (Array.isArray(part)) position = coordinates.decode(part, view)
    else if (typeof part === "number" || typeof part === "bigint") hash = Reply.integer.decode(part, view)
    else distance = Reply.double.decode(part, view)
  }
  const member = Reply.blob.decode(parts[0] ?? null, view)
  // Member and hash were decoded in the same view, so the record has one of the declared types.
  return new Found(member, distance, hash, position) as GeoFound
})

/** When a search stores and its key is missing, Redis 6 answers with an empty array, later servers with 0. */
const stored = Reply.make<number, number, bigint>((value, view) =>
  Reply.integer.decode(Array.isArray(value) && value.length === 0 ? 0 : value, view)
)

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds members at their positions, or moves those that exist; returns how many are new, or with `ch` how many are new
 * or moved.
 *
 * A missing key is created. Fails with `DataError` when no positions are given, with `ResponseError` for a position
 * outside the limits of {@link GeoCoordinates}, with `WrongTypeError` when the key does not hold a sorted set. O(log N)
 * a member. Since Redis 3.2.0; options since 6.2.0.
 *
 * **Example** (A place)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const added = Redis.geoadd("shops", [{ member: "north", longitude: 13.36, latitude: 52.55 }])
 * ```
 *
 * @category geo
 * @since 0.1.0
 */
export const geoadd = define(
  "GEOADD",
  (key: Arg.Key, positions: ReadonlyArray<GeoMember>, options: GeoaddOptions = {}) => {
    const members = positionArgs(positions)
    const { ch, nx, xx } = known(options, "{ nx: true }")
    return [Arg.key(key), Arg.flag("NX", nx), Arg.flag("XX", xx), Arg.flag("CH", ch), members]
  },
  Reply.integer
)

/**
 * Returns the distance between two members, in metres by default, `undefined` when one of them does not exist.
 *
 * Fails with `DataError` for a unit other than m, km, mi and ft, with `WrongTypeError` when the key does not hold a
 * sorted set. O(1). Since Redis 3.2.0.
 *
 * @category geo
 * @since 0.1.0
 */
export const geodist = define(
  "GEODIST",
  (key: Arg.Key, member1: Arg.Value, member2: Arg.Value, unit?: GeoUnit) => [
    Arg.key(key),
    member1,
    member2,
    unit === undefined ? Arg.none : unitArg(unit)
  ],
  Reply.nullable(Reply.double),
  "cacheable"
)

/** A key, and members of it: where there are none, nothing is sent. */
const memberArgs = (key: Arg.Key, ...members: Arg.Many<Arg.Value>) => {
  const list = Arg.many(members)
  return list.length === 0 ? Arg.answer([]) : [Arg.key(key), ...list]
}

/**
 * Returns the geohash of members in their order, 11 characters each, `undefined` for each that does not exist.
 *
 * With no members, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold
 * a sorted set. O(1) a member. Since Redis 3.2.0.
 *
 * @category geo
 * @since 0.1.0
 */
export const geohash = define("GEOHASH", memberArgs, Reply.array(Reply.nullable(Reply.text)), "cacheable")

/**
 * Returns the positions of members in their order, `undefined` for each that does not exist.
 *
 * The positions differ by a rounding error from those that were added. With no members, returns an empty array without
 * a round trip. Fails with `WrongTypeError` when the key does not hold a sorted set. O(1) a member. Since Redis 3.2.0.
 *
 * @category geo
 * @since 0.1.0
 */
export const geopos = define("GEOPOS", memberArgs, Reply.array(Reply.nullable(coordinates)), "cacheable")

/**
 * Returns the members within `radius` of a position.
 *
 * Returns an empty array when the key does not exist. Fails with `DataError` for an unknown unit or order, with
 * `WrongTypeError` when the key does not hold a sorted set. O(N + log M), N members in the box around the circle, M in
 * the key. Since Redis 3.2.0.
 *
 * @deprecated Use {@link geosearch} with `fromlonlat` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadius = define(
  "GEORADIUS",
  (key: Arg.Key, longitude: number, latitude: number, radius: number, options?: GeoradiusOptions) =>
    circleArgs(key, Arg.list(longitude, latitude), radius, options),
  Reply.array(Reply.blob)
)

/**
 * Like {@link georadius}, but it never writes, so replicas answer it too.
 *
 * Since Redis 3.2.10.
 *
 * @deprecated Use {@link geosearch} with `fromlonlat` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusRo = define(
  "GEORADIUS_RO",
  (key: Arg.Key, longitude: number, latitude: number, radius: number, options?: GeoradiusOptions) =>
    circleArgs(key, Arg.list(longitude, latitude), radius, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Like {@link georadiusRo}, with distances, hashes and positions as asked for.
 *
 * Since Redis 3.2.10.
 *
 * @deprecated Use {@link geosearchWith} with `fromlonlat` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusRoWith = define(
  "GEORADIUS_RO",
  (key: Arg.Key, longitude: number, latitude: number, radius: number, options: GeoradiusOptions & GeoWith) =>
    circleArgs(key, Arg.list(longitude, latitude), radius, options, withArgs(options)),
  Reply.array(found),
  "cacheable"
)

/**
 * Stores the members that {@link georadius} finds, replacing what was there; returns how many it stored.
 *
 * The destination is deleted when no member is found. Fails with `DataError` when both destinations are given, and for
 * an unknown unit or order, with `WrongTypeError` when the key does not hold a sorted set. O(N + log M), N members in
 * the box around the circle, M in the key. Since Redis 3.2.0.
 *
 * @deprecated Use {@link geosearchstore} with `fromlonlat` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusStore = define(
  "GEORADIUS",
  (
    key: Arg.Key,
    longitude: number,
    latitude: number,
    radius: number,
    options: GeoradiusDestination & GeoradiusOptions
  ) => [
    circleArgs(key, Arg.list(longitude, latitude), radius, options),
    destinationArgs(options)
  ],
  stored
)

/**
 * Like {@link georadius}, with distances, hashes and positions as asked for.
 *
 * Since Redis 3.2.0.
 *
 * @deprecated Use {@link geosearchWith} with `fromlonlat` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusWith = define(
  "GEORADIUS",
  (key: Arg.Key, longitude: number, latitude: number, radius: number, options: GeoradiusOptions & GeoWith) =>
    circleArgs(key, Arg.list(longitude, latitude), radius, options, withArgs(options)),
  Reply.array(found)
)

/**
 * Returns the members within `radius` of a member.
 *
 * Returns an empty array when the key does not exist. Fails with `DataError` for an unknown unit or order, with
 * `ResponseError` when the member does not exist, with `WrongTypeError` when the key does not hold a sorted set. O(N +
 * log M), N members in the box around the circle, M in the key. Since Redis 3.2.0.
 *
 * @deprecated Use {@link geosearch} with `frommember` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusbymember = define(
  "GEORADIUSBYMEMBER",
  (key: Arg.Key, member: Arg.Value, radius: number, options?: GeoradiusOptions) =>
    circleArgs(key, Arg.list(member), radius, options),
  Reply.array(Reply.blob)
)

/**
 * Like {@link georadiusbymember}, but it never writes, so replicas answer it too.
 *
 * Since Redis 3.2.10.
 *
 * @deprecated Use {@link geosearch} with `frommember` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusbymemberRo = define(
  "GEORADIUSBYMEMBER_RO",
  (key: Arg.Key, member: Arg.Value, radius: number, options?: GeoradiusOptions) =>
    circleArgs(key, Arg.list(member), radius, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Like {@link georadiusbymemberRo}, with distances, hashes and positions as asked for.
 *
 * Since Redis 3.2.10.
 *
 * @deprecated Use {@link geosearchWith} with `frommember` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusbymemberRoWith = define(
  "GEORADIUSBYMEMBER_RO",
  (key: Arg.Key, member: Arg.Value, radius: number, options: GeoradiusOptions & GeoWith) =>
    circleArgs(key, Arg.list(member), radius, options, withArgs(options)),
  Reply.array(found),
  "cacheable"
)

/**
 * Stores the members that {@link georadiusbymember} finds, replacing what was there; returns how many it stored.
 *
 * The destination is deleted when no member is found. Fails with `DataError` when both destinations are given, and for
 * an unknown unit or order, with `WrongTypeError` when the key does not hold a sorted set. O(N + log M), N members in
 * the box around the circle, M in the key. Since Redis 3.2.0.
 *
 * @deprecated Use {@link geosearchstore} with `frommember` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusbymemberStore = define(
  "GEORADIUSBYMEMBER",
  (key: Arg.Key, member: Arg.Value, radius: number, options: GeoradiusDestination & GeoradiusOptions) => [
    circleArgs(key, Arg.list(member), radius, options),
    destinationArgs(options)
  ],
  stored
)

/**
 * Like {@link georadiusbymember}, with distances, hashes and positions as asked for.
 *
 * Since Redis 3.2.0.
 *
 * @deprecated Use {@link geosearchWith} with `frommember` and `byradius` on servers since 6.2.
 * @category geo
 * @since 0.1.0
 */
export const georadiusbymemberWith = define(
  "GEORADIUSBYMEMBER",
  (key: Arg.Key, member: Arg.Value, radius: number, options: GeoradiusOptions & GeoWith) =>
    circleArgs(key, Arg.list(member), radius, options, withArgs(options)),
  Reply.array(found)
)

/**
 * Returns the members inside a circle, a box or a polygon.
 *
 * {@link geosearchWith} returns distances, positions and hashes too. Returns an empty array when the key does not
 * exist. Fails with `DataError` for an unknown unit or order, with `ResponseError` when the member at the centre does
 * not exist, with `WrongTypeError` when the key does not hold a sorted set. O(N + log M), N members in the box around
 * the area, M in the area. Since Redis 6.2.0.
 *
 * **Example** (The nearest three within five kilometres)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const near = Redis.geosearch("shops", { frommember: "north", byradius: { radius: 5, unit: "km" }, sort: "asc", count: 3 })
 * ```
 *
 * @category geo
 * @since 0.1.0
 */
export const geosearch = define(
  "GEOSEARCH",
  (key: Arg.Key, options: GeosearchOptions) => searchArgs(key, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Stores at `destination` what {@link geosearch} finds in `source`, replacing what was there; returns how many members
 * it stored.
 *
 * With `storedist` the scores are distances in the unit of the search instead of positions. `destination` is deleted
 * when nothing is found. Fails with `WrongTypeError` when `source` does not hold a sorted set. O(N + log M), N members
 * in the box around the area, M in the area. Since Redis 6.2.0.
 *
 * @category geo
 * @since 0.1.0
 */
export const geosearchstore = define(
  "GEOSEARCHSTORE",
  (
    destination: Arg.Key,
    source: Arg.Key,
    options: GeosearchOptions & { readonly storedist?: boolean | undefined }
  ) => [
    Arg.key(destination),
    searchArgs(source, options),
    Arg.flag("STOREDIST", options.storedist)
  ],
  stored
)

/**
 * Like {@link geosearch}, with distances, hashes and positions as asked for.
 *
 * O(N + log M), N members in the box around the area, M in the area. Since Redis 6.2.0.
 *
 * @category geo
 * @since 0.1.0
 */
export const geosearchWith = define(
  "GEOSEARCH",
  (key: Arg.Key, options: GeosearchOptions & GeoWith) => [searchArgs(key, options), withArgs(options)],
  Reply.array(found),
  "cacheable"
)
