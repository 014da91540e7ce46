/**
 * Reads a deployment from the environment, a file or another source of configuration.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as RedisUrl from "../../RedisUrl.ts"
import { present } from "../error/present.ts"
import type { Deployment } from "./options.ts"
import { assemble, boolean, entries, listed, port, snakeName } from "./text.ts"
import type { Entry } from "./text.ts"
import { hostText } from "./urlText.ts"

/** A value under its own name or, in the environment, that name in upper case. */
const read = <A>(codec: Schema.Codec<A, unknown>, path: Entry["path"]): Config.Config<A | undefined> =>
  Config.flatMap(Config.option(Config.schema(codec, path)), (own) =>
    Option.isSome(own)
      ? Config.succeed(own.value)
      : Config.map(Config.option(Config.schema(codec, snakeName(path).toUpperCase())), Option.getOrUndefined))

/** Reads a required value. The error says its name when it is missing, with the prefix of this program. */
const required = <A>(codec: Schema.Codec<A, unknown>, path: Entry["path"], what: string): Config.Config<A> => {
  const name = snakeName(path).toUpperCase()
  const missing = Config.orElse(
    Config.schema(codec, name),
    (error) => failing(`${fullName(error) ?? name} is missing: ${what}`)
  )
  return Config.flatMap(read(codec, path), (value) => value === undefined ? missing : Config.succeed(value))
}

/** The name under which the program knows the value that an error is about. */
const fullName = ({ cause }: Config.ConfigError): string | undefined =>
  cause._tag === "SchemaError" && cause.issue._tag === "Pointer" ? cause.issue.path.map(String).join("_") : undefined

