import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisCommand, RedisError, RedisReply, Resp } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { connectionLoss, failureOf } from "../../src/internal/error/events.ts"
import { withFields } from "../../src/internal/error/retry.ts"

const address = "127.0.0.1:6379"

const classify = (line: string, index?: number): RedisError.RedisError =>
  RedisError.fromReply(new Resp.ErrorReply(line), { command: "GET", address, index })

const tagOf = (line: string): string => classify(line)._tag

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (error: RedisError.RedisError): Fields => ({ ...error })

/** A command that is said to fail with any error at all. */
const command: Effect.Effect<string | undefined, RedisError.RedisError, RedisClient.RedisClient> = Redis.get("k")

/** A client on which every command fails. */
const failing = (error: RedisError.RedisError): RedisClient.RedisClient["Service"] => {
  // Some of these no command can meet.
  const failure = Effect.fail(error as RedisError.CommandError)
  return {
    execute: () => failure,
    pipeline: () => Effect.die("not used"),
    transaction: () => failure,
    reserve: failure,
    pubSub: {
      open: () => failure,
      everywhere: { open: () => failure, execute: () => failure, database: 0 }
    },
    monitor: () => Stream.empty,
    events: Stream.empty,
    stats: Effect.die("not used"),
    withTimeout: () => {
      throw new Error("nobody asks")
    },
    toString: () => "failing"
  }
}

describe("two errors", () => {
  const cause = new Error("why")
  const lost = connectionLoss("Reset", "The connection was reset", address, cause)
  const fields = {
    reason: lost.reason,
    detail: lost.detail,
    address,
    command: "GET",
    delivery: "unknown",
    readonly: true
  } as const
  const copy = failureOf(lost, { name: "GET", readonly: true }, "unknown")

  it("are equal that have the same fields, however they were made", () => {
    const alone = new RedisError.ConnectionError({ ...fields, cause })
    const third = new RedisError.ConnectionError({ ...fields, cause, index: 3 })
    for (
      const [one, other] of [[alone, copy], [third, RedisError.atIndex(copy, 3)], [copy, withFields(copy, {})]] as const
    ) {
      assert.isTrue(Equal.equals(one, other))
      assert.strictEqual(Hash.hash(one), Hash.hash(other))
      assert.isTrue(Equal.equals(Exit.fail(one), Exit.fail(other)))
    }
  })

  it("are not equal that differ in a field, the cause or the class", () => {
    const others = [
      RedisError.atIndex(copy, 3),
      new RedisError.ConnectionError(fields),
      new RedisError.ConnectionError({ ...fields, cause: new Error("something else") }),
      new RedisError.TimeoutError({
        phase: "read",
        milliseconds: 1,
        command: "GET",
        delivery: "unknown",
        readonly: true
      }),
      { ...copy, cause }
    ]
    for (const other of others) assert.isFalse(Equal.equals(copy, other))
  })
})

