import { assert, describe, it } from "@effect/vitest"
import type { RedisConfig } from "@redfx/core"
import { RedisUrl } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FastCheck from "fast-check"
import { inspect } from "node:util"

/** Secrets compare by identity otherwise. */
const plain = (value: unknown): unknown =>
  Redacted.isRedacted(value)
    ? { secret: Redacted.value(value) }
    : Duration.isDuration(value)
    ? Duration.format(value)
    : Array.isArray(value)
    ? value.map(plain)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
    : value

const parsed = (url: string, options?: RedisUrl.ParseOptions): unknown =>
  Result.match(RedisUrl.parse(url, options), {
    onFailure: (error) => error.message,
    onSuccess: (deployment) => plain({ ...deployment.options, mode: deployment.mode })
  })

const failed = (url: string, options?: RedisUrl.ParseOptions) =>
  Result.getOrThrowWith(Result.flip(RedisUrl.parse(url, options)), (value) => new Error(`parsed as ${inspect(value)}`))

type Row = readonly [title: string, url: string, expected: object, options?: RedisUrl.ParseOptions]

const table = (name: string, rows: ReadonlyArray<Row>): void => {
  describe(name, () => {
    for (const [title, url, expected, options] of rows) {
      it(`${title}: ${url}`, () => assert.deepStrictEqual(parsed(url, options), { mode: "standalone", ...expected }))
    }
  })
}

const password = (secret: string) => ({ password: { secret } })
const pool = { pool: { max: 5 } }

table("One server", [
  ["URL-01, URL-05: nothing but the scheme", "redis://", {}],
  ["URL-01: a host", "redis://localhost", { host: "localhost" }],
  ["URL-01: a host, port and database", "redis://h:6380/2", { host: "h", port: 6380, db: 2 }],
  ["URL-01: a password", "redis://:pw@h", { host: "h", ...password("pw") }],
  ["URL-01: a username", "redis://user@h", { host: "h", username: "user" }],
  ["URL-01: both", "redis://user:p:w@h:1/", { host: "h", port: 1, username: "user", ...password("p:w") }],
  ["URL-01: an unencoded @ in the password", "redis://u:a@b@h", { host: "h", username: "u", ...password("a@b") }],
  ["URL-01: neither", "redis://:@h", { host: "h" }],
  ["URL-01: an IPv6 address", "redis://[::1]:6380/1", { host: "::1", port: 6380, db: 1 }],
  ["URL-01: valkey", "valkey://h", { host: "h" }],
  ["URL-01: a scheme in upper case, spaces around", " REDIS://h ", { host: "h" }],
  ["URL-02: TLS", "rediss://h", { host: "h", tls: true }],
  ["URL-02: TLS for Valkey", "valkeys://h", { host: "h", tls: true }],
  ["URL-02: options of TLS", "rediss://h?ssl_cert_reqs=none&ssl_ca_certs=/ca.pem", {
    host: "h",
    tls: { verify: "none", ca: "/ca.pem" }
  }],
  ["URL-02: optional certificates", "rediss://h?ssl_cert_reqs=optional", {
    host: "h",
    tls: { verify: "optional" }
  }],
  ["URL-02: TLS in the query", "redis://h?tls=true&tlsCheckHostname=no", { host: "h", tls: { checkHostname: false } }],
  ["URL-02: settings given elsewhere stay", "rediss://h?tls_servername=n", {
    host: "h",
    tls: { ca: "c", servername: "n" }
  }, {
    tls: { ca: "c", servername: "m" }
  }],
  ["URL-02: settings given elsewhere stay with TLS alone", "rediss://h", { host: "h", tls: { ca: "c" } }, {
    tls: { ca: "c" }
  }],
  ["URL-03: a unix socket", "unix:///tmp/r.sock", { path: "/tmp/r.sock" }],
  ["URL-03: whose path is never the database", "unix:///1?db=2", { path: "/1", db: 2 }],
  ["URL-03: with credentials", "unix://u:p@/tmp/r.sock", { path: "/tmp/r.sock", username: "u", ...password("p") }],
  ["URL-03: redis+unix", "redis+unix:///tmp/a%20b", { path: "/tmp/a b" }],
  ["URL-03: host, port and TLS from elsewhere do not matter", "unix:///s", { path: "/s" }, {
    host: "h",
    port: 1,
    tls: true
  }]
])

