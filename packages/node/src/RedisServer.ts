/**
 * Real servers for tests and demos. They are started on the loopback interface, and stopped with the scope in which
 * they were started.
 *
 * **Example** (A server for the life of a scope)
 *
 * ```ts
 * import * as RedisServer from "@redfx/node/RedisServer"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* RedisServer.make({ persistence: "aof" })
 *   yield* server.kill()
 *   yield* server.restart
 *   return server.url
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 *
 * @since 0.1.0
 */
import { TaggedError } from "@redfx/core/unstable/Runtime"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Builtin from "./internal/builtin.ts"
import { inRealTime } from "./internal/realTime.ts"
import * as ServerConfig from "./internal/serverConfig.ts"
import type { RedisServerOptions } from "./internal/serverOptions.ts"
import * as Probe from "./internal/serverProbe.ts"
import * as Process from "./internal/serverProcess.ts"

export type { RedisServerOptions } from "./internal/serverOptions.ts"

// -----------------------------------------------------------------------------
// Options and errors
// -----------------------------------------------------------------------------

/**
 * A server could not be started.
 *
 * **Details**
 *
 * - `reason`: `NotFound` — there is no executable; `Exited` — the server ended before it answered; `Timeout` — it did
 *   not answer in time; `Closed` — its scope is closed, so it cannot be restarted; `Other` — the system refused.
 * - `detail`: for `Exited` and `Timeout`, includes the last lines of the server's log, without passwords.
 *
 * @category errors
 * @since 0.1.0
 */
export class RedisServerError extends TaggedError<RedisServerError>("@redfx/node/RedisServer/RedisServerError")(
  "RedisServerError",
  {
    reason: Schema.Literals(["NotFound", "Exited", "Timeout", "Closed", "Other"]),
    detail: Schema.String,
    cause: Schema.optionalKey(Schema.Defect())
  }
) {
  override get message(): string {
    return this.detail
  }
}

// -----------------------------------------------------------------------------
// Service
// -----------------------------------------------------------------------------

/**
 * A running server.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisServer extends Context.Service<RedisServer, {
  /** The host that it listens on. It stays the same after `restart`. */
  readonly host: string
  /** The port that it listens on. It stays the same after `restart`. */
  readonly port: number
  /** Its unix socket, `undefined` without the option `unixSocket`. */
  readonly path: string | undefined
  /** `redis://host:port`, without credentials. */
  readonly url: string
  /** The password of the default user, `undefined` without the option. */
  readonly password: Redacted.Redacted<string> | undefined
  /** Its TLS port, its URL (`rediss://`) and the certificate to trust; `undefined` without the option `tls`. */
  readonly tls: { readonly port: number; readonly url: string; readonly ca: string } | undefined
  /** Its own temporary directory, removed with the scope. */
  readonly directory: string
  /** Its process id, `undefined` while it does not run. */
  readonly pid: Effect.Effect<number | undefined>
  /** What it has printed since it was first started, without passwords. */
  readonly log: Effect.Effect<string>
  /**
   * Shuts it down (SIGTERM), also when it is paused, and waits until the process is gone. Does nothing when it does not
   * run.
   */
  readonly stop: Effect.Effect<void>
  /**
   * Ends it with a signal, by default SIGKILL, also when it is paused, and waits until the process is gone. Does
   * nothing when it does not run.
   */
  readonly kill: (signal?: "SIGKILL" | "SIGTERM" | "SIGINT") => Effect.Effect<void>
  /**
   * Stops it, if it runs, and starts it again on the same port and with the same files. Where another process has taken
   * the port meanwhile, it is waited for, for about a minute.
   */
  readonly restart: Effect.Effect<void, RedisServerError>
  /** Stops it for a while (SIGSTOP): it keeps its connections, but does nothing. */
  readonly pause: Effect.Effect<void>
  /** Lets a paused server go on (SIGCONT). */
  readonly resume: Effect.Effect<void>
}>()("@redfx/node/RedisServer") {}

// -----------------------------------------------------------------------------
// The executable
// -----------------------------------------------------------------------------

const remedies =
  "Install Redis or Valkey (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis), " +
  "or set the environment variable REDIS_SERVER to the path of its server."

const findOnPath = (name: string): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    const { constants, promises } = Builtin.fs()
    for (const directory of (process.env["PATH"] ?? "").split(Path.delimiter)) {
      const candidate = Path.join(directory, name)
      try {
        await promises.access(candidate, constants.X_OK)
        return candidate
      } catch {
        // It is not in this directory; the next one may have it.
      }
    }
    return undefined
  })

type SettledOptions = ServerConfig.SettledOptions

