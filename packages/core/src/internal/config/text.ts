/**
 * Reads options from text, for URLs and for the environment, by one table, which the types of the options keep
 * complete.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type { TlsOptions } from "../../RedisConnector.ts"
import type {
  Accept,
  ClusterOptions,
  ClusterPoolOptions,
  ConnectionOptions,
  ReadFrom,
  ReadFromZone,
  SentinelOptions
} from "./options.ts"

// -----------------------------------------------------------------------------
// Texts
// -----------------------------------------------------------------------------

type Kind = "text" | "list" | "secret" | "integer" | "boolean" | "choice" | "duration"

/**
 * How one option is written.
 *
 * - `kind`, `expected`: what the text must be, for programs and for people.
 * - `url`: in the query of a URL. `config`: in the environment or a file, where Effect has habits of its own.
 * - `names`: what else a URL may call it, with texts of its own where they differ.
 */
class Text<out A> {
  readonly kind: Kind
  readonly expected: string
  readonly url: Schema.Codec<A, string>
  readonly config: Schema.Codec<A, unknown>
  readonly names: ReadonlyArray<readonly [name: string, url: Schema.Codec<unknown, string>]>

  constructor(
    kind: Kind,
    expected: string,
    url: Schema.Codec<A, string>,
    config: Schema.Codec<A, unknown>,
    names: Text<unknown>["names"] = []
  ) {
    this.kind = kind
    this.expected = expected
    this.url = url
    this.config = config
    this.names = names
  }

  /** Adds names under which a URL may have the option. */
  named(name: string, text: Text<unknown> = this): Text<A> {
    return new Text(this.kind, this.expected, this.url, this.config, [...this.names, [name, text.url]])
  }
}

type Texts<A> = { readonly [K in keyof A]-?: Text<Exclude<A[K], undefined>> | Texts<Extract<A[K], object>> }

/** What is read from text, and is an `A` by its own schema. `decode` gives `undefined` for a text that is none. */
const read = <A>(
  schema: Schema.Codec<A, A>,
  decode: (text: string) => A | undefined,
  encode: (value: A) => string,
  expected: string | ((text: string) => string)
): Schema.Codec<A, string> => {
  const transformation = SchemaTransformation.transformEffect<A, string>({
    decode: (text, options) => {
      const value = decode(text)
      // The message leaves out the text, which may be a secret that got into the wrong place.
      return value === undefined
        ? Effect.fail(
          new SchemaIssue.InvalidValue(
            { expected: typeof expected === "string" ? expected : expected(text) },
            undefined,
            options
          )
        )
        : Effect.succeed(value)
    },
    encode: (value) => Effect.succeed(encode(value))
  })
  return Schema.String.pipe(Schema.decodeTo(schema, transformation))
}

const textOf = <A>(
  kind: Kind,
  expected: string,
  url: Schema.Codec<A, string>,
  config: Schema.Codec<A, unknown> = url
): Text<A> => new Text(kind, expected, url, config)

const text: Text<string> = textOf("text", "text", Schema.String)

const secret: Text<Redacted.Redacted<string>> = textOf("secret", "text", Schema.RedactedFromValue(Schema.String))

const wholeNumber = (expected: string | ((text: string) => string)): Schema.Codec<number, string> =>
  read(Schema.Int, (text) => /^-?\d{1,15}$/.test(text) ? Number(text) : undefined, String, expected)

const integer: Text<number> = textOf("integer", "an integer", wholeNumber("an integer"))

/**
 * A port in the environment. Kubernetes and Docker themselves set the variable for a service called redis, to an address;
 * whoever reads the error has set nothing.
 */
export const port: Schema.Codec<number, string> = wholeNumber((text) =>
  /^\s*(tcp|udp):\/\//i.test(text)
    ? "a port, such as 6379. This is an address of the form tcp://host:port. Kubernetes and links of Docker set that by " +
      "themselves where a service has the name with which this variable begins, such as redis: set enableServiceLinks to " +
      "false, rename the service, or set this variable or REDIS_URL yourself"
    : /^\s*[a-z][a-z\d+.-]*:\/\//i.test(text)
    ? "a port, such as 6379. This is a URL, which belongs into REDIS_URL"
    : "a port, such as 6379"
)

const isFalse = (text: string): boolean => /^(0|f|false|n|no)$/i.test(text)

/** In a URL, every text that does not say no counts as a yes, as redis-py has it. */
export const boolean: Text<boolean> = textOf(
  "boolean",
  "true or false",
  read(Schema.Boolean, (text) => !isFalse(text), String, "true or false"),
  read(
    Schema.Boolean,
    (text) => /^(true|yes|on|1|y)$/i.test(text) ? true : /^(false|no|off|0|n)$/i.test(text) ? false : undefined,
    String,
    "true or false"
  )
)

