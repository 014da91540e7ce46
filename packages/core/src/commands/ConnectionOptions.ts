/**
 * What commands on connections take.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import type * as Arg from "../RedisArg.ts"

/**
 * The name and password of a user; without `username`, of the user `default`.
 *
 * @category connection
 * @since 0.1.0
 */
export interface Credentials {
  /** The name of the user. Default `default`. */
  readonly username?: string | undefined
  /** The password. A `Redacted` is never printed. */
  readonly password: string | Redacted.Redacted<string>
}

/**
 * A kind of client. `slave` and `replica` are the same; servers before Redis 5 know only `slave`.
 *
 * @category connection
 * @since 0.1.0
 */
export type ClientType = "normal" | "master" | "slave" | "replica" | "pubsub"

/**
 * Selects the clients for which every given condition holds.
 *
 * @category connection
 * @since 0.1.0
 */
export interface ClientFilter {
  /** The address and port of the client's side. */
  readonly addr?: string | undefined
  /** Clients with this capability. Valkey 9.0.0. */
  readonly capa?: string | undefined
  /** Clients that have selected this database. Valkey 9.0.0. */
  readonly db?: number | undefined
  /** Clients with these flags, one letter each. Valkey 9.0.0. */
  readonly flags?: string | undefined
  /** A client with one of these ids. CLIENT KILL takes several only on Valkey 8.1.0. */
  readonly id?: number | bigint | ReadonlyArray<number | bigint> | undefined
  /** Idle for at least this long. A bare number is seconds. Valkey 9.0.0. */
  readonly idle?: Arg.Time | undefined
  /** The address of the client's side, without the port. Valkey 9.0.0. */
  readonly ip?: string | undefined
  /** The address and port of the server's side. */
  readonly laddr?: string | undefined
  /** The name of the client's library. Valkey 9.0.0. */
  readonly libName?: string | undefined
  /** The version of the client's library. Valkey 9.0.0. */
  readonly libVer?: string | undefined
  /** Connected for at least this long. A bare number is seconds. Redis 7.4.0 and Valkey 8.0.0. */
  readonly maxage?: Arg.Time | undefined
  /** The name that CLIENT SETNAME gave the client. Valkey 9.0.0. */
  readonly name?: string | undefined
  /** Not this address and port of the client's side. Valkey 9.0.0. */
  readonly notAddr?: string | undefined
  /** Clients without this capability. Valkey 9.0.0. */
  readonly notCapa?: string | undefined
  /** Clients that have selected another database. Valkey 9.0.0. */
  readonly notDb?: number | undefined
  /** Clients without these flags. Valkey 9.0.0. */
  readonly notFlags?: string | undefined
  /** A client with none of these ids. Valkey 9.0.0. */
  readonly notId?: number | bigint | ReadonlyArray<number | bigint> | undefined
  /** Not this address of the client's side. Valkey 9.0.0. */
  readonly notIp?: string | undefined
  /** Not this address and port of the server's side. Valkey 9.0.0. */
  readonly notLaddr?: string | undefined
  /** Another library than this one. Valkey 9.0.0. */
  readonly notLibName?: string | undefined
  /** Another version of the library than this one. Valkey 9.0.0. */
  readonly notLibVer?: string | undefined
  /** Another name than this one. Valkey 9.0.0. */
  readonly notName?: string | undefined
  /** Clients of another kind than this one. Valkey 9.0.0. */
  readonly notType?: ClientType | undefined
  /** Authenticated as another user than this one. Valkey 9.0.0. */
  readonly notUser?: string | undefined
  /** Whether to leave out the client that sends the command. */
  readonly skipme?: boolean | undefined
  /** Clients of this kind. */
  readonly type?: ClientType | undefined
  /** Clients that are authenticated as this user. */
  readonly user?: string | undefined
}

/**
 * What the server reports to a client so that its cache does not become stale.
 *
 * Only one of `bcast`, `optin` and `optout` can be given, `prefix` only with `bcast`.
 *
 * @category connection
 * @since 0.1.0
 */
export type ClientTrackingOptions =
  & {
    /** The id of the client that gets the messages. */
    readonly redirect?: number | bigint | undefined
    /** Does not report the client's own writes. Default `false`. */
    readonly noloop?: boolean | undefined
  }
  & (
    | {
      /** Reports all keys that begin with one of `prefix`, whether the client has read them or not. Default `false`. */
      readonly bcast?: boolean | undefined
      /** What the keys begin with that `bcast` reports. Default all keys. */
      readonly prefix?: ReadonlyArray<Arg.Key> | undefined
      readonly optin?: undefined
      readonly optout?: undefined
    }
    | (
      & { readonly bcast?: undefined; readonly prefix?: undefined }
      & AtMostOne<{
        /** Reports only keys read after CLIENT CACHING YES. Default `false`. */
        readonly optin: boolean
        /** Does not report keys read after CLIENT CACHING NO. Default `false`. */
        readonly optout: boolean
      }>
    )
  )

/**
 * The options of `Redis.hello`.
 *
 * @category connection
 * @since 0.1.0
 */
export interface HelloOptions {
  /** The version of the protocol to speak from now on. */
  readonly protover: 2 | 3
  /** Authenticate, `username` included. */
  readonly auth?: Credentials | undefined
  /** Name the connection. */
  readonly setname?: string | undefined
}
