/**
 * The nodes of a cluster: what each of them sees, and when all see the same.
 */
import * as Redis from "@redfx/core/Redis"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { RedisServerError } from "../RedisServer.ts"
import * as Deployment from "./deployment.ts"
import type { Server } from "./deployment.ts"

/** A server and its id in the cluster. */
export interface Member {
  readonly id: string
  readonly server: Server
}

/** - `overTls`: whether the nodes talk to each other by TLS. */
export interface Cluster {
  readonly members: ReadonlyArray<Member>
  readonly password: Redacted.Redacted<string> | undefined
  readonly timeout: Duration.Input
  readonly overTls: boolean
}

export const at = (cluster: Cluster, member: Member) => Deployment.at(member.server, cluster.password)

export const surelyAt = (what: string, cluster: Cluster, member: Member) =>
  Deployment.surelyAt(what, member.server, cluster.password)

export const running = (cluster: Cluster): Effect.Effect<ReadonlyArray<Member>> =>
  Effect.filter(cluster.members, ({ server }) => Deployment.isRunning(server))

/** The member for a server. */
export const memberOf = (cluster: Cluster, server: Server): Effect.Effect<Member, RedisServerError> => {
  const found = cluster.members.find((member) => member.server === server)
  return found === undefined
    ? Effect.fail(
      new RedisServerError({ reason: "Other", detail: `${Deployment.nameOf(server)} is no node of this cluster` })
    )
    : Effect.succeed(found)
}

/** What one node reports. */
interface View {
  readonly state: string
  readonly nodes: ReadonlyArray<Redis.ClusterNode>
  readonly slots: ReadonlyArray<Redis.ClusterSlotsRange>
  readonly role: Redis.ServerRole
}

const troubles = ["handshake", "noaddr", "fail", "fail?"]

const isHealthy = ({ connected, flags }: Redis.ClusterNode): boolean =>
  connected && !troubles.some((flag) => flags.has(flag))

/** What differs between the view of a node and the actual cluster, if anything. */
const faultIn = (view: View, cluster: Cluster, alive: ReadonlySet<Member>): string | undefined => {
  for (const member of cluster.members) {
    const name = Deployment.nameOf(member.server)
    const node = view.nodes.find(({ id }) => id === member.id)
    if (node === undefined) return `it does not know ${name}`
    if (alive.has(member) && !isHealthy(node)) return `it has no sound link to ${name}`
    if (!alive.has(member) && !node.flags.has("fail")) return `it has not noticed that ${name} is down`
  }
  if (view.nodes.length > cluster.members.length) return "a handshake is under way"
  const hidden = hiddenIn(view)
  if (hidden !== undefined) return `it does not tell clients of ${hidden} yet`
  if (view.role.role === "slave" && view.role.state !== "connected") return "it is not connected to its master"
  return view.state === "ok" ? undefined : `its cluster_state is ${view.state}`
}

/**
 * A replica that is up and that CLUSTER SLOTS leaves out. Servers since 7.0 do so until they have heard that something was
 * replicated to it, which comes after all the rest.
 */
const hiddenIn = ({ nodes, slots }: View): string | undefined => {
  const shown = new Set(slots.flatMap(({ replicas }) => replicas.map(({ id }) => id)))
  const serving = new Set(slots.map(({ master }) => master.id))
  const hidden = nodes.find((node) => isHealthy(node) && serving.has(node.masterId) && !shown.has(node.id))
  return hidden === undefined ? undefined : `the replica ${hidden.id}`
}

/** Which node replicates which, and which slots each node owns, for the nodes that are not down. */
const pictureOf = ({ nodes }: View): string =>
  nodes.filter(isHealthy)
    .map(({ id, masterId, slots }) => [id, masterId ?? "-", ...slots.map(({ end, start }) => `${start}-${end}`)])
    .map((words) => words.join(" ")).sort().join("\n")

const viewOf = (cluster: Cluster, member: Member) =>
  at(cluster, member)(Effect.map(
    Redis.pipeline([Redis.clusterInfo(), Redis.clusterNodes(), Redis.clusterSlots(), Redis.role()]),
    ([{ clusterState }, nodes, slots, role]): View => ({ state: clusterState, nodes, slots, role })
  ))