table("Precedence", [
  ["URL-06: query before path", "redis://h/1?db=2", { host: "h", db: 2 }, { db: 3 }],
  ["URL-06: path before option", "redis://h/1", { host: "h", db: 1 }, { db: 3 }],
  ["URL-06: option last", "redis://h/", { host: "h", db: 3 }, { db: 3 }],
  ["URL-07: a path that is no integer", "redis://h/abc", { host: "h", db: 3 }, { db: 3 }],
  ["URL-07: two segments are no integer", "redis://h/1/2", { host: "h" }],
  ["URL-08: query before option", "redis://h?client_name=q", { host: "h", clientName: "q" }, { clientName: "o" }],
  ["URL-08: host, port, username, password before options", "redis://u:p@h:1", {
    host: "h",
    port: 1,
    username: "u",
    ...password("p")
  }, {
    host: "x",
    port: 2,
    username: "y",
    password: Redacted.make("z")
  }],
  ["URL-08: options where the URL is silent", "redis://", { host: "x", port: 2, username: "y" }, {
    host: "x",
    port: 2,
    username: "y"
  }],
  ["URL-08: part by part", "redis://?pool_max=5", { pool: { max: 5, min: 1 } }, { pool: { max: 9, min: 1 } }],
  ["URL-08: a single connection yields to parts", "redis://?pool_max=5", pool, { pool: "single" }],
  ["URL-08: query before userinfo", "redis://u:p@h?password=q", { host: "h", username: "u", ...password("q") }],
  ["URL-08: whoever the URL names is nobody else", "redis://u@h", { host: "h", username: "u" }, {
    credentials: { password: Redacted.make("c") }
  }],
  ["URL-13: the first of repeated names", "redis://h?db=1&db=2", { host: "h", db: 1 }],
  ["URL-13: also by different names", "redis://h?socket_timeout=1&commandTimeout=2", {
    host: "h",
    commandTimeout: "1s"
  }],
  ["URL-11, URL-13: an empty value is none", "redis://h?db=&db=2&socket_keepalive=", { host: "h", db: 2 }]
])

table("Options in the query", [
  ["URL-09: snake case", "redis://?pool_idle_timeout=1", { pool: { idleTimeout: "1s" } }],
  ["URL-09: camel case", "redis://?poolIdleTimeout=1", { pool: { idleTimeout: "1s" } }],
  ["URL-09: parts by a dot", "redis://?pool.max=5&limits.replyDepth=3", { ...pool, limits: { replyDepth: 3 } }],
  ["URL-09: a choice", "redis://?protocol=3&connect=eager&textDecoding=replace", {
    protocol: 3,
    connect: "eager",
    textDecoding: "replace"
  }],
  ["URL-09: a single connection", "redis://?pool=single", { pool: "single" }],
  ["URL-10: floating seconds", "redis://?socket_timeout=0.5&socket_connect_timeout=2", {
    commandTimeout: "500ms",
    connectTimeout: "2s"
  }],
  ["URL-10: a unit", "redis://?commandTimeout=500%20millis&livenessTimeout=1+minute", {
    commandTimeout: "500ms",
    livenessTimeout: "1m"
  }],
  ["URL-10: integers", "redis://?max_connections=5&health_check_interval=30", { ...pool, healthCheckInterval: "30s" }],
  ["URL-10: booleans", "redis://?socket_keepalive=1&retry_on_timeout=False", {
    keepAlive: true,
    retryOnTimeout: false
  }],
  ...["0", "F", "f", "FALSE", "False", "N", "no"].map((text): Row => [
    "URL-11: false",
    `redis://?keepAlive=${text}`,
    { keepAlive: false }
  ]),
  ...["1", "T", "yes", "anything"].map((
    text
  ): Row => ["URL-11: true", `redis://?keepAlive=${text}`, { keepAlive: true }]),
  ["URL-14: percent-encoding", "redis://%40u:p%2F@%68/", { host: "h", username: "@u", ...password("p/") }],
  ["URL-14: none where that is asked for", "redis://u:p%40@h", { host: "h", username: "u", ...password("p%40") }, {
    decodeComponents: false
  }],
  ["URL-14: the query is always encoded", "redis://?clientName=a%26b", { clientName: "a&b" }, {
    decodeComponents: false
  }]
])

