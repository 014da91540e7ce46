/**
 * Options of sentinels, checked.
 */
import * as RedisConfig from "@redfx/core/RedisConfig"
import { connectionLoss, RedisConfigError } from "@redfx/core/RedisError"
import * as Options from "@redfx/core/unstable/Options"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

type GroupOptions = Omit<RedisConfig.SentinelOptions, "service" | "role">

/** The longest that one sentinel may hold up the asking of the next. */
const longestAsk = Duration.seconds(2)

/**
 * The limits of what a sentinel may send. A replica takes about 6 KB of `replyBytes`, so that a service may have some 5,000,
 * those counted that are gone and were never forgotten (SENTINEL RESET).
 */
const limits = { replyBytes: 32 * 1024 * 1024, bulkLength: 64 * 1024, lineLength: 64 * 1024, replyDepth: 8 }

/**
 * The options of connections to sentinels: the program's own for sentinels, and of those for the data only the time
 * limits and those of the socket. TLS is that of the data unless the options say otherwise, because TLS of the data
 * alone would be of no use when somebody between the client and its sentinels can say where the data is.
 */
export const ofSentinels = Effect.fnUntraced(function*(
  options: GroupOptions
): Effect.fn.Return<RedisConfig.ConnectionSettings, RedisConfigError> {
  const { commandTimeout, connectTimeout, keepAlive, keepAliveInitialDelay } = yield* RedisConfig.settings(options)
  const { credentials, password, tls, username } = yield* Options.record(
    "sentinelOptions",
    options.sentinelOptions ?? {}
  )
  const limit = Duration.min(Duration.min(connectTimeout, commandTimeout), longestAsk)
  return yield* Effect.mapError(
    RedisConfig.settings({
      username,
      password,
      credentials,
      tls: tls ?? options.tls,
      accept: options.accept,
      connectTimeout: limit,
      commandTimeout: limit,
      keepAlive,
      keepAliveInitialDelay,
      limits
    }, { given: options.sentinels, optionPrefix: "sentinelOptions." }),
    ({ detail, option }) => new RedisConfigError({ option: `sentinelOptions.${option}`, detail })
  )
})

/**
 * Finds the address that one from a sentinel stands for, by the option `natMap`. A sentinel may send anything, and what it names
 * as a server is printed: what cannot be an address is none.
 */
export const locate = (natMap: RedisConfig.NatMap | undefined): Effect.Effect<Options.Translation, RedisConfigError> =>
  Effect.map(RedisConfig.translation(natMap), (translate) => {
    const checked = Options.checkedTranslation(translate)
    return ({ host, port }) =>
      host !== "" && Options.isHost(host) && Options.isPort(port)
        ? checked({ host, port })
        : Result.fail(connectionLoss("Other", `the port ${port} and the host ${JSON.stringify(host)}`))
  })

/** Refuses options that are none, addresses that are not valid, and an empty list of them. */
export const checkAddresses = (options: GroupOptions): Effect.Effect<void, RedisConfigError> =>
  Effect.flatMap(
    Options.options(options, `{ sentinels: [{ host, port }], service: "mymaster" }`),
    ({ sentinels }) => Effect.asVoid(Options.addresses("sentinels", sentinels))
  )

/** How many other sentinels one must know to be believed. */
export const minOtherSentinels = (value: number = 0): Effect.Effect<number, RedisConfigError> =>
  Options.integer("minOtherSentinels", value, 0)

/**
 * The options of a client of a group, checked, with every default filled in.
 *
 * - `interval`: how often sentinels are asked without a reason.
 */
export const ofClient = Effect.fnUntraced(function*(options: RedisConfig.SentinelOptions) {
  const { readFrom = "master", role = "master" } = options
  return {
    service: yield* serviceOf(options.service),
    role: yield* Options.choice("role", role, ["master", "replica"]),
    readFrom: yield* Options.choice("readFrom", readFrom, ["master", "preferReplica"]),
    interval: yield* Options.duration("recheckInterval", options.recheckInterval, Duration.seconds(10)),
    masterWait: yield* Options.duration("masterWait", options.masterWait, Duration.zero, 0),
    checkConnection: yield* Options.boolean("checkConnection", options.checkConnection, false)
  }
})

/** The name of a master that sentinels watch. */
const serviceOf = (name: string | undefined): Effect.Effect<string, RedisConfigError> =>
  // Programs without types may leave it out.
  name === undefined || name === ""
    ? Options.invalid(
      "service",
      "it is missing or empty; give the name under which sentinels watch the master, often mymaster"
    )
    : Options.text("service", name)
