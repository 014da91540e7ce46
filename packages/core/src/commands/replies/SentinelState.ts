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
 * - `runid`: empty until the Sentinel has reached it. `flags`: such as `master`, `slave`, `sentinel`, `s_down`,
 *   `o_down`.
 * - `isMaster`, `isSlave`, `isSentinel`: its role. `isDisconnected`: the Sentinel has no connection to it.
 * - `isSdown`: it is down for this Sentinel. `isOdown`: it is down for enough Sentinels. `isMasterDown`: its master is
 *   down.
 * - `lastPingSent`, `lastOkPingReply`, `lastPingReply`, `infoRefresh`, `roleReportedTime`, `lastHelloMessage`,
 *   `sDownTime`, `oDownTime`: milliseconds since then. `masterLinkDownTime`, `downAfterMilliseconds`,
 *   `failoverTimeout`: milliseconds.
 * - `extra`: fields that this type does not know, by the server's names, and numbers that JavaScript cannot hold
 *   exactly.
 *
 * @category sentinel
 * @since 0.1.0
 */
export interface SentinelState {
  readonly name: string
  readonly ip: string
  readonly port: number
  readonly runid: string
  readonly flags: ReadonlySet<string>
  readonly isMaster: boolean
  readonly isSlave: boolean
  readonly isSdown: boolean
  readonly isOdown: boolean
  readonly isSentinel: boolean
  readonly isDisconnected: boolean
  readonly isMasterDown: boolean
  readonly canFailoverItsMaster?: number
  readonly configEpoch?: number
  readonly downAfterMilliseconds?: number
  readonly failoverTimeout?: number
  readonly infoRefresh?: number
  readonly lastHelloMessage?: number
  readonly lastOkPingReply?: number
  readonly lastPingReply?: number
  readonly lastPingSent?: number
  readonly linkPendingCommands?: number
  readonly linkRefcount?: number
  readonly masterHost?: string
  readonly masterLinkDownTime?: number
  readonly masterLinkStatus?: string
  readonly masterPort?: number
  readonly numOtherSentinels?: number
  readonly numSlaves?: number
  readonly oDownTime?: number
  readonly parallelSyncs?: number
  readonly pendingCommands?: number
  readonly quorum?: number
  readonly replicaAnnounced?: number
  readonly roleReported?: string
  readonly roleReportedTime?: number
  readonly sDownTime?: number
  readonly slavePriority?: number
  readonly slaveReplOffset?: number
  readonly votedLeader?: string
  readonly votedLeaderEpoch?: number
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
