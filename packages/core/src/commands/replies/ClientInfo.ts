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
 * @category connection
 * @since 0.1.0
 */
export interface ClientInfo {
  /** The id, which is never used twice. */
  readonly id: number
  /** The address and port of the client. */
  readonly addr: string
  /** The file descriptor of its socket on the server. */
  readonly fd: number
  /** The name that CLIENT SETNAME gave it, or empty. */
  readonly name: string
  /** Seconds since it connected. */
  readonly age: number
  /** Seconds since its last command. */
  readonly idle: number
  /** One letter each, such as `N` (nothing special), `b` (blocked), `P` (subscribed), `S` (replica). */
  readonly flags: string
  /** The database that it has selected. */
  readonly db: number
  /** The number of channels that it is subscribed to. */
  readonly sub: number
  /** The number of patterns that it is subscribed to. */
  readonly psub: number
  /** How many commands are queued in its transaction, -1 without one. */
  readonly multi: number
  /** Bytes that have arrived and wait to be read as commands. */
  readonly qbuf: number
  /** Bytes that are free in the buffer for what arrives. */
  readonly qbufFree: number
  /** Bytes in the fixed buffer of replies. */
  readonly obl: number
  /** How many blocks of replies, of 16 KiB or of one long reply, wait to be sent besides the fixed buffer. */
  readonly oll: number
  /** Bytes of memory of these blocks. */
  readonly omem: number
  /** Whether the server waits to read from its socket (`r`), and to write to it (`w`). */
  readonly events: string
  /** Its last command, `NULL` before the first; since Redis 7.0 with its subcommand, as in `client|list`. */
  readonly cmd: string
  /** The address and port of the server's end. */
  readonly laddr?: string
  /** The number of shard channels that it is subscribed to. */
  readonly ssub?: number
  /** How many keys it watches. */
  readonly watch?: number
  /** Bytes of the arguments of a command that is not complete. */
  readonly argvMem?: number
  /** Bytes of the commands that are queued in its transaction. */
  readonly multiMem?: number
  /** The current size of its buffer of replies in bytes. */
  readonly rbs?: number
  /** The greatest size of its buffer of replies of late, in bytes. */
  readonly rbp?: number
  /** All bytes of memory that it takes. */
  readonly totMem?: number
  /** The user that it is authenticated as. */
  readonly user?: string
  /** The id of the client that gets its tracking messages: 0 for itself, -1 while nothing is tracked. */
  readonly redir?: number
  /** The version of the protocol, 2 or 3. */
  readonly resp?: number
  /** What it is capable of, such as `r` for redirects. Valkey only. */
  readonly capa?: string
  /** The name of its library, or empty. */
  readonly libName?: string
  /** The version of its library, or empty. */
  readonly libVer?: string
  /** The number of the thread that reads and writes for it. */
  readonly ioThread?: number
  /** Bytes that it has sent over its lifetime. */
  readonly totNetIn?: number
  /** Bytes that it was sent over its lifetime. */
  readonly totNetOut?: number
  /** Commands that it has run over its lifetime. */
  readonly totCmds?: number
  /** Fields that this type does not know, by the server's names, and numbers that JavaScript cannot hold exactly. */
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

type RequiredField = Exclude<
  { [K in keyof ClientInfo]-?: object extends Pick<ClientInfo, K> ? never : K }[keyof ClientInfo],
  "extra"
>

/** The fields that every server sends; a line without them does not describe a client. */
const requiredFields: Readonly<Record<RequiredField, true>> = {
  id: true,
  addr: true,
  fd: true,
  name: true,
  age: true,
  idle: true,
  flags: true,
  db: true,
  sub: true,
  psub: true,
  multi: true,
  qbuf: true,
  qbufFree: true,
  obl: true,
  oll: true,
  omem: true,
  events: true,
  cmd: true
}

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
  const missing = Object.keys(requiredFields).filter((name) => info[name] === undefined)
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
