/**
 * The options of a server that is started.
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * Options that a server is started with.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisServerOptions {
  /**
   * The executable, as a path or as a name on PATH. Default: the environment variable `REDIS_SERVER`, else `redis-server`,
   * else `valkey-server`.
   */
  readonly binary?: string | undefined
  /**
   * The password of the default user. `"random"` generates one, which `RedisServer.password` holds. Default: none, as the
   * server listens only on the loopback address.
   */
  readonly password?: Redacted.Redacted<string> | "random" | undefined
  /** Lines `user …` as in a configuration file. */
  readonly acl?: ReadonlyArray<string> | undefined
  /**
   * PEM texts with which the server also listens on a TLS port. `ca` is the authority that it trusts, and is passed on in
   * `RedisServer.tls`. `clientCertificate: "required"` refuses clients that present no certificate (mutual TLS).
   */
  readonly tls?: {
    /** The authority that the server trusts, as PEM text. */
    readonly ca: string
    /** The certificate of the server, as PEM text. */
    readonly cert: string
    /** The key of the certificate, as PEM text. */
    readonly key: Redacted.Redacted<string>
    /** Whether clients must present a certificate. Default `"none"`. */
    readonly clientCertificate?: "required" | "none" | undefined
  } | undefined
  /** Whether the server also listens on a unix socket in its directory. Default `false`. */
  readonly unixSocket?: boolean | undefined
  /**
   * `"none"` (default), `"rdb"` (data is saved when the server is stopped, and lost when it is killed) or `"aof"` (every
   * acknowledged write survives a kill).
   */
  readonly persistence?: "none" | "rdb" | "aof" | undefined
  /** Starts a cluster node, which owns no slots yet. Default `false`. */
  readonly clusterEnabled?: boolean | undefined
  /** Starts a Sentinel; `config` has what it monitors. Default `false`. */
  readonly sentinel?: boolean | undefined
  /**
   * Further directives of the configuration file, written unchanged; a list repeats the directive. `port`, `tls-port` and
   * `daemonize yes` are refused, and so is a `bind` without 127.0.0.1 or localhost, as nobody could reach the server then.
   */
  readonly config?: Readonly<Record<string, string | ReadonlyArray<string>>> | undefined
  /**
   * How long the server may take to answer; one that ends is told at once. Default 1 minute, which a machine with other work may
   * need. A test runner whose limit is shorter ends the test before, without the last lines of the server's log.
   */
  readonly startTimeout?: Duration.Input | undefined
}
