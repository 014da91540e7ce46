/**
 * What Sentinels return about the servers and Sentinels that they watch.
 *
 * @since 0.1.0
 */
import { exactInteger } from "../../internal/reply/exactInteger.ts"
import * as Reply from "../../RedisReply.ts"

/**
 * A server or Sentinel as a Sentinel sees it. A field that the Sentinel does not send for it is `undefined`.
 *
 * @category sentinel
 * @since 0.1.0
 */
export interface SentinelState {
  /** The name: of a master that of its service, of others their address or id. */
  readonly name: string
  /** The IP address, or the host name. */
  readonly ip: string
  /** The port for clients. */
  readonly port: number
  /** The id of its run; empty until the Sentinel has reached it. */
  readonly runid: string
  /** Such as `master`, `slave`, `sentinel`, `s_down`, `o_down`. */
  readonly flags: ReadonlySet<string>
  /** Whether it is a master. */
  readonly isMaster: boolean
  /** Whether it is a replica. */
  readonly isSlave: boolean
  /** Whether it is down for this Sentinel. */
  readonly isSdown: boolean
  /** Whether it is down for enough Sentinels. */
  readonly isOdown: boolean
  /** Whether it is a Sentinel. */
  readonly isSentinel: boolean
  /** Whether the Sentinel has no connection to it. */
  readonly isDisconnected: boolean
  /** Whether it is a Sentinel and says that the master is down. */
  readonly isMasterDown: boolean
  /** The server's field `can-failover-its-master`: 1 for yes. */
  readonly canFailoverItsMaster?: number
  /** The epoch of the failover that made it the master: of two Sentinels the one with the higher epoch knows better. */
  readonly configEpoch?: number
  /** Milliseconds of silence after which it counts as down. */
  readonly downAfterMilliseconds?: number
  /** Milliseconds that a failover may take. */
  readonly failoverTimeout?: number
  /** Milliseconds since the last answer to INFO. */
  readonly infoRefresh?: number
  /** Milliseconds since the last message of this Sentinel. */
  readonly lastHelloMessage?: number
  /** Milliseconds since the last good answer to PING. */
  readonly lastOkPingReply?: number
  /** Milliseconds since the last answer to PING. */
  readonly lastPingReply?: number
  /** Milliseconds since a PING that was not answered so far, 0 when there is none. */
  readonly lastPingSent?: number
  /** How many commands of the Sentinel wait for an answer. */
  readonly linkPendingCommands?: number
  /** How many masters the connection is for: one to another Sentinel serves all masters that both watch. */
  readonly linkRefcount?: number
  /** The host of its master. */
  readonly masterHost?: string
  /** Milliseconds for which the link to its master has been down, 0 while it is up. */
  readonly masterLinkDownTime?: number
  /** The state of the link to its master: `ok` or `err`. */
  readonly masterLinkStatus?: string
  /** The port of its master. */
  readonly masterPort?: number
  /** How many other Sentinels watch the master. */
  readonly numOtherSentinels?: number
  /** How many replicas the master has. */
  readonly numSlaves?: number
  /** Milliseconds since it is down for enough Sentinels. */
  readonly oDownTime?: number
  /** How many replicas follow a new master at the same time. */
  readonly parallelSyncs?: number
  /** How many commands of the Sentinel wait for an answer, by the name of older servers. */
  readonly pendingCommands?: number
  /** How many Sentinels have to agree that the master is down. */
  readonly quorum?: number
  /** Whether the replica is announced to clients: 1 for yes, 0 for no. */
  readonly replicaAnnounced?: number
  /** The role that it reports itself. */
  readonly roleReported?: string
  /** Milliseconds since it reports that role. */
  readonly roleReportedTime?: number
  /** Milliseconds since it is down for this Sentinel. */
  readonly sDownTime?: number
  /** The priority of the replica at a failover; a lower one is preferred, and 0 never becomes a master. */
  readonly slavePriority?: number
  /** How many bytes of the replication stream the replica has received. */
  readonly slaveReplOffset?: number
  /** The id of the Sentinel that it has voted for, `?` for none. */
  readonly votedLeader?: string
  /** The epoch of that vote. */
  readonly votedLeaderEpoch?: number
  /** Fields that this type does not know, by the server's names, and numbers that JavaScript cannot hold exactly. */
  readonly extra: Readonly<Record<string, string>>
}