/** Hosts as people list them, with spaces around them and a comma after the last; each as it stands in a URL. */
const hosts = listed.pipe(
  Schema.decodeTo(
    Schema.String.check(
      Schema.isPattern(/^[^/?#@\s,]+(,[^/?#@\s,]+)*$/, { expected: "hosts as host:port,host:port" })
    ),
    SchemaTransformation.transform({
      decode: (text) => text.trim().replace(/,$/, "").split(",").map((host) => host.trim()).join(","),
      encode: (text) => text
    })
  )
)

type Mode = Deployment["mode"]

/** A Config whose schemas are compiled by who reads it: most programs read none, and a process that starts has no millisecond for it. */
const later = <A>(config: () => Config.Config<A>): Config.Config<A> => Config.flatMap(Config.succeed(undefined), config)

/** The values that decide which others are read. Values that are not read may hold anything. */
const head = later(() =>
  Config.all({
    mode: read(Schema.Literals(["standalone", "sentinel", "cluster"]), ["mode"]),
    cluster: read(boolean.config, ["cluster"]),
    url: read(Schema.Redacted(Schema.String), ["url"])
  })
)

const options = (mode: Mode): Config.Config<Readonly<Record<string, unknown>>> =>
  Config.mapEffect(
    Config.all(
      entries[mode].map(({ path, text }) => Config.map(read(text.config, path), (value) => [path, value] as const))
    ),
    (values) => {
      const assembled = assemble(values.filter(([, value]) => value !== undefined))
      return assembled === undefined
        ? invalid("two options contradict each other, such as pool and pool.max or tls and tls.ca")
        : Effect.succeed(assembled)
    }
  )

/** Where the servers are: a URL, with what it leaves to options. A `path` goes before that of the URL, which is absolute. */
interface Address {
  readonly url: string | Redacted.Redacted<string>
  readonly path?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

const hostAndPort = later(() => Config.all({ host: read(Schema.NonEmptyString, ["host"]), port: read(port, ["port"]) }))

/**
 * Fails when there is a list of servers of another mode. Somebody has forgotten to name the mode then, and the client would
 * go to a server on this machine.
 */
const withoutLists: Config.Config<void> = Config.flatMap(
  later(() => Config.all([read(listed, ["sentinels"]), read(listed, ["nodes"])])),
  ([sentinels, nodes]) =>
    sentinels === undefined && nodes === undefined ? Config.succeed(undefined) : Config.map(
      required(
        Schema.String,
        ["mode"],
        `it is "${sentinels === undefined ? "cluster" : "sentinel"}" for the ${
          sentinels === undefined ? "nodes" : "sentinels"
        } that are given`
      ),
      () => undefined
    )
)

/** The URL that the separate variables of a mode stand for. */
const addressWithoutUrl = (mode: Mode | undefined): Config.Config<Address> => {
  switch (mode) {
    case "sentinel":
      // The service is read with the other options. It is asked for here only so that the error of a missing one has
      // its name.
      return Config.map(
        Config.all([
          required(hosts, ["sentinels"], "some sentinels, as host:port,host:port"),
          required(Schema.NonEmptyString, ["service"], "the name of the master that sentinels watch")
        ]),
        ([sentinels]) => ({ url: `redis+sentinel://${sentinels}` })
      )
    case "cluster":
      return Config.flatMap(read(hosts, ["nodes"]), (nodes) =>
        nodes === undefined
          ? Config.flatMap(hostAndPort, ({ host, port }) =>
            host === undefined
              ? Config.map(
                required(hosts, ["nodes"], "some nodes of the cluster, as host:port,host:port"),
                (nodes) => ({ url: `redis+cluster://${nodes}` })
              )
              : Config.succeed({ url: `redis+cluster://${hostText(host, port)}` }))
          : Config.succeed({ url: `redis+cluster://${nodes}` }))
    default:
      return Config.flatMap(
        read(Schema.NonEmptyString, ["path"]),
        (path) =>
          path === undefined
            ? Config.flatMap(
              hostAndPort,
              (address): Config.Config<Address> =>
                mode === undefined && address.host === undefined
                  ? Config.map(withoutLists, () => ({ ...address, url: "redis://" }))
                  : Config.succeed({ ...address, url: "redis://" })
            )
            : Config.succeed({ url: "unix:///socket", path })
      )
  }
}

const schemeMode = (url: Redacted.Redacted<string>): Mode | undefined => {
  const [, mode] = /^\s*[a-z]+\+(sentinel|cluster):/i.exec(Redacted.value(url)) ?? []
  // The expression knows only these two words.
  return mode?.toLowerCase() as Mode | undefined
}

/** Fails as the value of a path does that cannot be read. */
const refused = (path: Entry["path"], message: string): Config.Config<never> => {
  const refusal = SchemaTransformation.transformEffect<string, string>({
    decode: (_, options) => Effect.fail(new SchemaIssue.InvalidValue({ message }, undefined, options)),
    encode: Effect.succeed
  })
  return Config.flatMap(read(Schema.String.pipe(Schema.decodeTo(Schema.String, refusal)), path), () => failing(message))
}

const failing = (message: string): Config.Config<never> =>
  Config.mapEffect(Config.succeed(undefined), () => invalid(message))

/** Reads where to connect to and how. */
export const deployment: Config.Config<Deployment> = Config.flatMap(head, ({ cluster, mode: named, url }) => {
  if (named !== undefined && cluster !== undefined && cluster !== (named === "cluster")) {
    return refused(["cluster"], `it contradicts the mode, which is ${named}`)
  }
  const given: Mode | undefined = named ?? (cluster === undefined ? undefined : cluster ? "cluster" : "standalone")
  const address: Config.Config<Address> = url === undefined ? addressWithoutUrl(given) : Config.succeed({ url })
  const mode = given ?? (url === undefined ? undefined : schemeMode(url)) ?? "standalone"
  return Config.flatMap(
    Config.all({ where: address, how: options(mode) }),
    ({ how, where: { host, path, port, url: from } }) => {
      const parsed = RedisUrl.parse(from, {
        ...how,
        ...present({ mode: given, host, port })
      })
      return Result.match(parsed, {
        onSuccess: (deployment): Config.Config<Deployment> =>
          Config.succeed(
            path !== undefined && deployment.mode === "standalone" && deployment.options.path !== undefined
              ? { mode: "standalone", options: { ...deployment.options, path } }
              : deployment
          ),
        onFailure: (error) => url === undefined ? failing(error.detail) : refused(["url"], error.message)
      })
    }
  )
})

const invalid = (message: string): Effect.Effect<never, Config.ConfigError> =>
  Effect.fail(new Config.ConfigError(new Schema.SchemaError(new SchemaIssue.InvalidValue({ message }))))
