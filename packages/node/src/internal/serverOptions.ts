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
 * - `binary`: the executable, a path or a name on PATH. Default: the environment variable `REDIS_SERVER`, else
 *   `redis-server`, else `valkey-server`.
 * - `password`: of the default user; `"random"` makes one up, which `RedisServer.password` holds. Default: none, as the server
 *   listens on the loopback address alone.
 * - `acl`: lines `user …` as in a configuration file.
 * - `tls`: PEM texts with which the server also listens on a TLS port. `ca` is what it trusts, and what is handed on in
 *   `RedisServer.tls`. `clientCertificate: "required"` refuses clients that present none (mutual TLS).
 * - `unixSocket`: also listen on a unix socket in the server's directory. Default `false`.
 * - `persistence`: `"none"` (default), `"rdb"` (saved when the server is stopped, lost when it is killed) or `"aof"`
 *   (every acknowledged write survives a kill).
 * - `clusterEnabled`: start as a cluster node, which owns no slots yet. Default `false`.
 * - `sentinel`: start as a Sentinel; what it monitors is given in `config`. Default `false`.
 * - `config`: more directives of the configuration file, written as they are; a list repeats the directive.
 * - `startTimeout`: the limit for the server to answer. Default 10 seconds.
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