const findBinary = Effect.fnUntraced(function*(options: SettledOptions) {
  const chosen = options.binary ?? Option.getOrUndefined(
    yield* Effect.orElseSucceed(Config.option(Config.NonEmptyString("REDIS_SERVER")), Option.none<string>)
  )
  const names = chosen === undefined ? ["redis-server", "valkey-server"] : [chosen]
  for (const name of names) {
    const found = name.includes("/") ? name : yield* findOnPath(name)
    if (found !== undefined) return found
  }
  return yield* new RedisServerError({
    reason: "NotFound",
    detail: chosen === undefined
      ? `Neither redis-server nor valkey-server is on PATH. ${remedies}`
      : `There is no ${chosen} on PATH. ${remedies}`
  })
})

// -----------------------------------------------------------------------------
// Starting
// -----------------------------------------------------------------------------

/** How often a starting server is probed. */
const probeInterval = Duration.millis(10)

/** How long a server may take to shut down. */
const stopGrace = Duration.seconds(3)

/** How many ports are tried when another process takes the chosen one first. */
const portAttempts = 5

/** How long the same port is tried when a server starts again. */
const restartTime = Duration.minutes(1)

/** How much of the log an error shows. */
const shownLines = 12

/** A server and its current process, if any. */
interface State {
  readonly options: SettledOptions
  readonly binary: string
  readonly location: ServerConfig.Location
  readonly log: string
  process: Process.ServerProcess | undefined
  closed: boolean
}

const readLog = (state: State): Effect.Effect<string> =>
  Effect.promise(() => Builtin.fs().promises.readFile(state.log, "utf8").catch(() => "")).pipe(
    Effect.map((text) =>
      ServerConfig.secrets(state.options).reduce((text, secret) => text.replaceAll(secret, "<redacted>"), text)
    )
  )

const startFailure = (
  state: State,
  reason: "Exited" | "Timeout",
  what: string
): Effect.Effect<never, RedisServerError> =>
  Effect.flatMap(readLog(state), (text) =>
    Effect.fail(
      new RedisServerError({
        reason,
        detail: `${state.binary} ${what}. Its last lines:\n${text.trimEnd().split("\n").slice(-shownLines).join("\n")}`
      })
    ))

const untilAnswering = (state: State, pid: number): Effect.Effect<void> =>
  Probe.probe(state.location.host, state.location.port).pipe(
    Effect.flatMap((answer) =>
      // Another server can have taken the port; ours is then about to end.
      answer !== undefined && !answer.ping.startsWith("-LOADING") && (answer.pid === undefined || answer.pid === pid)
        ? Effect.void
        : Effect.andThen(Effect.sleep(probeInterval), untilAnswering(state, pid))
    )
  )

/**
 * Starts the process and waits until it answers. After any failure, `state.process` is the process that has to be
 * ended.
 */
const startProcess = Effect.fnUntraced(function*(state: State) {
  const { options, location } = state
  const running = yield* Process.start({
    binary: state.binary,
    args: [Path.join(location.directory, "redis.conf"), ...(options.sentinel === true ? ["--sentinel"] : [])],
    directory: location.directory,
    log: state.log,
    onStart: (process) => state.process = process
  }).pipe(Effect.mapError((cause) =>
    new RedisServerError({
      reason: "code" in cause && cause.code === "ENOENT" ? "NotFound" : "Other",
      detail: `${state.binary} could not be started. ${remedies}`,
      cause
    })
  ))
  yield* untilAnswering(state, running.pid).pipe(
    Effect.raceFirst(Effect.flatMap(
      Deferred.await(running.exit),
      (how) => startFailure(state, "Exited", `ended with ${how} before it answered`)
    )),
    Effect.timeoutOrElse({
      duration: options.startTimeout ?? Duration.minutes(1),
      orElse: () => startFailure(state, "Timeout", "did not answer in time")
    })
  )
})