const oneOf = <const A extends ReadonlyArray<string | number>>(...choices: A): Text<A[number]> => {
  const expected = choices.join(", ")
  return textOf(
    "choice",
    `one of ${expected}`,
    read<A[number]>(
      Schema.Literals(choices),
      (text) => choices.find((choice) => String(choice) === text),
      String,
      `one of ${expected}`
    )
  )
}

const printDuration = (duration: Duration.Duration): string =>
  Duration.match(duration, {
    onMillis: (millis) => String(millis / 1000),
    onNanos: (nanos) => `${nanos} nanos`,
    onInfinity: () => "Infinity",
    onNegativeInfinity: () => "-Infinity"
  })

/**
 * A time. A bare number means seconds in a URL, as in the URLs of other clients; in the environment, the unit must be
 * there.
 */
const duration: Text<Duration.Duration> = textOf(
  "duration",
  "seconds, or a number with its unit",
  read<Duration.Duration>(
    Schema.Duration,
    (text) =>
      /^\d+(\.\d+)?$/.test(text)
        ? Duration.seconds(Number(text))
        // Text that is not a duration gives no value.
        : Option.getOrUndefined(Duration.fromInput(text as Duration.Input)),
    printDuration,
    "a duration"
  ),
  read<Duration.Duration>(
    Schema.Duration,
    // Text that is not a duration, or has no unit, gives no value.
    (text) => Option.getOrUndefined(Duration.fromInput(text as Duration.Input)),
    String,
    "a time with its unit, such as 2 seconds"
  )
)

// -----------------------------------------------------------------------------
// The table
// -----------------------------------------------------------------------------

const certificates: Text<string> = text
const verify = oneOf("required", "optional", "none")

const tls: Texts<Omit<TlsOptions, "clientCertificate">> = {
  ca: certificates.named("ssl_ca_certs"),
  cert: certificates.named("ssl_certfile"),
  key: secret.named("ssl_keyfile"),
  passphrase: secret,
  servername: text,
  verify: verify.named("ssl_cert_reqs"),
  checkHostname: boolean.named("ssl_check_hostname")
}

const connection: Texts<Omit<ConnectionOptions, "credentials">> = {
  db: integer,
  username: text,
  password: secret,
  clientName: text,
  clientInfo: boolean,
  protocol: oneOf("auto", 2, 3),
  connect: oneOf("lazy", "eager"),
  connectTimeout: duration.named("socket_connect_timeout"),
  commandTimeout: duration.named("socket_timeout"),
  retryOnTimeout: boolean,
  livenessTimeout: duration,
  healthCheckInterval: duration,
  closeTimeout: duration,
  keepAlive: boolean.named("socket_keepalive"),
  keepAliveInitialDelay: duration,
  textDecoding: oneOf("strict", "replace").named("encoding_errors"),
  pool: {
    shared: integer,
    max: integer.named("max_connections"),
    min: integer,
    idleTimeout: duration,
    acquireTimeout: duration
  },
  limits: {
    inFlightCommands: integer,
    inFlightBytes: integer,
    replyDepth: integer,
    bulkLength: integer,
    aggregateLength: integer,
    lineLength: integer,
    replyBytes: integer,
    replyElements: integer,
    argumentBytes: integer,
    argumentCount: integer
  }
}

/** A list with commas between, or one that a file has as such. */
export const listed: Schema.Codec<string, string | ReadonlyArray<string>> = Schema.Union([
  Schema.String,
  Schema.Array(Schema.String)
]).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({
      decode: (value) => typeof value === "string" ? value : value.join(","),
      encode: (text): string | ReadonlyArray<string> => text
    })
  )
)

const acceptedTexts: Schema.Codec<AcceptText, string> = read<AcceptText>(
  Schema.Union([Schema.Literals(["any", "sameHost", "sameNetwork"]), Schema.Array(Schema.String)]),
  (text) => text === "any" || text === "sameHost" || text === "sameNetwork" ? text : text.split(","),
  (value) => typeof value === "string" ? value : value.join(","),
  "a word or a list"
)

/** The addresses to accept: a word, or a list. */
const accept: Text<AcceptText> = textOf(
  "list",
  "any, sameHost, sameNetwork, or hosts and networks with commas between",
  acceptedTexts,
  listed.pipe(Schema.decodeTo(acceptedTexts))
)

type AcceptText = Exclude<Accept, (...args: ReadonlyArray<never>) => unknown>

type ReadFromText = Exclude<ClusterOptions["readFrom"], ReadFrom | ReadFromZone>

/**
 * The choices of a cluster. The environment does not know the mode beforehand, so some choices are refused later where
 * there are sentinels.
 */
const readFrom: Text<Exclude<ReadFromText, undefined>> = oneOf("master", "preferReplica", "any", "nearest")

