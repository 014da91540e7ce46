/**
 * MONITOR: every command that a server runs, as it runs.
 *
 * @since 0.1.0
 */
import { decodeUtf8Strict, writeUtf8 } from "../../internal/codec/utf8.ts"
import * as Reply from "../../RedisReply.ts"

/**
 * A command that the server has run.
 *
 * @category server
 * @since 0.1.0
 */
export interface MonitorEvent {
  /** Unix seconds with a fraction. */
  readonly time: number
  /** The database in which the command ran. */
  readonly db: number
  /** Whether the command came over the network, over a unix socket, or from a script. */
  readonly clientType: "tcp" | "unix" | "lua"
  /** The address, or the path of the socket. */
  readonly clientAddress: string | undefined
  /** The port, if there is one. */
  readonly clientPort: number | undefined
  /** The name and the arguments as one text. */
  readonly command: string
  /** The name and the arguments. One that is not UTF-8 is as the server shows it, with `\x92` for a byte. */
  readonly args: ReadonlyArray<string>
}

/**
 * Reads a line that a server sends after MONITOR.
 *
 * @category server
 * @since 0.1.0
 */
export const monitorEvent: Reply.Reply<MonitorEvent> = Reply.make((value, view) => {
  const line = Reply.text.decode(value, view)
  const head = /^(\d+\.\d+) \[(\d+) /.exec(line)
  // The first place at which the client can end. Matching the expression against the whole line would try every other
  // place too.
  const bracket = head === null ? -1 : line.indexOf("] \"", head[0].length)
  if (head === null || bracket < 0 || line.length < bracket + 4 || !line.endsWith("\"")) {
    return Reply.mismatch("a line of MONITOR", value)
  }
  const [prefix, time, db] = head
  const args = argumentsIn(line, bracket + 2)
  const client = line.slice(prefix.length, bracket)
  return { time: Number(time), db: Number(db), ...clientOf(client), command: args.join(" "), args }
})

/** The text between quotes from an index on. A backslash escapes the character after it. */
const argumentsIn = (line: string, start: number): ReadonlyArray<string> => {
  const args: Array<string> = []
  let at = line.indexOf("\"", start)
  while (at >= 0) {
    const from = at + 1
    at = from
    while (at < line.length && line[at] !== "\"") at += line[at] === "\\" ? 2 : 1
    if (at >= line.length) break
    args.push(unescape(line.slice(from, at)))
    at = line.indexOf("\"", at + 1)
  }
  return args
}

const clientOf = (client: string): Pick<MonitorEvent, "clientType" | "clientAddress" | "clientPort"> => {
  if (client === "lua") return { clientType: "lua", clientAddress: undefined, clientPort: undefined }
  if (client.startsWith("unix:")) {
    return { clientType: "unix", clientAddress: client.slice("unix:".length), clientPort: undefined }
  }
  // The last colon, because the address may be an IPv6 address.
  const separator = client.lastIndexOf(":")
  return {
    clientType: "tcp",
    clientAddress: client.slice(0, separator).replace(/^\[(.*)\]$/, "$1"),
    clientPort: Number(client.slice(separator + 1))
  }
}

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8 }

/**
 * The server escapes bytes; two escaped bytes can be one character. An argument may have millions of them. One that is no
 * text stays as it is: keys that are bytes can be told apart.
 */
const unescape = (text: string): string => {
  if (!text.includes("\\")) return text
  const bytes = new Uint8Array(text.length * 3)
  let length = 0
  for (let at = 0, next = 0; at < text.length; at = next) {
    if (text[at] !== "\\") {
      const backslash = text.indexOf("\\", at)
      next = backslash < 0 ? text.length : backslash
      length += writeUtf8(bytes, length, text.slice(at, next))
      continue
    }
    const byte = text[at + 1] === "x" ? byteAt(text, at + 2) : undefined
    next = at + (byte === undefined ? 2 : 4)
    if (at + 1 < text.length) bytes[length++] = byte ?? controls[text[at + 1]!] ?? text.charCodeAt(at + 1)
  }
  return decodeUtf8Strict(bytes, 0, length) ?? text
}

/** The byte that two hexadecimal digits stand for. */
const byteAt = (text: string, at: number): number | undefined => {
  const digits = text.slice(at, at + 2)
  return /^[\da-f]{2}$/i.test(digits) ? Number.parseInt(digits, 16) : undefined
}