const endProcess = (state: State, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.suspend(() => state.process === undefined ? Effect.void : Process.end(state.process, signal, stopGrace))

const writeFiles = (options: SettledOptions, location: ServerConfig.Location) =>
  Effect.tryPromise({
    try: async () => {
      const write = (name: string, text: string) =>
        Builtin.fs().promises.writeFile(Path.join(location.directory, name), text, { mode: 0o600 })
      await write("redis.conf", ServerConfig.render(options, location))
      if (options.tls === undefined) return
      await write("tls-ca.pem", options.tls.ca)
      await write("tls-cert.pem", options.tls.cert)
      await write("tls-key.pem", Redacted.value(options.tls.key))
    },
    catch: (cause) =>
      new RedisServerError({ reason: "Other", detail: `Nothing can be written to ${location.directory}`, cause })
  })

const temporaryDirectory = Effect.acquireRelease(
  Effect.tryPromise({
    try: () => Builtin.fs().promises.mkdtemp(Path.join(Os.tmpdir(), "redfx-")),
    catch: (cause) => new RedisServerError({ reason: "Other", detail: "No temporary directory can be made", cause })
  }),
  (directory) =>
    Effect.promise(() => Builtin.fs().promises.rm(directory, { recursive: true, force: true, maxRetries: 3 }))
)

const host = "127.0.0.1"

const chooseLocation = Effect.fnUntraced(function*(options: SettledOptions, directory: string) {
  return {
    host,
    port: yield* Probe.freePort(host, { withBus: options.clusterEnabled === true }),
    tlsPort: options.tls === undefined
      ? undefined
      : yield* Probe.freePort(host, { withBus: options.clusterEnabled === true }),
    directory,
    path: options.unixSocket === true ? Path.join(directory, "redis.sock") : undefined
  }
})

/** Whether another process has the port. */
const isTaken = ({ detail }: RedisServerError): boolean => detail.includes("Address already in use")

/**
 * Starts a server again. What has taken its port while it was down gives it back when it ends, as servers of other tests do.
 * Until then nothing is started: one that wants a password does not tell which process it is, and would pass for this one.
 */
const startAgain = (state: State): Effect.Effect<void, RedisServerError> => {
  const { host, port } = state.location
  const taken = new RedisServerError({ reason: "Other", detail: `${host}:${port} was taken: Address already in use` })
  return Effect.retry(
    Effect.flatMap(Probe.isFree(host, port), (free) => free ? startProcess(state) : Effect.fail(taken)),
    {
      while: (error) => !state.closed && isTaken(error),
      schedule: Schedule.upTo(Schedule.spaced("100 millis"), { duration: restartTime })
    }
  )
}

/** Starts a server for the first time. Uses another port when the chosen one was taken meanwhile. */
const firstStart = (
  options: SettledOptions,
  attempt = 1
): Effect.Effect<State, RedisServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const binary = yield* findBinary(options)
    const location = yield* chooseLocation(options, yield* temporaryDirectory)
    const state: State = {
      options,
      binary,
      location,
      log: Path.join(location.directory, "server.log"),
      process: undefined,
      closed: false
    }
    yield* writeFiles(options, location)
    yield* Effect.addFinalizer(() => endProcess(state, "SIGTERM"))
    return yield* startProcess(state).pipe(
      Effect.as(state),
      Effect.catchIf(
        (error) => attempt < portAttempts && isTaken(error),
        () => firstStart(options, attempt + 1)
      )
    )
  })

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

const toService = (state: State, lock: Semaphore.Semaphore): RedisServer["Service"] => {
  const { options, location } = state
  const signal = (signal: NodeJS.Signals) => Effect.sync(() => state.process?.signal(signal))
  const end = (signal: NodeJS.Signals) => inRealTime(lock.withPermit(endProcess(state, signal)))
  return {
    host: location.host,
    port: location.port,
    path: location.path,
    url: `redis://${location.host}:${location.port}`,
    password: options.password,
    tls: options.tls === undefined || location.tlsPort === undefined ? undefined : {
      port: location.tlsPort,
      url: `rediss://${location.host}:${location.tlsPort}`,
      ca: options.tls.ca
    },
    directory: location.directory,
    pid: Effect.sync(() =>
      state.process !== undefined && Process.isRunning(state.process) ? state.process.pid : undefined
    ),
    log: readLog(state),
    stop: end("SIGTERM"),
    kill: (signal = "SIGKILL") => end(signal),
    restart: inRealTime(lock.withPermit(Effect.suspend(() =>
      state.closed
        ? Effect.fail(new RedisServerError({ reason: "Closed", detail: "The scope of this server is closed" }))
        : Effect.andThen(endProcess(state, "SIGTERM"), startAgain(state))
    ))),
    pause: signal("SIGSTOP"),
    resume: signal("SIGCONT")
  }
}

/**
 * Starts a server. It is stopped, and its files are removed, with the scope.
 *
 * **Details**
 *
 * Succeeds when the server answers and has loaded its data. Time spans are real time, also under a test's clock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: RedisServerOptions = {}
): Effect.Effect<RedisServer["Service"], RedisServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const settled = ServerConfig.settled(options)
    const refusal = ServerConfig.refusal(settled, { host })
    if (refusal !== undefined) return yield* new RedisServerError({ reason: "Other", detail: refusal })
    const state = yield* firstStart(settled)
    const lock = yield* Semaphore.make(1)
    // This runs before the finalizer that ends the process, and waits for a restart that is under way, but not for its port.
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        state.closed = true
        return lock.withPermit(Effect.void)
      })
    )
    return toService(state, lock)
  }).pipe(inRealTime)

/**
 * Provides a running server, which is stopped with the Layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: RedisServerOptions): Layer.Layer<RedisServer, RedisServerError> =>
  Layer.effect(RedisServer, make(options))
