/**
 * A master, its replicas and Sentinels: what each of them sees, and when all see the same.
 */
import * as Redis from "@redfx/core/Redis"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { RedisServerError } from "../RedisServer.ts"
import * as Deployment from "./deployment.ts"
import type { Server } from "./deployment.ts"

/** A deployment. `hasty`: its Sentinels use short intervals. */
export interface Watched {
  readonly service: string
  readonly servers: ReadonlyArray<Server>
  readonly sentinels: ReadonlyArray<Server>
  readonly password?: Redacted.Redacted<string> | undefined
  readonly sentinelPassword?: Redacted.Redacted<string> | undefined
  readonly hasty: boolean
  readonly timeout: Duration.Input
}

const atServer = (watched: Pick<Watched, "password">, server: Server) => Deployment.at(server, watched.password)
const atSentinel = (watched: Watched, sentinel: Server) => Deployment.at(sentinel, watched.sentinelPassword)

const running = (servers: ReadonlyArray<Server>) => Effect.filter(servers, Deployment.isRunning)

/**
 * Intervals at which Sentinels ask and announce, in milliseconds. They are much shorter than usual.
 *
 * - `ping-period`: a failover skips replicas whose last INFO is older than five ping periods, and INFO is sent every
 *   second.
 * - `publish-period`: after four publish periods a Sentinel demotes a server that looks like a second master. The
 *   Sentinel that leads a failover needs up to a second to see a promotion, before it tells the others.
 * - `tilt-period`: a Sentinel that did not run for two seconds, as on a busy machine or when it was paused, judges nobody for
 *   this time. It would be 30 seconds, which is more than anybody waits for servers to agree; the answers that have come
 *   meanwhile are read at once.
 */
const haste = {
  "info-period": 1000,
  "ping-period": 300,
  "publish-period": 500,
  "ask-period": 200,
  "tilt-period": 1000
}

/**
 * Sentinels send the first PING on a new connection after a second, or after the time that makes a server count as down
 * if that is shorter. With a shorter time than this, the server would be down before it could answer.
 */
const leastDownAfter = 1500

/**
 * Gives a newly started Sentinel short intervals, and returns `true`. Before Redis 7.0 that is not possible; the
 * Sentinel gets more patience with the servers instead.
 */
export const hasten = (
  sentinel: Server,
  options: {
    readonly service: string
    readonly sentinelPassword?: Redacted.Redacted<string> | undefined
    readonly downAfter: Duration.Input
  }
): Effect.Effect<boolean, RedisServerError> =>
  Redis.sentinelDebugSet(haste).pipe(
    Effect.as(true),
    Effect.catchTag("ResponseError", () => {
      const milliseconds = Math.max(Duration.toMillis(options.downAfter), leastDownAfter)
      return Effect.as(Redis.sentinelSet(options.service, { "down-after-milliseconds": milliseconds }), false)
    }),
    Deployment.surelyAt("Preparing a Sentinel", sentinel, options.sentinelPassword)
  )

/** What one Sentinel reports. */
interface View {
  readonly master: Redis.SentinelState
  readonly replicas: ReadonlyArray<Redis.SentinelState>
  readonly others: ReadonlyArray<Redis.SentinelState>
}

const isSound = ({ flags, isDisconnected, isOdown, isSdown }: Redis.SentinelState): boolean =>
  !isDisconnected && !isSdown && !isOdown && !flags.has("failover_in_progress")

/** What differs between the view of a Sentinel and the actual deployment, if anything. */
const faultIn = (view: View, watched: Watched, self: Server, alive: ReadonlySet<Server>): string | undefined => {
  // Otherwise its information about a link may be ten seconds old; the replicas are asked themselves as well.
  const hasLink = (state: Redis.SentinelState) =>
    !watched.hasty || (state.masterLinkStatus === "ok" && state.masterPort === view.master.port)
  const { master, others, replicas } = view
  const current = watched.servers.find(({ port }) => port === master.port)
  if (current === undefined || !alive.has(current) || !isSound(master)) {
    return `its master ${Deployment.nameOf({ host: master.ip, port: master.port })} is not up`
  }
  for (const server of watched.servers.filter((server) => server !== current)) {
    const state = replicas.find(({ port }) => port === server.port)
    const name = Deployment.nameOf(server)
    if (!alive.has(server) && state?.isSdown === false) return `it has not noticed that ${name} is down`
    if (alive.has(server) && (state === undefined || !isSound(state) || !hasLink(state))) {
      return `it does not see ${name} as a connected replica`
    }
  }
  for (const sentinel of watched.sentinels.filter((sentinel) => sentinel !== self)) {
    const state = others.find(({ port }) => port === sentinel.port)
    if (!alive.has(sentinel) && state?.isSdown === false) {
      return `it has not noticed that the Sentinel ${Deployment.nameOf(sentinel)} is down`
    }
    if (alive.has(sentinel) && (state === undefined || !isSound(state))) {
      return `it has no sound link to the Sentinel ${Deployment.nameOf(sentinel)}`
    }
  }
  return undefined
}

