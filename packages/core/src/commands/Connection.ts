/**
 * Commands on the connection itself: authentication, names, tracking, and the
 * other clients of the server.
 *
 * Commands that change the state of their connection need a connection that is not shared. Most programs use the
 * options of the client instead.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type { ClientFilter, ClientTrackingOptions, ClientType, Credentials, HelloOptions } from "./ConnectionOptions.ts"
import { clientInfo as clientInfoReply, clientList as clientListReply } from "./replies/ClientInfo.ts"

export type * from "./ConnectionOptions.ts"
export type { ClientInfo } from "./replies/ClientInfo.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Authenticates the connection, as the user `default` when only a password is given; returns `true`.
 *
 * Fails with `AuthenticationError` when the server refuses. Clients authenticate by their own options. O(N). Since
 * Redis 1.0.0, with `username` since 6.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const auth = define(
  "AUTH",
  (credentials: Credentials | Credentials["password"]) =>
    typeof credentials === "string" || Redacted.isRedacted(credentials)
      ? [Arg.secret(credentials)]
      : [credentials.username ?? Arg.none, Arg.secret(credentials.password)],
  Reply.ok,
  "stateful"
)

/**
 * Sets whether the keys of the next command are tracked, in the modes OPTIN and OPTOUT; returns `true`.
 *
 * O(1). Since Redis 6.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientCaching = define(
  "CLIENT CACHING",
  (mode: "yes" | "no") => [Arg.token(mode)],
  Reply.ok,
  "stateful"
)

/**
 * Declares capabilities of the client, such as `redirect`; returns `true`.
 *
 * Fails with `DataError` when no capabilities are given. O(1). Since Valkey 8.0.0; Redis does not have it.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientCapa = define(
  "CLIENT CAPA",
  (...capabilities: Arg.Many<string>) => Arg.some(capabilities, "needs at least one capability"),
  Reply.ok,
  "stateful"
)

/**
 * Returns the name of the connection, `undefined` when it has none.
 *
 * O(1). Since Redis 2.6.9.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientGetname = define(
  "CLIENT GETNAME",
  () => [],
  Reply.map(Reply.nullable(Reply.text), (name) => name === "" ? undefined : name),
  "ordered"
)

/**
 * Returns the id of the client that gets the messages about the keys tracked for this connection, 0 when they are not
 * redirected, -1 when tracking is off.
 *
 * O(1). Since Redis 6.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientGetredir = define("CLIENT GETREDIR", () => [], Reply.integer, "ordered")

/**
 * Returns the id of the connection that this command is sent on.
 *
 * O(1). Since Redis 5.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientId = define("CLIENT ID", () => [], Reply.integer, "ordered")

/**
 * Marks the connection as one that imports data, whose keys do not expire during the import; returns `true`.
 *
 * O(1). Since Valkey 8.1.0; Redis does not have it.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientImportSource = define(
  "CLIENT IMPORT-SOURCE",
  (mode: "on" | "off") => [Arg.token(mode)],
  Reply.ok,
  "stateful"
)

/**
 * Returns what the server knows about the connection that this command is sent on.
 *
 * O(1). Since Redis 6.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientInfo = define("CLIENT INFO", () => [], clientInfoReply, "ordered")

/**
 * Closes the connection of the client at `address`, such as `127.0.0.1:50000`; returns `true`.
 *
 * {@link clientKillFilter} chooses clients by other things. Fails with `ResponseError` when there is no such client.
 * O(N). Since Redis 2.4.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientKill = define("CLIENT KILL", (address: string) => [address], Reply.ok)

/**
 * Closes the connections of the clients for which everything in `filter` holds; returns how many. It spares the
 * connection that it is sent on unless `skipme` is `false`.
 *
 * Fails with `DataError` when no filter is given. O(N). Since Redis 2.8.12.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientKillFilter = define(
  "CLIENT KILL",
  (filter: ClientFilter) => {
    const args = filterArgs(filter)
    return args.length === 0 ? Arg.invalid("needs at least one filter") : args
  },
  Reply.integer
)

/**
 * Returns what the server knows about its clients, or about those for which everything in `filter` holds.
 *
 * O(N). Since Redis 2.4.0, `type` since 5.0.0, `id` since 6.2.0. The other filters are only on Valkey: `user`, `addr`,
 * `laddr`, `skipme` and `maxage` since 8.1.0, the rest since 9.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientList = define(
  "CLIENT LIST",
  (filter: ClientFilter = {}) => filterArgs(filter),
  clientListReply,
  "readonly"
)

/**
 * Protects the connection from being closed when clients use too much memory, or ends the protection; returns `true`.
 *
 * O(1). Since Redis 7.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientNoEvict = define(
  "CLIENT NO-EVICT",
  (mode: "on" | "off") => [Arg.token(mode)],
  Reply.ok,
  "stateful"
)

/**
 * Sets whether the commands of the connection leave the time of last use of keys unchanged; returns `true`.
 *
 * O(1). Since Redis 7.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientNoTouch = define(
  "CLIENT NO-TOUCH",
  (mode: "on" | "off") => [Arg.token(mode)],
  Reply.ok,
  "stateful"
)

/**
 * Makes the server hold back the commands of all clients for a time, or only their writes; returns `true`.
 *
 * A bare `timeout` is whole milliseconds; fails with `DataError` for a fraction. O(1). Since Redis 3.0.0, `mode` since
 * 6.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientPause = define(
  "CLIENT PAUSE",
  (timeout: Arg.Time, mode?: "write" | "all") => [
    typeof timeout === "number" && !Number.isInteger(timeout)
      ? Arg.invalid("needs a whole number of milliseconds")
      : Arg.milliseconds(timeout),
    Arg.token(mode)
  ],
  Reply.ok
)

/**
 * Tells the server the name or the version of the library; returns `true`.
 *
 * Affects the connection that it is sent on. O(1). Since Redis 7.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientSetinfo = define(
  "CLIENT SETINFO",
  (attribute: "lib-name" | "lib-ver", value: string) => [Arg.token(attribute), value],
  Reply.ok,
  "ordered"
)

/**
 * Names the connection that it is sent on; returns `true`. An empty name removes the name.
 *
 * A client names all its connections by its option `clientName`. O(1). Since Redis 2.6.9.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientSetname = define("CLIENT SETNAME", (name: string) => [name], Reply.ok, "ordered")

/**
 * Makes the server report changes of keys that the connection has read, or ends that; returns `true`.
 *
 * O(1). Since Redis 6.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientTracking = define(
  "CLIENT TRACKING",
  (mode: "on" | "off", options: ClientTrackingOptions = {}) => [
    Arg.token(mode),
    Arg.option("REDIRECT", options.redirect),
    ...(options.prefix ?? []).map((prefix) => Arg.list("PREFIX", prefix)),
    Arg.flag("BCAST", options.bcast),
    Arg.flag("OPTIN", options.optin),
    Arg.flag("OPTOUT", options.optout),
    Arg.flag("NOLOOP", options.noloop)
  ],
  Reply.ok,
  "stateful"
)

/**
 * Returns how the server tracks the keys of the connection: the flags, such as `off` or `bcast`; the id of the client
 * that gets the messages, as in {@link clientGetredir}; and the prefixes.
 *
 * O(1). Since Redis 6.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientTrackinginfo = define(
  "CLIENT TRACKINGINFO",
  () => [],
  Reply.struct({
    flags: Reply.map(Reply.array(Reply.text), (flags): ReadonlySet<string> => new Set(flags)),
    redirect: Reply.integer,
    prefixes: Reply.array(Reply.blob)
  }),
  "ordered"
)

/**
 * Unblocks a client that waits in a blocking command, as if its timeout had passed or with the error code `UNBLOCKED`;
 * returns whether the client was waiting.
 *
 * Redis 7.0 and 8.0, Valkey 8.0 and 8.1 and others of their time crash where {@link clientPause} holds the client back.
 *
 * O(log N). Since Redis 5.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientUnblock = define(
  "CLIENT UNBLOCK",
  (id: number | bigint, reason?: "timeout" | "error") => [id, Arg.token(reason)],
  Reply.boolean
)

/**
 * Ends what {@link clientPause} began; returns `true`.
 *
 * O(N). Since Redis 6.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const clientUnpause = define("CLIENT UNPAUSE", () => [], Reply.ok)

/**
 * Returns `message`.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const echo = define("ECHO", (message: Arg.Value) => [message], Reply.blob, "readonly")

/**
 * Returns facts about the server. With options, changes the protocol, authenticates and names the connection.
 *
 * Fails with `ResponseError` (`NOPROTO`) when the server does not support the version. Clients do this by their own
 * options. O(1). Since Redis 6.0.0, without options since 6.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const hello = define(
  "HELLO",
  (options?: HelloOptions) =>
    options === undefined ? [] : [
      options.protover,
      options.auth === undefined
        ? Arg.none
        : Arg.list("AUTH", options.auth.username ?? "default", Arg.secret(options.auth.password)),
      Arg.option("SETNAME", options.setname)
    ],
  Reply.struct({
    server: Reply.text,
    version: Reply.text,
    proto: Reply.integer,
    id: Reply.integer,
    mode: Reply.text,
    role: Reply.text,
    modules: Reply.array(Reply.recordOf(Reply.raw))
  }),
  "stateful"
)

/**
 * Returns `true` when the server answers. On a cluster all masters and replicas are asked, and it fails when one of them does
 * not answer. A health check of a program reads a key instead, as by `Redis.exists`.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const ping = define("PING", () => [], Reply.map(Reply.text, (answer) => answer === "PONG"), "readonly")

/**
 * Returns `message`, as {@link echo} does.
 *
 * O(1). Since Redis 2.8.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const pingMessage = define("PING", (message: Arg.Value) => [message], Reply.blob, "readonly")

/**
 * Makes the server close the connection; returns `true`.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @deprecated since Redis 7.2.0: close the connection.
 * @category connection
 * @since 0.1.0
 */
