/**
 * The options of a server that is started.
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * Options that a server is started with.
 *
 * **Details**
 *
 * - `binary`: the executable, as a path or as a name on PATH. Default: the environment variable `REDIS_SERVER`, else
 *   `redis-server`, else `valkey-server`.
 * - `password`: the password of the default user. `"random"` generates one, which `RedisServer.password` holds.
 *   Default: none, as the server listens only on the loopback address.
 * - `acl`: lines `user …` as in a configuration file.
 * - `tls`: PEM texts with which the server also listens on a TLS port. `ca` is the authority that it trusts, and is
 *   passed on in `RedisServer.tls`. `clientCertificate: "required"` refuses clients that present no certificate (mutual
 *   TLS).
 * - `unixSocket`: whether the server also listens on a unix socket in its directory. Default `false`.
 * - `persistence`: `"none"` (default), `"rdb"` (data is saved when the server is stopped, and lost when it is killed)
 *   or `"aof"` (every acknowledged write survives a kill).
 * - `clusterEnabled`: starts a cluster node, which owns no slots yet. Default `false`.
 * - `sentinel`: starts a Sentinel; `config` has what it monitors. Default `false`.
 * - `config`: further directives of the configuration file, written unchanged; a list repeats the directive.
 * - `startTimeout`: how long the server may take to answer. Default 10 seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisServerOptions {
  readonly binary?: string | undefined
  readonly password?: Redacted.Redacted<string> | "random" | undefined
  readonly acl?: ReadonlyArray<string> | undefined
  readonly tls?: {
    readonly ca: string
    readonly cert: string
    readonly key: Redacted.Redacted<string>
    readonly clientCertificate?: "required" | "none" | undefined
  } | undefined
  readonly unixSocket?: boolean | undefined
  readonly persistence?: "none" | "rdb" | "aof" | undefined
  readonly clusterEnabled?: boolean | undefined
  readonly sentinel?: boolean | undefined
  readonly config?: Readonly<Record<string, string | ReadonlyArray<string>>> | undefined
  readonly startTimeout?: Duration.Input | undefined
}
