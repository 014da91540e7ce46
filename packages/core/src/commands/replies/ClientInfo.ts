/**
 * What servers return about their clients: one line of `name=value` fields for each client.
 *
 * @since 0.1.0
 */
import { exactInteger } from "../../internal/reply/exactInteger.ts"
import * as Reply from "../../RedisReply.ts"

/**
 * A client of the server. Fields that only newer servers send are `undefined` on others.
 *
 * - `id`: never used twice. `addr`: the address and port of the client. `laddr`: those of the server's end.
 * - `name`: the name that CLIENT SETNAME gave it, or empty. `user`: the user it is authenticated as.
 * - `age`, `idle`: seconds since it connected, seconds since its last command.
 * - `flags`: one letter each, such as `N` (nothing special), `b` (blocked), `P` (subscribed), `S` (replica).
 * - `db`: its database. `sub`, `psub`, `ssub`: how many channels, patterns and shard channels it is subscribed to.
 * - `multi`: how many commands are queued in its transaction, -1 without one. `watch`: how many keys it watches.
 * - `qbuf`, `qbufFree`, `argvMem`, `multiMem`, `rbs`, `rbp`, `obl`, `omem`, `totMem`: bytes of memory that it takes.
 * - `oll`: how many replies wait to be sent. `events`: whether the server reads from it (`r`) and writes to it (`w`).
 * - `cmd`: its last command. `redir`: the id of the client that gets its tracking messages. `resp`: 2 or 3.
 * - `totNetIn`, `totNetOut`, `totCmds`: bytes and commands over its lifetime.
 * - `extra`: fields that this type does not know, by the server's names, and numbers that JavaScript cannot hold
 *   exactly.
 *
 * @category connection
 * @since 0.1.0
 */
export interface ClientInfo {
  readonly id: number
  readonly addr: string
  readonly fd: number
  readonly name: string
  readonly age: number
  readonly idle: number
  readonly flags: string
  readonly db: number
  readonly sub: number
  readonly psub: number
  readonly multi: number
  readonly qbuf: number
  readonly qbufFree: number
  readonly obl: number
  readonly oll: number
  readonly omem: number
  readonly events: string
  readonly cmd: string
  readonly laddr?: string
  readonly ssub?: number
  readonly watch?: number
  readonly argvMem?: number
  readonly multiMem?: number
  readonly rbs?: number
  readonly rbp?: number
  readonly totMem?: number
  readonly user?: string
  readonly redir?: number
  readonly resp?: number
  readonly capa?: string
  readonly libName?: string
  readonly libVer?: string
  readonly ioThread?: number
  readonly totNetIn?: number
  readonly totNetOut?: number
  readonly totCmds?: number
  readonly extra: Readonly<Record<string, string>>
}

type NumberField = { [K in keyof ClientInfo]-?: Required<ClientInfo>[K] extends number ? K : never }[keyof ClientInfo]
type TextField = { [K in keyof ClientInfo]-?: Required<ClientInfo>[K] extends string ? K : never }[keyof ClientInfo]

const numberFields: Readonly<Record<NumberField, true>> = {
  id: true,
  fd: true,
  age: true,
  idle: true,
  db: true,
  sub: true,
  psub: true,
  ssub: true,
  multi: true,
  watch: true,
  qbuf: true,
  qbufFree: true,
  argvMem: true,
  multiMem: true,
  rbs: true,
  rbp: true,
  obl: true,
  oll: true,
  omem: true,
  totMem: true,
  redir: true,
  resp: true,
  ioThread: true,
  totNetIn: true,
  totNetOut: true,
  totCmds: true
}

const textFields: Readonly<Record<TextField, true>> = {
  addr: true,
  laddr: true,
  name: true,
  flags: true,
  events: true,
  cmd: true,
  user: true,
  capa: true,
  libName: true,
  libVer: true
}

/** The fields that every server sends; a line without them does not describe a client. */
const requiredFields: ReadonlyArray<keyof ClientInfo> = ["id", "addr", "name", "age", "idle", "flags", "db", "cmd"]

const parseLine = (line: string): ClientInfo => {
  const info: Record<string, string | number> = {}
  const extra: Record<string, string> = Object.create(null)
  // Values, such as the path of a unix socket, may contain spaces; names do not.
  for (const field of line.split(/ (?=[a-z][\w-]*=)/)) {
    const separator = field.indexOf("=")
    if (separator === -1) continue
    const wire = field.slice(0, separator)
    const value = field.slice(separator + 1)
    const name = wire.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const number = Object.hasOwn(numberFields, name) ? exactInteger(value) : undefined
    if (number !== undefined) info[name] = number
    else if (Object.hasOwn(textFields, name)) info[name] = value
    else extra[wire] = value
  }
  const missing = requiredFields.filter((name) => info[name] === undefined)
  if (missing.length > 0) return Reply.mismatch(`a client with ${missing.join(", ")}`, line)
  // The required fields are present, and each field has the type that the table gives it.
  return { ...info, extra } as unknown as ClientInfo
}

/**
 * One client.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clientInfo: Reply.Reply<ClientInfo> = Reply.map(Reply.text, (text) => parseLine(text.trimEnd()))

/**
 * One client per line.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clientList: Reply.Reply<ReadonlyArray<ClientInfo>> = Reply.map(
  Reply.text,
  (text) => text.split("\n").filter((line) => line !== "").map(parseLine)
)