export const quit = define("QUIT", () => [], Reply.ok, "stateful")

/**
 * Lets the connection read from a replica in a cluster; returns `true`.
 *
 * Fails with `ResponseError` when the server is in no cluster, except on Valkey 8.0.0 and later. Affects the connection
 * that it is sent on; a cluster client does this by its option `readFrom`. O(1). Since Redis 3.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const readonly = define("READONLY", () => [], Reply.ok, "stateful")

/**
 * Ends what {@link readonly} began; returns `true`.
 *
 * O(1). Since Redis 3.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const readwrite = define("READWRITE", () => [], Reply.ok, "stateful")

/**
 * Resets the connection to the state of a new one: no transaction, no subscriptions, not authenticated, database 0,
 * RESP2; returns `true`.
 *
 * O(1). Since Redis 6.2.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const reset = define("RESET", () => [], Reply.accepted, "stateful")

/**
 * Changes the database of the connection; returns `true`.
 *
 * Fails with `ResponseError` when there is no such database. Clients select it by their option `db`. O(1). Since Redis
 * 1.0.0.
 *
 * @category connection
 * @since 0.1.0
 */
export const select = define("SELECT", (index: number) => [index], Reply.ok, "stateful")

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

const filterArgs = (filter: ClientFilter): ReadonlyArray<Arg.List> =>
  [
    idArg("ID", filter.id),
    typeArg("TYPE", filter.type),
    Arg.option("USER", filter.user),
    Arg.option("ADDR", filter.addr),
    Arg.option("LADDR", filter.laddr),
    skipmeArg(filter.skipme),
    Arg.option("MAXAGE", filter.maxage === undefined ? undefined : Arg.seconds(filter.maxage)),
    Arg.option("NAME", filter.name),
    Arg.option("IDLE", filter.idle === undefined ? undefined : Arg.seconds(filter.idle)),
    Arg.option("FLAGS", filter.flags),
    Arg.option("LIB-NAME", filter.libName),
    Arg.option("LIB-VER", filter.libVer),
    Arg.option("DB", filter.db),
    Arg.option("CAPA", filter.capa),
    Arg.option("IP", filter.ip),
    typeArg("NOT-TYPE", filter.notType),
    idArg("NOT-ID", filter.notId),
    Arg.option("NOT-USER", filter.notUser),
    Arg.option("NOT-ADDR", filter.notAddr),
    Arg.option("NOT-LADDR", filter.notLaddr),
    Arg.option("NOT-NAME", filter.notName),
    Arg.option("NOT-FLAGS", filter.notFlags),
    Arg.option("NOT-LIB-NAME", filter.notLibName),
    Arg.option("NOT-LIB-VER", filter.notLibVer),
    Arg.option("NOT-DB", filter.notDb),
    Arg.option("NOT-CAPA", filter.notCapa),
    Arg.option("NOT-IP", filter.notIp)
  ].filter((option) => option.length > 0)

const idArg = (token: string, id: ClientFilter["id"]): Arg.List =>
  id === undefined ? Arg.none : isReadonlyArray(id) ? new Arg.List([token, ...id]) : Arg.list(token, id)

const clientTypes: ReadonlyArray<unknown> = ["normal", "master", "slave", "replica", "pubsub"]

// Checked although it is typed, as a server can mistake a wrong filter for another one.
const typeArg = (token: string, type: ClientType | undefined): Arg.List =>
  type === undefined || clientTypes.includes(type)
    ? Arg.option(token, type)
    : Arg.invalid(`${token} is one of ${clientTypes.join(", ")}`)

const skipmeArg = (skipme: boolean | undefined): Arg.List =>
  skipme === undefined ? Arg.none : Arg.list("SKIPME", Arg.boolean("SKIPME", skipme) === true ? "yes" : "no")
