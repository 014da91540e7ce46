/**
 * A deployment as the environment, a file or another source of configuration
 * describes it.
 *
 * @internal
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Deployment } from "../RedisConfig.ts"
import * as RedisUrl from "../RedisUrl.ts"
import { assemble, boolean, entries, integer, snakeName } from "./optionText.ts"
import type { Entry } from "./optionText.ts"

/** A value under its own name or, in the environment, that name in upper case. */
const read = <A>(codec: Schema.Codec<A, unknown>, path: Entry["path"]): Config.Config<A | undefined> =>
  Config.flatMap(Config.option(Config.schema(codec, path)), (own) =>
    Option.isSome(own)
      ? Config.succeed(own.value)
      : Config.map(Config.option(Config.schema(codec, snakeName(path).toUpperCase())), Option.getOrUndefined))

const hosts = Schema.String.check(Schema.isPattern(/^[^/?#@\s]+$/, { expected: "hosts as host:port,host:port" }))

const places = Config.all({
  mode: read(Schema.Literals(["standalone", "sentinel", "cluster"]), ["mode"]),
  cluster: read(boolean.config, ["cluster"]),
  url: read(Schema.Redacted(Schema.String), ["url"]),
  host: read(Schema.NonEmptyString, ["host"]),
  port: read(integer.config, ["port"]),
  path: read(Schema.NonEmptyString, ["path"]),
  sentinels: read(hosts, ["sentinels"]),
  nodes: read(hosts, ["nodes"])
})

type Places = Config.Success<typeof places>

/** Every option of every mode, once. */
const everything: ReadonlyArray<Entry> = [...new Map(
  [...entries.sentinel, ...entries.cluster].map((entry) => [`${entry.path.join(".")} ${entry.text.expected}`, entry])
).values()]

const options: Config.Config<Readonly<Record<string, unknown>>> = Config.mapEffect(
  Config.all(
    everything.map(({ path, text }) => Config.map(read(text.config, path), (value) => [path, value] as const))
  ),
  (values) => {
    const assembled = assemble(values.filter(([, value]) => value !== undefined))
    return assembled === undefined
      ? invalid("two options contradict each other, such as pool and pool.max or tls and tls.ca")
      : Effect.succeed(assembled)
  }
)

/** Reads where to connect to and how. */
export const deployment: Config.Config<Deployment> = Config.flatMap(
  places,
  (where) =>
    Config.mapEffect(options, (how) => {
      const mode = where.mode ?? (where.cluster === undefined ? undefined : where.cluster ? "cluster" : "standalone")
      const parsed = RedisUrl.parse(where.url ?? urlOf(where, mode), {
        ...how,
        ...(mode === undefined ? {} : { mode }),
        ...(where.host === undefined ? {} : { host: where.host }),
        ...(where.port === undefined ? {} : { port: where.port })
      })
      return Result.match(parsed, {
        onSuccess: Effect.succeed,
        onFailure: (error) => invalid(where.url === undefined ? error.detail : error.message)
      })
    })
)

/** What the separate options say, as a URL. */
const urlOf = ({ host, nodes, path, port, sentinels }: Places, mode: Deployment["mode"] | undefined): string => {
  switch (mode) {
    case "sentinel":
      return `redis+sentinel://${sentinels ?? ""}`
    case "cluster":
      return `redis+cluster://${nodes ?? (host === undefined ? "" : RedisUrl.hostText(host, port))}`
    default:
      return path === undefined ? "redis://" : `unix://${RedisUrl.encodePath(path)}`
  }
}

const invalid = (message: string): Effect.Effect<never, Config.ConfigError> =>
  Effect.fail(new Config.ConfigError(new Schema.SchemaError(new SchemaIssue.InvalidValue({ message }))))