/** The port of the master as a Sentinel sees it, once the Sentinel's view has no fault. */
const look = (watched: Watched, sentinel: Server, alive: ReadonlySet<Server>) =>
  Effect.gen(function*() {
    const [master, replicas, others] = yield* Redis.pipeline([
      Redis.sentinelMaster(watched.service),
      // The newer name of the command is not known to every Sentinel.
      Redis.sentinelSlaves(watched.service),
      Redis.sentinelSentinels(watched.service)
    ])
    const fault = faultIn({ master, replicas, others }, watched, sentinel, alive)
    return fault === undefined
      ? master.port
      : yield* Deployment.notYet(`the Sentinel ${Deployment.nameOf(sentinel)}: ${fault}`)
  }).pipe(atSentinel(watched, sentinel))

/** Whether a server has its expected role: the master, or a replica that is connected to the master. */
const checkRole = (watched: Pick<Watched, "password">, server: Server, masterPort: number) =>
  Effect.gen(function*() {
    const role = yield* Redis.role()
    const right = server.port === masterPort
      ? role.role === "master"
      : role.role === "slave" && role.port === masterPort && role.state === "connected"
    if (!right) return yield* Deployment.notYet(`${Deployment.nameOf(server)} has not found its role`)
  }).pipe(atServer(watched, server))

const lookAll = Effect.fnUntraced(function*(watched: Watched) {
  const servers = yield* running(watched.servers)
  const sentinels = yield* running(watched.sentinels)
  const alive = new Set([...servers, ...sentinels])
  const ports = yield* Effect.forEach(sentinels, (sentinel) => look(watched, sentinel, alive), {
    concurrency: "unbounded"
  })
  const [port, ...others] = new Set(ports)
  if (port === undefined) return yield* Deployment.notYet("no Sentinel is running")
  if (others.length > 0) return yield* Deployment.notYet("the Sentinels do not agree on the master")
  yield* Effect.forEach(servers, (server) => checkRole(watched, server, port), { concurrency: "unbounded" })
})

/** Waits until all running servers and Sentinels have no fault, and agree. */
export const settled = (watched: Watched): Effect.Effect<void, RedisServerError> =>
  Deployment.eventually("Waiting for the Sentinels to settle", watched.timeout, lookAll(watched))

/**
 * Waits until a replica has its master's data. A Sentinel that is started before that may learn of it ten seconds
 * later.
 */
export const replicating = (
  replica: Server,
  master: Server,
  watched: Pick<Watched, "password" | "timeout">
): Effect.Effect<void, RedisServerError> =>
  Deployment.eventually("Starting a replica", watched.timeout, checkRole(watched, replica, master.port))

/** The replies of the servers that answer. */
const answers = <A>(servers: ReadonlyArray<Server>, ask: (server: Server) => Effect.Effect<A, unknown>) =>
  Effect.flatMap(
    running(servers),
    (servers) =>
      Effect.forEach(servers, (server) =>
        ask(server).pipe(
          Effect.map((answer) => ({ server, answer })),
          Effect.orElseSucceed(() => undefined)
        ), {
        concurrency: "unbounded"
      })
  ).pipe(Effect.map((found) => found.filter((answer) => answer !== undefined)))

const findMaster = Effect.fnUntraced(function*(watched: Watched) {
  const roles = yield* answers(watched.servers, (server) => atServer(watched, server)(Redis.role()))
  const named = yield* answers(
    watched.sentinels,
    (sentinel) => atSentinel(watched, sentinel)(Redis.sentinelGetMasterAddrByName(watched.service))
  )
  const candidates = roles.filter(({ answer }) => answer.role === "master").map(({ server }) => server)
  const [master, ...others] = named.length === 0
    ? candidates
    : candidates.filter(({ port }) => named.filter(({ answer }) => answer?.port === port).length > named.length / 2)
  return master === undefined || others.length > 0
    ? yield* Deployment.notYet("no running master is agreed on")
    : master
})

/** The server that reports itself as master and that most of the answering Sentinels name. */
export const masterOf = (watched: Watched): Effect.Effect<Server, RedisServerError> =>
  Deployment.eventually("Finding the master", watched.timeout, findMaster(watched))

const failOver = Effect.fnUntraced(function*(watched: Watched, before: Server) {
  const isOver = Effect.map(findMaster(watched), (master) => master !== before)
  // An earlier attempt that timed out here may have succeeded since.
  if (yield* isOver) return
  const [sentinel] = yield* running(watched.sentinels)
  if (sentinel === undefined) return yield* Deployment.notYet("no Sentinel is running")
  yield* atSentinel(watched, sentinel)(Redis.sentinelFailover(watched.service))
  yield* Deployment.untilOver(
    Effect.flatMap(isOver, (over) => over ? Effect.void : Deployment.notYet("it is under way"))
  )
})

/**
 * Demotes the old master. The Sentinels would do this too, but only after some seconds. When they do, they close the
 * connections to it, this one as well, so it is tried again.
 */
const demote = Effect.fnUntraced(function*(watched: Watched, before: Server) {
  const { host, port } = yield* masterOf(watched)
  const attempt = atServer(watched, before)(Redis.replicaof(host, port))
  yield* Deployment.eventually("Demoting the old master", watched.timeout, attempt)
})

/** Makes a replica the master, and waits until all have settled. */
export const failover = Effect.fnUntraced(function*(watched: Watched) {
  const before = yield* masterOf(watched)
  yield* Deployment.eventually("The failover", watched.timeout, failOver(watched, before))
  yield* demote(watched, before)
  yield* settled(watched)
})
