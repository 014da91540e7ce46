/**
 * What commands on positions take and return.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import type * as Arg from "../RedisArg.ts"

/**
 * A unit of length: metres, kilometres, miles, feet.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeoUnit = "m" | "km" | "mi" | "ft"

/**
 * A position in degrees: longitude from -180 to 180, latitude from -85.05112878 to 85.05112878.
 *
 * @category geo
 * @since 0.1.0
 */
export interface GeoCoordinates {
  /** Degrees from -180 to 180. */
  readonly longitude: number
  /** Degrees from -85.05112878 to 85.05112878. */
  readonly latitude: number
}

/**
 * A member and its position.
 *
 * @category geo
 * @since 0.1.0
 */
export interface GeoMember extends GeoCoordinates {
  /** What is at the position. */
  readonly member: Arg.Value
}

/**
 * Options of `Redis.geoadd`.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeoaddOptions =
  & AtMostOne<{
    /** Adds new members only. */
    readonly nx: boolean
    /** Moves only members that exist. */
    readonly xx: boolean
  }>
  & {
    /** Counts moved members as well as new ones. Default `false`. */
    readonly ch?: boolean | undefined
  }

/**
 * How many members a search returns, and in which order.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeoLimit =
  & {
    /** Nearest first (`"asc"`) or farthest first (`"desc"`). Without it the order is undefined. */
    readonly sort?: "asc" | "desc" | undefined
  }
  & (
    | { readonly count?: undefined; readonly any?: undefined }
    | {
      /** At most this many members, the nearest ones. Default all. */
      readonly count: number
      /** Takes the first members found instead of the nearest ones, which is faster. Default `false`. Redis 6.2.0. */
      readonly any?: boolean | undefined
    }
  )

/**
 * What a search returns for each member besides its name.
 *
 * @category geo
 * @since 0.1.0
 */
export interface GeoWith {
  /** The distance from the centre, in the unit of the search. Default `false`. */
  readonly withdist?: boolean | undefined
  /** The geohash as an integer of 52 bits. Default `false`. */
  readonly withhash?: boolean | undefined
  /** The position. Default `false`. */
  readonly withcoord?: boolean | undefined
}

/**
 * Options of `Redis.georadius` and `Redis.georadiusbymember`; `unit` is the unit of the radius, `"m"` by default.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeoradiusOptions = GeoLimit & {
  /** The unit of the radius. Default `"m"`. */
  readonly unit?: GeoUnit | undefined
}

/**
 * The destination of `Redis.georadiusStore`: `store` stores positions, `storedist` stores distances as scores. Not
 * both.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeoradiusDestination =
  | {
    /** The key at which the positions are stored. */
    readonly store: Arg.Key
    readonly storedist?: undefined
  }
  | {
    /** The key at which the distances are stored, as scores. */
    readonly storedist: Arg.Key
    readonly store?: undefined
  }

/**
 * The centre of a search: a position or a member.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeosearchFrom =
  | {
    /** The centre is this position. */
    readonly fromlonlat: GeoCoordinates
    readonly frommember?: undefined
  }
  | {
    /** The centre is where this member of the set is. */
    readonly frommember: Arg.Value
    readonly fromlonlat?: undefined
  }

/**
 * The area of a search: a circle, a box along the axes, or (on Valkey since 9.0.0) a polygon, for which no centre can
 * be given. `unit` is `"m"` by default.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeosearchArea =
  | GeosearchFrom
    & (
      | {
        /** A circle around the centre. */
        readonly byradius: {
          /** How far the circle reaches, in `unit`. */
          readonly radius: number
          /** The unit of the lengths. Default `"m"`. */
          readonly unit?: GeoUnit | undefined
        }
        readonly bybox?: undefined
        readonly bypolygon?: undefined
      }
      | {
        /** A box along the axes, around the centre. */
        readonly bybox: {
          /** The length from west to east, in `unit`. */
          readonly width: number
          /** The length from south to north, in `unit`. */
          readonly height: number
          /** The unit of the lengths. Default `"m"`. */
          readonly unit?: GeoUnit | undefined
        }
        readonly byradius?: undefined
        readonly bypolygon?: undefined
      }
    )
  | {
    /** The corners of a polygon, which has no centre. Valkey 9.0.0. */
    readonly bypolygon: ReadonlyArray<GeoCoordinates>
    readonly fromlonlat?: undefined
    readonly frommember?: undefined
    readonly byradius?: undefined
    readonly bybox?: undefined
  }

/**
 * Options of `Redis.geosearch`: centre, area, order and number.
 *
 * @category geo
 * @since 0.1.0
 */
export type GeosearchOptions = GeosearchArea & GeoLimit

/**
 * A member found, with the details that were asked for; the others are `undefined`.
 *
 * @category geo
 * @since 0.1.0
 */
export interface GeoFound<Member = string, Integer = number> {
  /** What is at the position. */
  readonly member: Member
  /** The distance from the centre, in the unit of the search. */
  readonly distance: number | undefined
  /** The geohash, an integer of 52 bits. */
  readonly hash: Integer | undefined
  /** The position. */
  readonly coordinates: GeoCoordinates | undefined
}