table("As in redis-py", [
  ["URL-14: blanks and encoded signs in a host", "redis://my %2F host %2B%3D+", { host: "my / host +=+" }],
  ["URL-14: in a username", "redis://%2Fmyuser%2F%2B name%3D%24+:@localhost", {
    host: "localhost",
    username: "/myuser/+ name=$+"
  }],
  ["URL-14: in a password", "redis://:%2Fmypass%2F%2B word%3D%24+@localhost", {
    host: "localhost",
    ...password("/mypass/+ word=$+")
  }],
  ["URL-14: in the path of a socket", "unix://:mypassword@/my%2Fpath%2Fto%2F..%2F+_%2B%3D%24ocket", {
    path: "/my/path/to/../+_+=$ocket",
    ...password("mypassword")
  }],
  [
    "URL-10, URL-11: typed options",
    "redis://localhost/2?socket_timeout=20&socket_connect_timeout=10&socket_keepalive=&retry_on_timeout=Yes&max_connections=10",
    { host: "localhost", db: 2, commandTimeout: "20s", connectTimeout: "10s", retryOnTimeout: true, pool: { max: 10 } }
  ],
  ["URL-06: all three databases", "redis://localhost/2?db=3", { host: "localhost", db: 3 }, { db: 1 }],
  ["URL-05, URL-06: a database alone", "redis:///3", { db: 3 }],
  ["URL-06: slashes around it", "redis://h//3/", { host: "h", db: 3 }],
  ["URL-09: a name of the client", "unix:///s?client_name=test-client", { path: "/s", clientName: "test-client" }],
  ["CFG-13: what is not text is replaced", "redis://?encoding_errors=replace", { textDecoding: "replace" }],
  ["CFG-18, CFG-23: TLS by its options", "redis://?ssl=True&ssl_check_hostname=False&ssl_keyfile=/k&ssl_certfile=/c", {
    tls: { checkHostname: false, key: { secret: "/k" }, cert: "/c" }
  }],
  [
    "URL-09, CCF-06: every option of RedisCluster",
    "redis+cluster://h?skip_full_coverage_check=True&readonly_mode=True&read_from_replicas=False&init_slot_cache=True" +
    "&nodemanager_follow_cluster=True&reinitialize_steps=3&cluster_down_retry_attempts=2&max_connections=3" +
    "&max_connections_per_node=True",
    {
      mode: "cluster",
      nodes: [{ host: "h", port: 6379 }],
      skipFullCoverageCheck: true,
      readOnly: true,
      readFrom: "master",
      discovery: "eager",
      followCluster: true,
      reinitializeSteps: 3,
      clusterDownRetryAttempts: 2,
      pool: { max: 3, perNode: true }
    }
  ],
  ["CCF-06: nothing is looked up beforehand", "redis+cluster://h?init_slot_cache=False", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }],
    discovery: "lazy"
  }]
])

const h1 = { host: "h1", port: 26379 }
const h2 = { host: "h2", port: 2 }

table("Sentinels and clusters", [
  ["URL-01: sentinels", "redis+sentinel://h1,h2:2/mymaster/3", {
    mode: "sentinel",
    sentinels: [h1, h2],
    service: "mymaster",
    db: 3
  }],
  ["URL-01: no database", "redis+sentinel://h1/a%2Fb?role=replica", {
    mode: "sentinel",
    sentinels: [h1],
    service: "a/b",
    role: "replica"
  }],
  ["URL-01: a service in the query", "redis://h1/?service_name=s&sentinel_password=p", {
    mode: "sentinel",
    sentinels: [h1],
    service: "s",
    sentinelOptions: password("p")
  }, { mode: "sentinel" }],
  ["URL-02: TLS with sentinels", "rediss+sentinel://h1/s", {
    mode: "sentinel",
    sentinels: [h1],
    service: "s",
    tls: true,
    sentinelOptions: { tls: true }
  }],
  ["URL-02: TLS, but not with sentinels", "rediss+sentinel://h1/s?sentinelTls=no", {
    mode: "sentinel",
    sentinels: [h1],
    service: "s",
    tls: true,
    sentinelOptions: { tls: false }
  }],
  ["URL-15, ENT-08: one node of a cluster", "redis://h:7000", { mode: "cluster", nodes: [{ host: "h", port: 7000 }] }, {
    mode: "cluster"
  }],
  ["URL-15: over TLS", "rediss+cluster://h,[::1]:1/0", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }, { host: "::1", port: 1 }],
    db: 0,
    tls: true
  }],
  ["URL-17: a database of a cluster", "redis+cluster://h/2", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }],
    db: 2
  }],
  ["URL-17: by query, which goes before the path", "redis+cluster://h/0?db=3", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }],
    db: 3
  }],
  ["URL-17: by option", "redis://h", { mode: "cluster", nodes: [{ host: "h", port: 6379 }], db: 1 }, {
    mode: "cluster",
    db: 1
  }],
  ["CFG-21: the limit of each node, as an option", "redis+cluster://h?pool_max=5", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }],
    pool: { max: 5, perNode: true }
  }, { pool: { perNode: true } }],
  ["CFG-21: the limit of each node is none of one server", "redis://h", { host: "h", pool: { max: 5 } }, {
    pool: { max: 5, perNode: true }
  }],
  ["URL-15: a scheme decides", "redis+cluster://h", { mode: "cluster", nodes: [{ host: "h", port: 6379 }] }, {
    mode: "sentinel"
  }],
  ["URL-18: read_from_replicas", "redis+cluster://h?read_from_replicas=1", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }],
    readFrom: "any"
  }],
  ["URL-18, ENT-08: as an option", "redis://h", {
    mode: "cluster",
    nodes: [{ host: "h", port: 6379 }],
    readFrom: "any"
  }, {
    mode: "cluster",
    readFrom: "any",
    service: "for sentinels only"
  }]
])