describe("fromReply", () => {
  const table: ReadonlyArray<readonly [row: string, line: string, tag: RedisError.RedisError["_tag"]]> = [
    ["ERP-01", "ERR max number of clients reached", "ConnectionError"],
    ["ERP-01", "ERR max number of clients + cluster connections reached", "ConnectionError"],
    ["ERP-01", "DENIED Redis is running in protected mode because protected mode is enabled", "ConnectionError"],
    ["ERP-01", "DENIED Running in protected mode because protected mode is enabled", "ConnectionError"],
    ["ERP-02", "ERR Client sent AUTH, but no password is set", "AuthenticationError"],
    ["ERP-02", "ERR invalid password", "AuthenticationError"],
    [
      "ERP-02",
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
      "AuthenticationError"
    ],
    ["ERP-02", "NOAUTH Authentication required.", "AuthenticationError"],
    ["ERP-02", "WRONGPASS invalid username-password pair or user is disabled.", "AuthenticationError"],
    ["ERP-03", "ERR wrong number of arguments for 'auth' command", "ResponseError"],
    ["ERP-03", "ERR wrong number of arguments for 'AUTH' command", "ResponseError"],
    ["ERP-04", "LOADING Redis is loading the dataset in memory", "BusyLoadingError"],
    ["ERP-04", "NOSCRIPT No matching script. Please use EVAL.", "NoScriptError"],
    ["ERP-04", "READONLY You can't write against a read only replica.", "ReadOnlyError"],
    ["ERP-04", "NOPERM this user has no permissions to run the 'get' command", "NoPermissionError"],
    ["ERP-05", "ASK 3999 127.0.0.1:6381", "ResponseError"],
    ["ERP-05", "MOVED 3999 127.0.0.1:6381", "ResponseError"],
    ["ERP-05", "TRYAGAIN Multiple keys request during rehashing of slot", "ResponseError"],
    ["ERP-05", "CLUSTERDOWN Hash slot not served", "ResponseError"],
    ["ERP-05", "MASTERDOWN Link with MASTER is down", "ResponseError"],
    ["ERP-05", "CROSSSLOT Keys in request don't hash to the same slot", "ResponseError"],
    ["ERP-06", "ERR value is not an integer or out of range", "ResponseError"],
    ["ERP-06", "WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
    ["ERP-06", "OOM command not allowed when used memory > 'maxmemory'.", "OutOfMemoryError"],
    ["ERP-06", "BUSYGROUP Consumer Group name already exists", "ResponseError"],
    ["ERP-06", "BUSYKEY Target key name already exists.", "ResponseError"],
    ["ERP-06", "NOGROUP No such key 's' or consumer group 'g'", "ResponseError"],
    ["ERP-06", "NOTBUSY No scripts in execution right now.", "ResponseError"],
    ["ERP-06", "UNBLOCKED client unblocked via CLIENT UNBLOCK", "ResponseError"],
    ["ERP-06", "MISCONF Redis is configured to save RDB snapshots", "ResponseError"],
    ["ERP-06", "NOREPLICAS Not enough good replicas to write.", "ResponseError"],
    ["ERP-06", "BUSY Redis is busy running a script.", "ResponseError"]
  ]

  for (const [row, line, tag] of table) {
    it(`${row}: ${line} is a ${tag}, with code and detail apart`, () => {
      const error = classify(line, 3)
      assert.strictEqual(error._tag, tag)
      if (error._tag === "ConnectionError") {
        assert.strictEqual(error.reason, line.startsWith("DENIED") ? "Handshake" : "MaxClients")
        return assert.strictEqual(error.delivery, "not-sent")
      }
      const space = line.indexOf(" ")
      const { _tag, causes: _causes, ...fields } = fieldsOf(error)
      assert.deepStrictEqual(fields, {
        code: line.slice(0, space),
        detail: line.slice(space + 1),
        command: "GET",
        address,
        index: 3
      })
    })
  }

  it("ERP-06: the word before it that modules put is no part of WRONGTYPE", () => {
    const error = classify("ERR WRONGTYPE Operation against a key holding the wrong kind of value", 3)
    assert.strictEqual(error._tag, "WrongTypeError")
    assert.strictEqual(fieldsOf(error).code, "WRONGTYPE")
    assert.strictEqual(fieldsOf(error).detail, "Operation against a key holding the wrong kind of value")
    assert.strictEqual(classify("ERR WRONGTYPES x", 3)._tag, "ResponseError")
    assert.strictEqual(classify("ERR it is WRONGTYPE", 3)._tag, "ResponseError")
  })

  it("ERP-04: EXEC tells of a transaction that was discarded; of anything else it is what a script has made up", () => {
    const reply = new Resp.ErrorReply("EXECABORT Transaction discarded because of previous errors.")
    const exec = RedisError.fromReply(reply, { command: "EXEC" })
    // Of it a transaction makes the ExecAbortError that says what was refused.
    assert.deepInclude(fieldsOf(exec), { _tag: "ResponseError", code: "EXECABORT" })
    assert.isUndefined(fieldsOf(exec).mayHaveWritten)
    const script = RedisError.fromReply(reply, { command: "EVALSHA", index: 0, runsCode: true })
    assert.strictEqual(script._tag, "ResponseError")
    assert.isTrue(fieldsOf(script).mayHaveWritten)
  })

  it("ERP-06: the code is a whole word at the start of the line, in upper case", () => {
    for (
      const line of [
        "LOADINGS x",
        "NOSCRIPTS x",
        "READONLYISH x",
        "NOPERMS x",
        "OOMPH x",
        "WRONGTYPES x",
        "NOAUTHX x",
        "ERR LOADING x",
        "ERR this is READONLY",
        "ERR the max number of clients reached",
        "DENIED by a module",
        "loading x"
      ]
    ) {
      assert.strictEqual(tagOf(line), "ResponseError", line)
    }
  })

  it("ERP-01 to ERP-06: the first rule that matches wins", () => {
    // Each text would match a later rule by its words, and is decided by how it begins.
    assert.strictEqual(tagOf("ERR max number of clients reached, NOAUTH"), "ConnectionError")
    assert.strictEqual(tagOf("NOAUTH LOADING READONLY"), "AuthenticationError")
    assert.strictEqual(tagOf("LOADING NOSCRIPT"), "BusyLoadingError")
  })

  it("ERR-08: a line of a single word is a code without a detail", () => {
    const error = classify("FAILURE")
    assert.strictEqual(error._tag, "ResponseError")
    assert.deepStrictEqual([fieldsOf(error).code, fieldsOf(error).detail], ["FAILURE", ""])
  })

  it("asks whether it is a Redis server that begins with another protocol, such as HTTP", () => {
    const error = new RedisError.ProtocolError({ detail: "no type of a value begins with \"H\"", address })
    assert.match(error.message, /begins with "H"\. Is it a Redis server that listens there\?$/)
  })

  it("cuts the arguments that a server quotes of an unknown command", () => {
    for (
      const line of [
        "ERR unknown command 'FOO', with args beginning with: 'hunter2' 'b' ",
        "ERR unknown command `FOO`, with args beginning with: `hunter2`, "
      ]
    ) {
      const error = classify(line)
      assert.strictEqual(error._tag, "ResponseError")
      assert.match(error.message, /^ERR unknown command .FOO. \(GET at 127\.0\.0\.1:6379\)\. Is the server older/)
      assert.notInclude(JSON.stringify(error), "hunter2")
    }
  })

  it("asks for the age of a server that does not understand the command, and of no other", () => {
    const asked = ". Is the server older than the command or one of its options?"
    for (
      const line of [
        "ERR unknown subcommand 'NO-TOUCH'. Try CLIENT HELP.",
        "ERR wrong number of arguments for 'zrevrank' command",
        "ERR syntax error"
      ]
    ) assert.isTrue(classify(line).message.endsWith(asked), line)
    // A sentinel knows nothing of GET.
    assert.match(classify("ERR unknown command 'GET'").message, /older than the command, or is it a sentinel \(.*\)\?$/)
    assert.notInclude(classify("ERR value is not an integer or out of range").message, "older")
  })

  it("says what to try where the words of the server do not, and what its own words say to do stays as it is", () => {
    const cases = [
      ["MOVED 15495 127.0.0.1:20771", "NodeRedisClient.layerCluster"],
      ["ASK 15495 127.0.0.1:20771", "NodeRedisClient.layerCluster"],
      ["CROSSSLOT Keys in request don't hash to the same slot", "{hash tag}"],
      ["NOGROUP No such key 's' or consumer group 'g'", "createGroup"]
    ] as const
    for (const [line, says] of cases) {
      const { message } = classify(line)
      assert.isTrue(message.startsWith(`${line} (GET at 127.0.0.1:6379). `), message)
      assert.include(message, says)
      assert.isTrue(message.endsWith("."), message)
    }
    for (const line of ["constructor of a code", "BUSYGROUP Consumer Group name already exists"]) {
      assert.strictEqual(classify(line).message, `${line} (GET at 127.0.0.1:6379)`)
    }
  })

  it("captures no stack: what a server answers has no place in the program", () => {
    for (const [, line] of table) {
      assert.notMatch(String(classify(line).stack), /\n\s+at /, line)
    }
    // The next error of the program has its trace again.
    assert.match(String(new Error("own").stack), /\n\s+at /)
  })
})

// -----------------------------------------------------------------------------
// Every class
// -----------------------------------------------------------------------------

type Delivery = RedisError.Delivery

const reply = { code: "CODE", detail: "what the server said", command: "GET", address, index: 1 }
const attempts = [{ address: "127.0.0.1:26379", detail: "refused" }]

/** An error of each class; of those that carry a delivery, one for each combination. */
const connection = (reason: RedisError.ConnectionError["reason"], delivery: Delivery, readonly: boolean) =>
  new RedisError.ConnectionError({ reason, detail: "Lost", address, command: "GET", delivery, readonly })

const timeout = (phase: RedisError.TimeoutError["phase"], delivery: Delivery, readonly: boolean) =>
  new RedisError.TimeoutError({ phase, milliseconds: 50, address, command: "GET", delivery, readonly })

const exhausted = (delivery: Delivery, readonly: boolean) =>
  new RedisError.ClusterRetriesExhaustedError({ command: "GET", slot: 1, attempts: 16, last: "x", delivery, readonly })

const watch = (reason: RedisError.WatchError["reason"], delivery: Delivery) =>
  new RedisError.WatchError({ reason, keys: ["k"], delivery })

const response = (code: string) => new RedisError.ResponseError({ ...reply, code })

/** Retryable, safe to retry, and the message. */
const samples: ReadonlyArray<
  readonly [error: RedisError.RedisError, retryable: boolean, safe: boolean, message: string]
> = [
  [
    connection("Closed", "unknown", false),
    true,
    false,
    "Lost at 127.0.0.1:6379 (GET). The server may have run the command; retry only if running it twice does no harm."
  ],
  [
    timeout("read", "unknown", false),
    true,
    false,
    "GET at 127.0.0.1:6379 ran into its limit of 50 ms: no reply had come. The server may have run the command; " +
    "retry only if running it twice does no harm."
  ],
  [
    new RedisError.AuthenticationError({ ...reply, username: "ada" }),
    false,
    false,
    "Authentication failed for the user \"ada\" (GET at index 1, at 127.0.0.1:6379): " +
    "CODE what the server said. Check the options username and password, or credentials."
  ],
  [
    new RedisError.BusyLoadingError(reply),
    true,
    true,
    "The server is loading its data (GET at index 1, at 127.0.0.1:6379): what the server said. " +
    "Nothing was run; retry a little later."
  ],
  [
    new RedisError.ProtocolError({ detail: "a line without end", address }),
    false,
    false,
    "The server at 127.0.0.1:6379 sent what is not valid RESP, or more than the limits allow: a line without end"
  ],
  [
    new RedisError.DataError({ command: "SET", detail: "cannot send null", index: 0 }),
    false,
    false,
    "SET at index 0: cannot send null. Nothing was sent."
  ],
  [
    new RedisError.DecodeError({ command: "GET", detail: "expected text", integer: "9007199254740993" }),
    false,
    false,
    "GET was run and answered, but its reply could not be decoded: expected text"
  ],
  [
    new RedisError.ResponseError(reply),
    false,
    false,
    "CODE what the server said (GET at index 1, at 127.0.0.1:6379)"
  ],
  [
    new RedisError.WrongTypeError(reply),
    false,
    false,
    "what the server said (GET at index 1, at 127.0.0.1:6379). TYPE tells what the key holds."
  ],
  [
    new RedisError.NoScriptError(reply),
    false,
    false,
    "what the server said (GET at index 1, at 127.0.0.1:6379)"
  ],
  [
    new RedisError.ExecAbortError({
      ...reply,
      causes: [{ index: 0, command: "FOO", code: "ERR", detail: "unknown command" }]
    }),
    false,
    false,
    "The transaction was discarded, nothing was run at 127.0.0.1:6379; FOO at index 0: ERR unknown command"
  ],
  [
    new RedisError.ReadOnlyError(reply),
    false,
    false,
    "what the server said (GET at index 1, at 127.0.0.1:6379). Send writes to the master."
  ],
  [
    new RedisError.NoPermissionError(reply),
    false,
    false,
    "what the server said (GET at index 1, at 127.0.0.1:6379). ACL SETUSER gives rights, ACL WHOAMI tells whose they are."
  ],
  [
    new RedisError.OutOfMemoryError(reply),
    true,
    true,
    "what the server said (GET at index 1, at 127.0.0.1:6379). " +
    "Nothing was run; see maxmemory and maxmemory-policy."
  ],
  [
    watch("changed", "not-sent"),
    true,
    true,
    "A watched key changed before EXEC; nothing was applied. Run the whole transaction again."
  ],
  [
    new RedisError.PubSubOverflowError({ capacity: 8 }),
    false,
    false,
    "More than 8 messages waited to be consumed. Consume them faster, or choose another buffer.capacity or " +
    "buffer.onFull for the subscription."
  ],
  [
    new RedisError.KeyspaceEventsOffError({ server: "127.0.0.1:6379", setting: "Ex", missing: "K$" }),
    false,
    false,
    "The server 127.0.0.1:6379 does not tell of these keyspace events: its notify-keyspace-events is \"Ex\", without " +
    "\"K$\". Set it to \"ExK$\" on every server, replicas too, in its configuration as well: the client changes " +
    "nothing there."
  ],
  [
    new RedisError.LockError({ name: "l", reason: "NotAcquired", kind: "lock" }),
    false,
    false,
    "Unable to acquire the lock \"l\" within the time specified."
  ],
  [
    new RedisError.LockNotOwnedError({ name: "l", kind: "lock" }),
    false,
    false,
    "The lock \"l\" expired and is not owned any more; what it protected may have been entered by others."
  ],
  [
    new RedisError.MasterNotFoundError({ service: "m", attempts }),
    true,
    true,
    "No master found for \"m\"; 127.0.0.1:26379: refused. Nothing was sent; retry while a failover may be under way."
  ],
  [
    new RedisError.ReplicaNotFoundError({ service: "m", attempts }),
    true,
    true,
    "No replica found for \"m\"; 127.0.0.1:26379: refused. Nothing was sent."
  ],
  [
    new RedisError.ClusterDownError({ ...reply, attempts: 3 }),
    true,
    true,
    "CODE what the server said (GET at index 1, at 127.0.0.1:6379, 3 attempts). " +
    "Nothing was run; retry when the cluster is up again."
  ],
  [
    new RedisError.ClusterConnectError({ attempts }),
    true,
    true,
    "No node of the cluster is usable; 127.0.0.1:26379: refused. " +
    "Give at least one node that can be reached and whose cluster is up."
  ],
  [
    new RedisError.CrossSlotError({ command: "MSET", index: 0 }),
    false,
    false,
    "The keys of MSET at index 0 lie in different hash slots. Give them a common {hash tag}."
  ],
  [
    new RedisError.SlotNotCoveredError({ slot: 7 }),
    true,
    true,
    "No node of the cluster serves slot 7. Nothing was sent."
  ],
  [
    exhausted("unknown", false),
    true,
    false,
    "GET failed 16 times; the last time: x. The server may have run the command; retry only if running it twice " +
    "does no harm."
  ],
  [
    new RedisError.ClusterUnsupportedError({ command: "MOVE", detail: "a cluster has one database" }),
    false,
    false,
    "MOVE is not supported on a cluster: a cluster has one database"
  ],
  [
    new RedisError.RedisConfigError({ option: "port", detail: "0 is no port" }),
    false,
    false,
    "The option port is not valid: 0 is no port"
  ],
  [
    new RedisError.InvalidUrlError({ url: "http://h", detail: "the scheme is unknown" }),
    false,
    false,
    "The URL http://h is not valid: the scheme is unknown"
  ]
]

/** The required rows that ask for a class. */
const rows: Readonly<Record<RedisError.RedisError["_tag"], string>> = {
  ConnectionError: "ERR-02",
  TimeoutError: "ERR-03",
  AuthenticationError: "ERR-04",
  BusyLoadingError: "ERR-06",
  ProtocolError: "ERR-07",
  DataError: "ERR-09",
  DecodeError: "ERR-33",
  ResponseError: "ERR-08",
  WrongTypeError: "ERP-06",
  NoScriptError: "ERR-12",
  ExecAbortError: "ERR-13",
  ReadOnlyError: "ERR-14",
  NoPermissionError: "ERR-15",
  OutOfMemoryError: "ERP-06",
  WatchError: "ERR-11",
  PubSubOverflowError: "PUB-01",
  KeyspaceEventsOffError: "PUB-14",
  LockError: "ERR-16",
  LockNotOwnedError: "ERR-17",
  MasterNotFoundError: "ERR-19",
  ReplicaNotFoundError: "ERR-20",
  ClusterDownError: "ERR-24, ERR-26, ERR-27",
  ClusterConnectError: "ERR-22",
  CrossSlotError: "ERR-28",
  SlotNotCoveredError: "ERR-31",
  ClusterRetriesExhaustedError: "ERR-25",
  ClusterUnsupportedError: "ERR-22, ERR-32",
  RedisConfigError: "ERR-21, ERR-32",
  InvalidUrlError: "ERR-32"
}

describe("every class of error", () => {
  const classes = new Set(samples.map(([error]) => error._tag))

  it("a buffer that was full of bytes is told with their number", () => {
    assert.strictEqual(
      new RedisError.PubSubOverflowError({ capacity: 8, capacityBytes: 1024 }).message,
      "Messages of 1024 bytes or more waited to be consumed. Consume them faster, or choose another " +
        "buffer.capacityBytes or buffer.onFull for the subscription."
    )
  })

  it("ERR-01: the union has a sample of each class here", () => {
    assert.strictEqual(classes.size, samples.length)
    assert.strictEqual(classes.size, RedisError.RedisErrorSchema.members.length)
  })

  for (const [error, retryable, safe, message] of samples) {
    it(`${rows[error._tag]}: ${error._tag} says what happened, and whether to retry`, () => {
      assert.strictEqual(error.message, message)
      assert.instanceOf(error, Error)
      assert.strictEqual(RedisError.isRetryable(error), retryable)
      assert.strictEqual(RedisError.isSafeToRetry(error), safe)
    })

    it.effect(`${rows[error._tag]}: ${error._tag} crosses a process boundary as JSON`, () =>
      Effect.gen(function*() {
        const encoded = yield* Schema.encodeUnknownEffect(RedisError.RedisErrorSchema)(error)
        const decoded = yield* Schema.decodeUnknownEffect(RedisError.RedisErrorSchema)(
          JSON.parse(JSON.stringify(encoded))
        )
        assert.strictEqual(decoded.constructor, error.constructor)
        assert.strictEqual(decoded.message, error.message)
        assert.deepStrictEqual(fieldsOf(decoded), fieldsOf(error))
        assert.strictEqual(RedisError.isSafeToRetry(decoded), safe)
      }))

    it.effect(`NCO-07: catchTag("${error._tag}") catches it from a command`, () =>
      Effect.gen(function*() {
        const caught = yield* command.pipe(
          Effect.catchTag(error._tag, (error) => Effect.succeed(error)),
          Effect.provideService(RedisClient.RedisClient, failing(error))
        )
        assert.strictEqual(caught, error)
      }))
  }

  it.effect("ERR-02: an error that is told of a part of a pipeline keeps its cause", () =>
    Effect.gen(function*() {
      const cause = new Error("read ECONNRESET")
      const error = new RedisError.ConnectionError({
        reason: "Reset",
        detail: "lost",
        delivery: "unknown",
        readonly: false,
        cause
      })
      assert.strictEqual(withFields(error, { index: 1 }).cause, cause)
      assert.isFalse("cause" in withFields(new RedisError.DataError({ command: "GET", detail: "x" }), { index: 1 }))
    }))

  it.effect("ERR-02: a cause crosses a process boundary by its message", () =>
    Effect.gen(function*() {
      const error = new RedisError.ConnectionError({
        reason: "Refused",
        detail: "Refused",
        delivery: "not-sent",
        readonly: false,
        cause: new Error("connect ECONNREFUSED")
      })
      const encoded = yield* Schema.encodeUnknownEffect(RedisError.RedisErrorSchema)(error)
      const decoded = yield* Schema.decodeUnknownEffect(RedisError.RedisErrorSchema)(
        JSON.parse(JSON.stringify(encoded))
      )
      assert.include(String(decoded.cause), "connect ECONNREFUSED")
    }))
})

describe("retrying", () => {
  const deliveries: ReadonlyArray<readonly [Delivery, readonly: boolean, safe: boolean]> = [
    ["not-sent", false, true],
    ["not-sent", true, true],
    ["unknown", false, false],
    ["unknown", true, true]
  ]
  const reasons = RedisError.ConnectionError.fields.reason.literals
  const final = new Set(["Tls", "ClientClosed"])

  it("ERR-02, ERR-03, ERR-25: repeats a command when it was not sent or only reads", () => {
    for (const [delivery, readonly, safe] of deliveries) {
      for (const reason of reasons) {
        const error = connection(reason, delivery, readonly)
        assert.strictEqual(RedisError.isRetryable(error), !final.has(reason), reason)
        assert.strictEqual(RedisError.isSafeToRetry(error), safe && !final.has(reason), `${reason} ${delivery}`)
      }
      for (const phase of ["connect", "write", "read"] as const) {
        assert.isTrue(RedisError.isRetryable(timeout(phase, delivery, readonly)))
        assert.strictEqual(RedisError.isSafeToRetry(timeout(phase, delivery, readonly)), safe)
      }
      assert.isTrue(RedisError.isRetryable(exhausted(delivery, readonly)))
      assert.strictEqual(RedisError.isSafeToRetry(exhausted(delivery, readonly)), safe)
    }
  })

  it("ERR-11: a transaction may be run again when EXEC was not sent or applied nothing", () => {
    for (const reason of ["changed", "connectionLost"] as const) {
      assert.isTrue(RedisError.isRetryable(watch(reason, "unknown")))
      assert.isFalse(RedisError.isSafeToRetry(watch(reason, "unknown")))
      assert.isTrue(RedisError.isSafeToRetry(watch(reason, "not-sent")))
    }
  })

  it("ERP-05, ERP-06: of other server errors those pass that say that nothing was run for now", () => {
    const passing = ["BUSY", "TRYAGAIN", "NOREPLICAS", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "UNBLOCKED"]
    const lasting = ["ERR", "BUSYKEY", "BUSYGROUP", "MOVED", "ASK", "CROSSSLOT", "UNKILLABLE", ""]
    for (const code of [...passing, ...lasting]) {
      assert.strictEqual(RedisError.isRetryable(response(code)), passing.includes(code), code)
      assert.strictEqual(RedisError.isSafeToRetry(response(code)), passing.includes(code), code)
    }
  })

  it("ERR-13: a discarded transaction is as retryable, and as safe, as the worst of what discarded it", () => {
    const aborted = (codes: ReadonlyArray<string>, detail = "Transaction discarded because of previous errors.") =>
      new RedisError.ExecAbortError({
        ...reply,
        code: "EXECABORT",
        detail,
        causes: codes.map((code, index) => ({ index, command: "SET", code, detail: "x" }))
      })
    const table: ReadonlyArray<readonly [error: RedisError.ExecAbortError, retryable: boolean]> = [
      [aborted(["OOM"]), true],
      [aborted(["LOADING", "BUSY", "MASTERDOWN", "NOREPLICAS"]), true],
      [aborted(["OOM", "ERR"]), false],
      [aborted(["READONLY"]), false],
      [aborted([]), false],
      // EXEC itself is refused by some servers.
      [aborted([], "Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'."), true],
      [aborted([], "Transaction discarded because of: LOADING Redis is loading the dataset in memory"), true],
      [aborted([], "Transaction discarded because of: MISCONF Errors writing to the AOF file"), true],
      [
        aborted([], "Transaction discarded because of: NOPERM User u has no permissions to run the 'exec' command"),
        false
      ],
      [aborted(["ERR"], "Transaction discarded because of: OOM command not allowed"), false]
    ]
    for (const [error, retryable] of table) {
      assert.strictEqual(RedisError.isRetryable(error), retryable, error.message)
      assert.strictEqual(RedisError.isSafeToRetry(error), retryable, error.message)
    }
  })

  it("a refused handshake is final when the server will say the same next time", () => {
    const refused = (permanent: boolean) =>
      new RedisError.ConnectionError({
        reason: "Handshake",
        detail: "The server refused SELECT on a new connection",
        command: "GET",
        permanent,
        delivery: "not-sent",
        readonly: true
      })
    assert.isTrue(RedisError.isSafeToRetry(refused(false)))
    assert.isFalse(RedisError.isRetryable(refused(true)))
    assert.notInclude(refused(true).message, "retry")
  })

  it("what a message says of retrying is what the guards say", () => {
    for (const [delivery, readonly] of deliveries) {
      for (const reason of reasons) {
        const error = connection(reason, delivery, readonly)
        assert.strictEqual(error.message.includes("safe to retry"), RedisError.isSafeToRetry(error), error.message)
        assert.strictEqual(/retry/.test(error.message), RedisError.isRetryable(error), error.message)
      }
    }
  })

  it("a watch is advised to run again where the guards say so", () => {
    for (const reason of ["changed", "connectionLost"] as const) {
      const certain = watch(reason, "not-sent")
      assert.isTrue(RedisError.isSafeToRetry(certain))
      assert.match(certain.message, /\. Run the whole transaction again\.$/)
      const unknown = watch(reason, "unknown")
      assert.isFalse(RedisError.isSafeToRetry(unknown))
      assert.notMatch(unknown.message, /Run the whole transaction again|nothing was applied/)
      assert.match(unknown.message, /may have been written already; retry only if running it twice does no harm\.$/)
    }
  })

  it("a command without a key has no slot that is not served", () => {
    const { message, slot } = new RedisError.SlotNotCoveredError({})
    assert.deepStrictEqual([message, slot], ["No node of the cluster serves any slot. Nothing was sent.", undefined])
  })

  it("an error that befell no command says nothing of one", () => {
    const event = RedisError.connectionLoss("Refused", "The connection was refused", address)
    assert.strictEqual(event.message, "The connection was refused at 127.0.0.1:6379.")
    const late = new RedisError.TimeoutError({
      phase: "connect",
      milliseconds: 5,
      delivery: "not-sent",
      readonly: false
    })
    assert.strictEqual(
      late.message,
      "The connection ran into its limit of 5 ms: opening a connection took longer."
    )
  })

  it("a command that was not written says what it may have waited for", () =>
    assert.strictEqual(
      timeout("write", "not-sent", false).message,
      "GET at 127.0.0.1:6379 ran into its limit of 50 ms: it was still waiting to be written, as no connection was open " +
        "yet or the server was slow to take commands; " +
        "if it never connects, check host, port and tls. The command was not sent; it is safe to retry."
    ))

  it("an error of code that may write is never safe, whatever it says", () => {
    for (
      const line of [
        "BUSY x",
        "LOADING x",
        "OOM x",
        "CLUSTERDOWN x",
        "UNBLOCKED x",
        "ERR max number of clients reached"
      ]
    ) {
      const context = { command: "EVAL", address }
      const made = RedisError.fromReply(new Resp.ErrorReply(line), { ...context, runsCode: true })
      assert.isTrue(RedisError.isRetryable(made), line)
      assert.isFalse(RedisError.isSafeToRetry(made), line)
      assert.notMatch(made.message, /safe to retry|Nothing was run/, line)
      assert.isTrue(RedisError.isSafeToRetry(RedisError.fromReply(new Resp.ErrorReply(line), context)), line)
    }
  })

  it("commands run code by their names, however they are made", () => {
    for (
      const command of [
        Redis.eval("return 1"),
        Redis.evalsha("0".repeat(40)),
        Redis.fcall("f", []),
        Redis.send("eval", "return 1", 0),
        Redis.send("FCALL", "f", 0),
        RedisCommand.define("EVAL", () => [], RedisReply.raw)(),
        RedisCommand.define("MY.RUN", () => [], RedisReply.raw, "code")()
      ]
    ) {
      assert.isTrue(command.spec.runsCode, command.spec.name)
    }
    for (
      const command of [
        Redis.evalshaRo("0".repeat(40)),
        Redis.fcallRo("f", []),
        Redis.send("EVAL_RO", "x", 0),
        Redis.get("k")
      ]
    ) {
      assert.isFalse(command.spec.runsCode, command.spec.name)
    }
  })

  it("an error after which something is written all the same is not taken for a refusal", () => {
    const migrated = classify("IOERR error or timeout writing to target instance")
    assert.isTrue(RedisError.mayHaveRun(migrated))
  })
})

describe("what is no error of redfx", () => {
  const strangers: ReadonlyArray<unknown> = [
    undefined,
    null,
    "TimeoutError",
    new Error("x"),
    new Cause.TimeoutError(),
    { _tag: "ConnectionError", reason: "Closed", delivery: "not-sent", readonly: false },
    { _tag: "WatchError", delivery: "not-sent" },
    Object.assign(new Error("x"), { _tag: "TimeoutError", delivery: "not-sent" })
  ]

  it("is neither retryable nor safe to retry, whatever it looks like", () => {
    for (const stranger of strangers) {
      assert.isFalse(RedisError.isRedisError(stranger), String(stranger))
      assert.isFalse(RedisError.isRetryable(stranger), String(stranger))
      assert.isFalse(RedisError.isSafeToRetry(stranger), String(stranger))
    }
    for (const [error] of samples) assert.isTrue(RedisError.isRedisError(error), error._tag)
  })

  it.effect("isRedisError tells redfx's TimeoutError from that of Effect.timeout", () =>
    Effect.gen(function*() {
      const own = timeout("read", "unknown", true)
      const whose = (effect: Effect.Effect<unknown, RedisError.RedisError | Cause.TimeoutError>) =>
        effect.pipe(
          Effect.catchTag("TimeoutError", (error) =>
            Effect.succeed(RedisError.isRedisError(error) ? error.phase : "other"))
        )
      assert.strictEqual(yield* whose(Effect.fail(own)), "read")
      assert.strictEqual(yield* whose(Effect.fail(new Cause.TimeoutError())), "other")
    }))
})

describe("an error that speaks for several commands", () => {
  const others = { answered: [0, 2], unknown: [4], mayHaveWritten: true }

  /** Errors with which no command fails. */
  const apart = new Set([
    "PubSubOverflowError",
    "KeyspaceEventsOffError",
    "LockError",
    "LockNotOwnedError",
    "RedisConfigError",
    "InvalidUrlError"
  ])

  for (const [error, retryable] of samples) {
    it.effect(`${error._tag} is not safe to retry when another command may have written, and says so`, () =>
      Effect.gen(function*() {
        const marked = RedisError.inPart(error, { of: "pipeline", ...others })
        if (apart.has(error._tag)) return assert.strictEqual(marked, error)
        assert.strictEqual(marked.constructor, error.constructor)
        assert.strictEqual(RedisError.isRetryable(marked), retryable)
        assert.isFalse(RedisError.isSafeToRetry(marked))
        assert.match(
          marked.message,
          error._tag === "WatchError"
            ? /The commands at index 0 and 2 of the pipeline were answered/
            : /The commands at index 0 and 2 of the pipeline were answered; the command at index 4 of the pipeline may have been run; do not repeat the whole unless running it twice does no harm\.$/
        )
        assert.notMatch(marked.message, /safe to retry|Nothing was|nothing was run at|\.\./)
        assert.deepInclude(fieldsOf(marked), {
          mayHaveWritten: true,
          partial: { of: "pipeline", answered: [0, 2], unknown: [4] }
        })
        // What it says of its own command stays true.
        if ("delivery" in error) assert.deepInclude(fieldsOf(marked), { delivery: error.delivery })
        const encoded = yield* Schema.encodeUnknownEffect(RedisError.RedisErrorSchema)(marked)
        const decoded = yield* Schema.decodeUnknownEffect(RedisError.RedisErrorSchema)(
          JSON.parse(JSON.stringify(encoded))
        )
        assert.deepStrictEqual(fieldsOf(decoded), fieldsOf(marked))
        assert.isFalse(RedisError.isSafeToRetry(decoded))
      }))

    it(`${error._tag} is as safe as ever when all others only read`, () => {
      const marked = RedisError.inPart(error, { of: "pipeline", ...others, mayHaveWritten: false })
      assert.strictEqual(RedisError.isSafeToRetry(marked), RedisError.isSafeToRetry(error))
    })
  }

  it("the parts of one command make its own delivery unknown", () => {
    const unsent = connection("Refused", "not-sent", false)
    for (const  of of["keys", "command", undefined] as const) {
      const marked = RedisError.inPart(unsent, { of, answered: [1], unknown: [], mayHaveWritten: true })
      assert.deepInclude(fieldsOf(marked), { delivery: "unknown" })
    }
  })

  it("a message lists the first indexes of many", () => {
    const answered = Array.from({ length: 100_000 }, (_, index) => index)
    const marked = RedisError.inPart(response("BUSY"), { of: "pipeline", answered, unknown: [], mayHaveWritten: true })
    assert.include(marked.message, "The commands at index 0, 1, 2, 3, 4 and 99995 more of the pipeline were answered")
  })

  describe("failureAmong", () => {
    const refused = RedisError.fromReply(new Resp.ErrorReply("LOADING x"), { command: "GET" })
    const lost = connection("Closed", "unknown", false)
    const unsent = connection("Closed", "not-sent", false)
    const undecoded = new RedisError.DecodeError({ command: "INCR", detail: "x" })
    const broken = new RedisError.ProtocolError({ detail: "x" })
    const scripted = RedisError.fromReply(new Resp.ErrorReply("ERR x"), { command: "EVAL", runsCode: true })

    /** What became of the command before, whether it only reads, and what the error of the other says of both. */
    const table: ReadonlyArray<
      readonly [title: string, error: RedisError.RedisError | undefined, readonly: boolean, safe: boolean, list: string]
    > = [
      ["was answered", undefined, false, false, "answered"],
      ["was answered, and only reads", undefined, true, true, "answered"],
      ["may have run", lost, false, false, "unknown"],
      ["may have run, and only reads", lost, true, true, "unknown"],
      ["was not sent", unsent, false, true, "none"],
      ["was refused", refused, false, true, "none"],
      ["was answered with what could not be decoded", undecoded, false, false, "answered"],
      ["was lost with a connection that sent nonsense", broken, false, false, "unknown"],
      ["was code that failed", scripted, false, false, "unknown"]
    ]
    for (const [title, error, readonly, safe, list] of table) {
      it(`knows that a command beside it ${title}`, () => {
        const failed = RedisError.failureAmong("pipeline", [
          { indexes: [0], readonly: true, error: refused },
          { indexes: [1], readonly, error }
        ])
        assert.strictEqual(RedisError.isSafeToRetry(failed), safe)
        const partial = failed !== undefined && "partial" in failed ? failed.partial : undefined
        assert.deepStrictEqual(
          partial,
          list === "none"
            ? undefined
            : { of: "pipeline", answered: list === "answered" ? [1] : [], unknown: list === "unknown" ? [1] : [] }
        )
      })
    }

    it("leaves the error alone of what was alone, and of what was not for a server", () => {
      assert.strictEqual(RedisError.failureAmong("pipeline", [{ indexes: [0], readonly: false, error: lost }]), lost)
      assert.strictEqual(
        RedisError.failureAmong("pipeline", [
          { indexes: [0], readonly: false, error: undefined, sent: false },
          { indexes: [1], readonly: true, error: refused }
        ]),
        refused
      )
      assert.isUndefined(RedisError.failureAmong("pipeline", [{ indexes: [0], readonly: false, error: undefined }]))
    })

    it("lists indexes in their order, as keys of one part may stand between those of another", () => {
      const failed = RedisError.failureAmong("keys", [
        { indexes: [1, 3], readonly: false, error: undefined },
        { indexes: [6], readonly: false, error: refused },
        { indexes: [10, 5], readonly: false, error: lost },
        { indexes: [0, 2, 4], readonly: false, error: undefined },
        { indexes: [7], readonly: false, error: lost }
      ])
      const partial = { of: "keys", answered: [0, 1, 2, 3, 4], unknown: [5, 7, 10] }
      assert.deepInclude(fieldsOf(failed!), { partial })
    })

    it("the same error befalls several commands", () => {
      const failed = RedisError.failureAmong("pipeline", [
        { indexes: [0], readonly: true, error: broken },
        { indexes: [1], readonly: false, error: broken }
      ])
      assert.deepInclude(fieldsOf(failed!), { mayHaveWritten: true })
    })
  })
})

describe("groups", () => {
  it.effect("NCO-07: catchTag takes the tags of a group", () =>
    Effect.gen(function*() {
      const groups = {
        connection: [
          "ConnectionError",
          "AuthenticationError",
          "BusyLoadingError",
          "MasterNotFoundError",
          "ReplicaNotFoundError"
        ],
        lock: ["LockError", "LockNotOwnedError"]
      } as const
      for (const [error] of samples) {
        const caught = yield* command.pipe(
          Effect.catchTag(groups.connection, () => Effect.succeed("connection")),
          Effect.catchTag(groups.lock, () => Effect.succeed("lock")),
          Effect.catch(() => Effect.succeed("other")),
          Effect.provideService(RedisClient.RedisClient, failing(error))
        )
        const expected = Object.entries(groups).find(([, tags]) => (tags as ReadonlyArray<string>).includes(error._tag))
        assert.strictEqual(caught, expected?.[0] ?? "other")
      }
    }))
})

describe("A refusal of what a try before it may have run", () => {
  it("is not said to prove that the command was not run", () => {
    const refused = (unknown: ReadonlyArray<number>) =>
      new RedisError.OutOfMemoryError({
        code: "OOM",
        detail: "full",
        command: "INCR",
        index: 1,
        mayHaveWritten: true,
        partial: { of: "pipeline", answered: [0], unknown }
      }).message
    assert.notInclude(refused([1]), "was not run")
    assert.include(refused([1]), "index 1 of the pipeline may have been run")
    assert.include(refused([2]), "The command was not run.")
  })
})