type Field<T> = { [K in keyof SentinelState]-?: Required<SentinelState>[K] extends T ? K : never }[keyof SentinelState]

const numberFields: Readonly<Record<Field<number>, true>> = {
  port: true,
  canFailoverItsMaster: true,
  configEpoch: true,
  downAfterMilliseconds: true,
  failoverTimeout: true,
  infoRefresh: true,
  lastHelloMessage: true,
  lastOkPingReply: true,
  lastPingReply: true,
  lastPingSent: true,
  linkPendingCommands: true,
  linkRefcount: true,
  masterLinkDownTime: true,
  masterPort: true,
  numOtherSentinels: true,
  numSlaves: true,
  oDownTime: true,
  parallelSyncs: true,
  pendingCommands: true,
  quorum: true,
  replicaAnnounced: true,
  roleReportedTime: true,
  sDownTime: true,
  slavePriority: true,
  slaveReplOffset: true,
  votedLeaderEpoch: true
}

const textFields: Readonly<Record<Field<string>, true>> = {
  name: true,
  ip: true,
  runid: true,
  masterHost: true,
  masterLinkStatus: true,
  roleReported: true,
  votedLeader: true
}

const booleans = (flags: ReadonlySet<string>) => ({
  isMaster: flags.has("master"),
  isSlave: flags.has("slave"),
  isSdown: flags.has("s_down"),
  isOdown: flags.has("o_down"),
  isSentinel: flags.has("sentinel"),
  isDisconnected: flags.has("disconnected"),
  isMasterDown: flags.has("master_down")
})

/** The fields that every Sentinel sends; a reply without them is not a state. */
const requiredFields = ["name", "ip", "port", "runid"] as const

const parseState = (fields: ReadonlyArray<readonly [string, string]>): SentinelState => {
  const state: Record<string, number | string> = {}
  const extra: Record<string, string> = Object.create(null)
  const flags = new Set<string>()
  for (const [wire, value] of fields) {
    const name = wire.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const number = Object.hasOwn(numberFields, name) ? exactInteger(value) : undefined
    if (name === "flags") value.split(",").forEach((flag) => flags.add(flag))
    else if (number !== undefined) state[name] = number
    else if (Object.hasOwn(textFields, name)) state[name] = value
    else extra[wire] = value
  }
  const missing = requiredFields.filter((name) => state[name] === undefined)
  if (missing.length > 0) return Reply.mismatch(`a state with ${missing.join(", ")}`, null)
  // The required fields are present, and each field has the type that the table gives it.
  return { ...state, flags, ...booleans(flags), extra } as unknown as SentinelState
}

/**
 * A state as SENTINEL MASTER describes it.
 *
 * @category decoders
 * @since 0.1.0
 */
export const sentinelState: Reply.Reply<SentinelState> = Reply.map(Reply.pairs(Reply.text, Reply.text), parseState)

/**
 * States as SENTINEL REPLICAS describes them.
 *
 * @category decoders
 * @since 0.1.0
 */
export const sentinelStates: Reply.Reply<ReadonlyArray<SentinelState>> = Reply.array(sentinelState)

/**
 * States by name, as SENTINEL MASTERS describes them.
 *
 * @category decoders
 * @since 0.1.0
 */
export const sentinelStatesByName: Reply.Reply<ReadonlyMap<string, SentinelState>> = Reply.map(
  sentinelStates,
  (states) => new Map(states.map((state) => [state.name, state]))
)