const secret = "s3cret-Passw0rd"

describe("URLs that cannot be", () => {
  const rows: ReadonlyArray<readonly [title: string, url: string, says: RegExp, options?: RedisUrl.ParseOptions]> = [
    ["URL-04: no scheme", "localhost:6379", /no scheme; use redis:\/\/, rediss:\/\/ or unix:\/\//],
    ["URL-04: no scheme, a password", `:${secret}@localhost:6379`, /no scheme/],
    ["URL-04: another scheme", `http://u:${secret}@h`, /use redis:\/\/, rediss:\/\/ or unix:\/\//],
    ["URL-04: unix over TLS", "rediss+unix:///s", /scheme is not known/],
    ["a port that is none", "redis://h:65536", /port is no integer between/],
    ["a password without a host", `redis://:${secret}`, /port is no integer between/],
    ["a fragment", `redis://:a#${secret}@h`, /write # as %23/],
    ["a question mark in a password", `redis://:a?${secret}@h`, /%3F/],
    ["a question mark and more in a password", `redis://:?${secret}=@h`, /%3F/],
    ["a slash in a password", `redis://u:a/${secret}@h`, /port/],
    ["broken percent-encoding", `redis://u:%zz${secret}@h`, /write % as %25/],
    ["an IPv6 address without brackets", "redis://::1/", /brackets/],
    ["several hosts", "redis://a,b", /several hosts/],
    ["URL-03: a unix socket on a host", "unix://tmp/s", /three slashes/],
    ["URL-03: a unix socket without path", "unix://", /no path/],
    ["URL-16: a cluster by a unix socket", "unix:///s", /no cluster/, { mode: "cluster" }],
    ["URL-16: in its scheme", "unix+cluster:///s", /scheme is not known/],
    ["URL-17: a database that is no number", "redis+cluster://h?db=two", /db: it must be an integer/],
    ["no service", "redis+sentinel://h", /service/],
    ["no sentinel", "redis+sentinel:///s", /no host/],
    ["an empty host among others", "redis+cluster://a,,b", /empty/],
    ["URL-12: a time", "redis://?socket_timeout=abc", /socket_timeout: it must be seconds/],
    ["URL-12: an integer", "redis://?pool_max=1.5", /pool_max: it must be an integer/],
    ["URL-12: a choice", "redis://?protocol=4", /protocol: it must be one of auto, 2, 3/],
    ["CFG-35: an option that does not exist", `redis://?pasword=${secret}`, /pasword is no option/],
    ["CFG-35: an option of another mode", "redis://?readFrom=any", /readFrom is no option of a client of one server/],
    ["options of TLS without TLS", "redis://?ssl_cert_reqs=none", /no TLS/],
    ["TLS and none", "rediss://?tls=no", /tls: /],
    ["CFG-35: an ampersand in a password", `redis://?password=a&${secret}`, /one of its options is no option/],
    ["options that contradict each other", "redis://?pool=single&pool_max=3", /contradict/],
    ["CFG-35: what redis-py calls so, and has", "redis://?a=1&b=2", /: a is no option of a client of one server$/],
    [
      "CFG-16: bytes",
      "redis://?decode_responses=False",
      /: decode_responses is no option .*; replies are text, and Redis\.asBytes/
    ],
    ["CFG-12: another encoding", "redis://?encoding=utf-16", /; text is always UTF-8/],
    ["CFG-13: text with holes", "redis://?encoding_errors=ignore", /it must be one of strict, replace/],
    ["CFG-25: one connection", "redis://?single_connection_client=1", /; it is called pool/],
    ["CCF-14: translated addresses", "redis+cluster://h?host_port_remap=x", /; it is called natMap/]
  ]
  for (const [title, url, says, options] of rows) {
    it(`${title}: ${url}`, () => {
      const error = failed(url, options)
      assert.strictEqual(error._tag, "InvalidUrlError")
      assert.match(error.message, says)
      for (const text of [error.message, JSON.stringify(error), inspect(error, { depth: 9 })]) {
        assert.notInclude(text, secret)
      }
    })
  }

  it("URL-12: never throws, and never shows a password, however broken the URL around it is", () => {
    const mess = FastCheck.string({ unit: FastCheck.constantFrom(..."/?#@:[]%&=+,.h1"), maxLength: 6 })
    const scheme = FastCheck.constantFrom(
      "redis://",
      "rediss+sentinel://",
      "unix://",
      "redis+cluster://",
      "http://",
      "redis:",
      ""
    )
    FastCheck.assert(
      FastCheck.property(scheme, mess, mess, mess, (start, before, within, after) => {
        const url = `${start}${before}:${within}${secret}${after}@${after}`
        const result = RedisUrl.parse(url)
        if (Result.isFailure(result)) {
          assert.notInclude(inspect(result.failure, { depth: 9 }) + result.failure.message, secret)
        }
        assert.notInclude(RedisUrl.redact(url), secret)
      }),
      { numRuns: 2000 }
    )
  })

  it("URL-12: never shows a password of the query, whatever signs in it are not encoded", () => {
    const mess = FastCheck.string({ unit: FastCheck.constantFrom(..."/?#@:[]%=+,.h1"), maxLength: 6 })
    const start = FastCheck.constantFrom(
      "redis://h:1/0",
      "redis://u:p@h",
      "rediss+sentinel://h/m",
      "unix:///s",
      "http://h"
    )
    const name = FastCheck.constantFrom(
      "password",
      "sentinel_password",
      "tls.passphrase",
      "auth",
      "pool_max=1&password"
    )
    FastCheck.assert(
      FastCheck.property(start, name, mess, mess, (start, name, before, after) => {
        const url = `${start}?${name}=${before}${secret}${after}`
        const result = RedisUrl.parse(url)
        if (Result.isFailure(result)) assert.notInclude(result.failure.message, secret)
        assert.notInclude(RedisUrl.redact(url), secret)
      }),
      { numRuns: 2000 }
    )
    assert.strictEqual(RedisUrl.redact(`redis://h:1/0?password=a@${secret}`), "redis://<redacted>")
    assert.strictEqual(RedisUrl.redact(`redis://h:1/0?pool_max=1#${secret}`), "redis://<redacted>")
  })

  it("says of what is no text where it mostly comes from", () => {
    for (const given of [undefined, null, {}, 5]) {
      // What types do not allow is a variable of the environment that is not set.
      const error = failed(given as string)
      assert.include(error.message, "a variable of the environment")
    }
  })

  it("URL-12: shows the URL without credentials", () => {
    const error = failed(`rediss://me:${secret}@h:1/0?password=${secret}&tls.key=${secret}&pool_max=x&protocol=3`)
    assert.strictEqual(
      error.url,
      "rediss://<redacted>@h:1/0?password=<redacted>&tls.key=<redacted>&pool_max=x&protocol=3"
    )
  })
})

// -----------------------------------------------------------------------------
// Writing and reading back
// -----------------------------------------------------------------------------

const text = FastCheck.string({ minLength: 1, unit: "grapheme" })
const optional = <A>(value: FastCheck.Arbitrary<A>) => FastCheck.option(value, { nil: undefined })
const redacted = text.map((value) => Redacted.make(value))
const duration = FastCheck.oneof(
  FastCheck.nat().map((millis) => Duration.millis(millis)),
  FastCheck.bigInt(1n, 10n ** 15n).map((nanos) => Duration.nanos(nanos)),
  FastCheck.constant(Duration.infinity)
)
const host = FastCheck.oneof(FastCheck.domain(), FastCheck.ipV4(), FastCheck.ipV6())
const port = FastCheck.integer({ min: 1, max: 65_535 })
const node = FastCheck.record({ host, port })
const nodes = FastCheck.array(node, { minLength: 1, maxLength: 3 })
const certificates = FastCheck.record({
  ca: text,
  key: redacted,
  verify: FastCheck.constantFrom("required" as const, "none" as const)
}, {
  requiredKeys: ["ca"]
})
const tls = optional(FastCheck.oneof(FastCheck.constant(true), certificates))
const connection = {
  username: text,
  password: redacted,
  clientName: text,
  protocol: FastCheck.constantFrom("auto" as const, 2 as const, 3 as const),
  connect: FastCheck.constantFrom("lazy" as const, "eager" as const),
  commandTimeout: duration,
  healthCheckInterval: duration,
  closeTimeout: duration,
  retryOnTimeout: FastCheck.boolean(),
  pool: FastCheck.oneof(
    FastCheck.constant("single" as const),
    FastCheck.record({ max: FastCheck.nat(), idleTimeout: duration })
  ),
  limits: FastCheck.record({ bulkLength: FastCheck.nat() })
}
const db = { db: FastCheck.nat(99) }

const deployment: FastCheck.Arbitrary<RedisConfig.Deployment> = FastCheck.oneof(
  FastCheck.record({ ...connection, ...db, host, port, tls }, { requiredKeys: [] })
    .map((options) => ({ mode: "standalone" as const, options })),
  FastCheck.record({ ...connection, ...db, path: text.map((path) => `/${path}`) }, { requiredKeys: ["path"] })
    .map((options) => ({ mode: "standalone" as const, options })),
  FastCheck.record({
    ...connection,
    ...db,
    sentinels: nodes,
    service: text,
    role: FastCheck.constantFrom("master" as const, "replica" as const),
    tls,
    own: FastCheck.record({ username: text, password: redacted }, { requiredKeys: [] })
  }, { requiredKeys: ["sentinels", "service", "own", "tls"] }).map(
    ({ own, sentinels: [first, ...rest], ...options }) => {
      const sentinelOptions = options.tls === undefined ? own : { ...own, tls: options.tls }
      return {
        mode: "sentinel" as const,
        options: {
          ...options,
          // At least one is generated.
          sentinels: [first!, ...rest] as const,
          ...(Object.keys(sentinelOptions).length === 0 ? {} : { sentinelOptions })
        }
      }
    }
  ),
  FastCheck.record({
    ...connection,
    nodes,
    tls,
    db: FastCheck.nat(),
    readFrom: FastCheck.oneof(
      FastCheck.constantFrom("master" as const, "any" as const, "preferReplica" as const),
      FastCheck.string({ minLength: 1 }).map((zone) => ({ zone }))
    ),
    readOnly: FastCheck.boolean()
  }, { requiredKeys: ["nodes"] }).map(({ nodes: [first, ...rest], ...options }) => ({
    mode: "cluster" as const,
    options: { ...options, nodes: [first!, ...rest] as const }
  }))
)

/** Without what is undefined, which is the same as not given. */
const given = (value: RedisConfig.Deployment): unknown => ({
  mode: value.mode,
  ...Object.fromEntries(Object.entries(value.options).filter(([, option]) => option !== undefined))
})

describe("Formatting", () => {
  it("ENT-06, URL-01: reads what it writes as the same deployment", () => {
    FastCheck.assert(
      FastCheck.property(deployment, (value) => {
        const url = Result.getOrThrow(RedisUrl.format(value))
        const read = Result.getOrThrow(RedisUrl.parse(url))
        assert.isTrue(
          Equal.equals(given(read), given(value)),
          `${Redacted.value(url)} is ${inspect(plain(read), { depth: 9 })}, not ${inspect(plain(value), { depth: 9 })}`
        )
      }),
      { numRuns: 500 }
    )
  })

  it("is redacted", () => {
    const url = RedisUrl.format({ mode: "standalone", options: { host: "h", password: Redacted.make(secret) } })
    assert.notInclude(inspect(url, { depth: 9 }), secret)
    assert.strictEqual(Redacted.value(Result.getOrThrow(url)), `redis://:${secret}@h`)
  })

  it("takes durations in any form", () => {
    const url = RedisUrl.format({ mode: "standalone", options: { commandTimeout: 1500, livenessTimeout: "1 minute" } })
    assert.strictEqual(Redacted.value(Result.getOrThrow(url)), "redis://?commandTimeout=1.5&livenessTimeout=60")
  })

  const sentinelsWith = (sentinelOptions: RedisConfig.SentinelOptions["sentinelOptions"]) =>
    RedisUrl.format({
      mode: "sentinel",
      options: { sentinels: [{ host: "h", port: 1 }], service: "s", sentinelOptions }
    })

  it("writes credentials of sentinels that do not change as their user and password", () => {
    const url = sentinelsWith({ credentials: { username: "u", password: Redacted.make("p") } })
    assert.strictEqual(
      Redacted.value(Result.getOrThrow(url)),
      "redis+sentinel://h:1/s?sentinelUsername=u&sentinelPassword=p"
    )
  })

  it("fails for what no URL can say", () => {
    const asked = RedisUrl.format({
      mode: "standalone",
      options: { credentials: Effect.succeed({ password: Redacted.make(secret) }) }
    })
    assert.strictEqual(Result.getOrThrow(Result.flip(asked)).option, "credentials")
    const ofSentinels = sentinelsWith({ credentials: Effect.succeed({ password: Redacted.make(secret) }) })
    assert.strictEqual(Result.getOrThrow(Result.flip(ofSentinels)).option, "sentinelOptions.credentials")
    const handedOut = RedisUrl.format({ mode: "standalone", options: { tls: { clientCertificate: Effect.never } } })
    assert.strictEqual(Result.getOrThrow(Result.flip(handedOut)).option, "tls.clientCertificate")
    const wrong = RedisUrl.format({ mode: "standalone", options: { commandTimeout: "soon" as never } })
    assert.strictEqual(Result.getOrThrow(Result.flip(wrong)).option, "commandTimeout")
    for (
      const given of [undefined, null, {}, { host: "h" }, { mode: "sentinel", options: {} }, { mode: "x", options: {} }]
    ) {
      // What types do not allow comes from programs without types.
      const error = Result.getOrThrow(Result.flip(RedisUrl.format(given as never)))
      assert.match(error.message, /deployment .* must be like \{ mode: /)
    }
    const relative = RedisUrl.format({ mode: "standalone", options: { path: "run/redis.sock" } })
    assert.strictEqual(Result.getOrThrow(Result.flip(relative)).option, "path")
  })
})

describe("a program that asks for verification", () => {
  const options = { tlsVerification: "required" } as const

  it("takes a URL that says nothing of it", () => {
    assert.deepStrictEqual(parsed("rediss://h?tls_key=k&tls_cert=c", options), {
      mode: "standalone",
      host: "h",
      tls: { key: { secret: "k" }, cert: "c" }
    })
    assert.deepInclude(parsed("redis://h", { ...options, tls: { ca: "/ca.pem" } }) as object, {
      tls: { ca: "/ca.pem" }
    })
    assert.deepInclude(parsed("unix:///socket", options) as object, { path: "/socket" })
    assert.deepInclude(parsed("rediss+sentinel://h/m", options) as object, { tls: true })
  })

  it("refuses one that has a say in it, by whatever name", () => {
    for (
      const query of [
        "tls_verify=none",
        "ssl_cert_reqs=none",
        "tlsVerify=required",
        "tls.checkHostname=false",
        "ssl_check_hostname=0",
        "tls_ca=/tmp/ca.pem",
        "ssl_ca_certs=/tmp/ca.pem",
        "tls_servername=evil"
      ]
    ) {
      for (const url of ["rediss://h", "rediss+cluster://h", "rediss+sentinel://h/m"]) {
        assert.match(failed(`${url}?${query}`, options).detail, /the program decides/)
      }
    }
  })

  it("refuses one without TLS, of sentinels as well, and options that turn it off", () => {
    for (
      const url of ["redis://h", "redis+cluster://h", "redis+sentinel://h/m", "rediss+sentinel://h/m?sentinelTls=false"]
    ) {
      assert.match(failed(url, options).detail, /the program asks for TLS/)
    }
    for (const tls of [{ verify: "none" }, { checkHostname: false }] as const) {
      assert.match(failed("rediss://h", { ...options, tls }).detail, /the program asks for its verification/)
    }
  })
})