const sentinel: Texts<
  & Omit<
    SentinelOptions,
    keyof ConnectionOptions | "sentinels" | "natMap" | "accept" | "readFrom" | "tls" | "sentinelOptions"
  >
  & {
    readonly readFrom?: ReadFromText
    readonly accept?: AcceptText
    readonly sentinelOptions?: Omit<NonNullable<SentinelOptions["sentinelOptions"]>, "credentials">
  }
> = {
  service: text.named("service_name"),
  role: oneOf("master", "replica"),
  readFrom,
  minOtherSentinels: integer,
  checkConnection: boolean,
  recheckInterval: duration,
  masterWait: duration,
  accept,
  sentinelOptions: { username: text, password: secret, tls: boolean }
}

/** A choice of two that another client has as a yes or no. */
const yesOrNo = <const Yes extends string, const No extends string>(yes: Yes, no: No): Text<Yes | No> =>
  textOf(
    "choice",
    "true or false",
    read<Yes | No>(
      Schema.Literals([yes, no]),
      (text) => isFalse(text) ? no : yes,
      (choice) => String(choice === yes),
      "true or false"
    )
  )

const cluster: Texts<
  & Omit<ClusterOptions, keyof ConnectionOptions | "nodes" | "natMap" | "accept" | "readFrom" | "tls">
  & {
    readonly readFrom?: ReadFromZone
    readonly accept?: AcceptText
    readonly pool?: Pick<ClusterPoolOptions, "perNode">
  }
> = {
  pool: { perNode: boolean.named("max_connections_per_node") },
  crossSlot: oneOf("split", "emulate", "reject"),
  readFrom: { zone: text },
  readOnly: boolean.named("readonly_mode"),
  discovery: oneOf("lazy", "eager").named("init_slot_cache", yesOrNo("eager", "lazy")),
  reinitializeSteps: integer,
  clusterDownRetryAttempts: integer,
  skipFullCoverageCheck: boolean,
  followCluster: boolean.named("nodemanager_follow_cluster"),
  refreshInterval: duration,
  accept
}

// -----------------------------------------------------------------------------
// Entries
// -----------------------------------------------------------------------------

/** An option and its path in the options, such as `["pool", "max"]`. */
export interface Entry {
  readonly path: readonly [string, ...Array<string>]
  readonly text: Text<unknown>
}

const entriesOf = (
  texts: Readonly<Record<string, unknown>>,
  whole?: Entry["path"]
): ReadonlyArray<Entry> =>
  Object.entries(texts).flatMap(([name, value]) => {
    const path: Entry["path"] = whole === undefined ? [name] : [...whole, name]
    return value instanceof Text
      ? [{ path, text: value }]
      // A value that is not a text is the table of an option's parts.
      : entriesOf(value as Readonly<Record<string, unknown>>, path)
  })

const single: Entry = { path: ["pool"], text: oneOf("single") }
const readFromWord: Entry = { path: ["readFrom"], text: readFrom.named("read_from_replicas", yesOrNo("any", "master")) }
const withTls: ReadonlyArray<Entry> = [{ path: ["tls"], text: boolean.named("ssl") }, ...entriesOf({ tls })]
const common: ReadonlyArray<Entry> = [...entriesOf(connection), single]

/** The options that text can give in each mode, besides where the servers are. */
export const entries = {
  unix: common,
  standalone: [...common, ...withTls],
  sentinel: [...common, ...withTls, ...entriesOf(sentinel)],
  cluster: [...common, ...withTls, ...entriesOf(cluster), readFromWord]
}

/** `poolMax` for `["pool", "max"]`; the options of sentinels are named without "options". */
export const camelName = (path: Entry["path"]): string =>
  path.map((part, index) => {
    const name = part === "sentinelOptions" ? "sentinel" : part
    return index === 0 ? name : name.charAt(0).toUpperCase() + name.slice(1)
  }).join("")

/** `pool_max` for `["pool", "max"]`. */
export const snakeName = (path: Entry["path"]): string =>
  camelName(path).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The value at a path inside of options. */
export const at = (options: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (value, name) => typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined,
    options
  )

/**
 * Makes options of paths and their values. The result is `undefined` when one path leads through another's value, as
 * with `pool=single` and `pool.max=3`. A boolean gives way to what is inside, as with `tls=true` and `tls.verify=none`.
 */
export const assemble = (
  values: Iterable<readonly [path: Entry["path"], value: unknown]>
): Record<string, unknown> | undefined => {
  const out: Record<string, unknown> = {}
  // Short paths are set first, so that parts come after the whole.
  for (const [path, value] of [...values].sort(([a], [b]) => a.length - b.length)) {
    const [first, second] = path
    if (second === undefined) {
      out[first] = value
      continue
    }
    const whole = out[first]
    if (typeof whole === "string" || whole === false) return undefined
    out[first] = { ...(typeof whole === "object" ? whole : {}), [second]: value }
  }
  return out
}