/** Queries all running nodes once. */
const look = Effect.fnUntraced(function*(cluster: Cluster) {
  const alive = yield* running(cluster)
  const pictures = yield* Effect.forEach(alive, (member) =>
    Effect.flatMap(viewOf(cluster, member), (view) => {
      const fault = faultIn(view, cluster, new Set(alive))
      return fault === undefined
        ? Effect.succeed(pictureOf(view))
        : Deployment.notYet(`${Deployment.nameOf(member.server)}: ${fault}`)
    }), { concurrency: "unbounded" })
  if (new Set(pictures).size > 1) return yield* Deployment.notYet("the nodes do not agree on their roles and slots")
})

/** Waits until no running node has a fault, and all see the same cluster. */
export const settled = (cluster: Cluster): Effect.Effect<void, RedisServerError> =>
  Deployment.eventually("Waiting for the cluster to settle", cluster.timeout, look(cluster))

/** A node with its own line of CLUSTER NODES; `undefined` when it does not answer. */
const selfOf = (cluster: Cluster, member: Member) =>
  at(cluster, member)(Redis.clusterNodes()).pipe(
    Effect.map((nodes) => {
      const node = nodes.find(({ id }) => id === member.id)
      return node === undefined ? undefined : { member, node }
    }),
    Effect.orElseSucceed(() => undefined)
  )

const slotOf = (cluster: Cluster, key: string) =>
  Deployment.eventually(
    "Finding the slot of a key",
    cluster.timeout,
    Effect.gen(function*() {
      const [member] = yield* running(cluster)
      return member === undefined
        ? yield* Deployment.notYet("no node is running")
        : yield* at(cluster, member)(Redis.clusterKeyslot(key))
    })
  )

/** The node that reports itself as the owner of a slot. A former master that came back too late has the lower epoch. */
export const ownerOf = Effect.fnUntraced(function*(cluster: Cluster, slotOrKey: number | string) {
  const slot = typeof slotOrKey === "number" ? slotOrKey : yield* slotOf(cluster, slotOrKey)
  const find = Effect.gen(function*() {
    const selves = yield* Effect.forEach(yield* running(cluster), (member) => selfOf(cluster, member), {
      concurrency: "unbounded"
    })
    const [owner] = selves.filter((self) => self !== undefined)
      .filter(({ node }) => node.slots.some(({ end, start }) => start <= slot && slot <= end))
      .sort((one, other) => other.node.configEpoch - one.node.configEpoch)
    return owner === undefined ? yield* Deployment.notYet("no running node owns it") : owner.member
  })
  return yield* Deployment.eventually(`Finding the owner of slot ${slot}`, cluster.timeout, find)
})

/** The replicas of a node that are not known to be down, as the node itself sees them. */
export const replicasOf = Effect.fnUntraced(function*(cluster: Cluster, master: Member) {
  const nodes = yield* surelyAt("Asking for replicas", cluster, master)(Redis.clusterNodes())
  const ids = new Set(nodes.filter((node) => node.masterId === master.id && isHealthy(node)).map(({ id }) => id))
  return cluster.members.filter(({ id }) => ids.has(id))
})

const isMaster = Effect.gen(function*() {
  const { role } = yield* Redis.role()
  if (role !== "master") return yield* Deployment.notYet("it is still a replica")
})

const promote = Effect.gen(function*() {
  const role = yield* Redis.role()
  if (role.role === "master") return
  // Redis 6.0 takes an offset of 0 to mean that it has not been told one yet, and then fails over only after a PING.
  if (role.role === "slave" && role.offset === 0) return yield* Deployment.notYet("nothing has been replicated so far")
  yield* Redis.clusterFailover()
  yield* Deployment.untilOver(isMaster)
})

/**
 * Makes a replica the master of its slots, with the consent of the master. One that has won may be a replica again when the
 * nodes have come to agree, where its epoch met that of a slot which had just moved: so it is asked once more.
 */
export const failover = (cluster: Cluster, replica: Member): Effect.Effect<void, RedisServerError> =>
  Deployment.eventually(
    "The failover",
    cluster.timeout,
    Effect.andThen(at(cluster, replica)(promote), Effect.andThen(look(cluster), at(cluster, replica)(isMaster)))
  )
