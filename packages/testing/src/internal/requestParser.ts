/**
 * Reads requests as a server does: arrays of bulk strings, and inline commands.
 */
// What a request begins with is data, also where it could be a byte order mark.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** One request. */
export interface Command {
  /** The first word, in upper case. */
  readonly name: string
  /** All words as text, **the name among them**: the key of `GET key` is `args[1]`. */
  readonly args: ReadonlyArray<string>
  /** All words as they came, the name among them. */
  readonly bytes: ReadonlyArray<Uint8Array>
}

const toCommand = (bytes: ReadonlyArray<Uint8Array>): Command => {
  const args = bytes.map((arg) => decoder.decode(arg))
  return { name: (args[0] ?? "").toUpperCase(), args, bytes }
}

/** The line that starts at `offset`, without its end, and where the next one starts. */
const readLine = (buffer: Buffer, offset: number): readonly [string, number] | undefined => {
  const end = buffer.indexOf("\r\n", offset)
  return end === -1 ? undefined : [buffer.toString("latin1", offset, end), end + 2]
}

const readCount = (line: string, kind: string): number => {
  const count = Number(line.slice(1))
  if (line[0] !== kind || !Number.isInteger(count) || count < 0) {
    throw new Error(`not a request: ${JSON.stringify(line)}`)
  }
  return count
}

/** The arguments of a request that starts at `offset`, and where the next one starts. */
const readRequest = (buffer: Buffer, offset: number): readonly [ReadonlyArray<Uint8Array>, number] | undefined => {
  const head = readLine(buffer, offset)
  if (head === undefined) return undefined
  if (!head[0].startsWith("*")) {
    return [head[0].split(" ").filter((word) => word !== "").map((word) => Buffer.from(word, "latin1")), head[1]]
  }
  const args: Array<Uint8Array> = []
  let next = head[1]
  for (let left = readCount(head[0], "*"); left > 0; left--) {
    const line = readLine(buffer, next)
    if (line === undefined) return undefined
    const end = line[1] + readCount(line[0], "$")
    if (buffer.length < end + 2) return undefined
    if (buffer.toString("latin1", end, end + 2) !== "\r\n") throw new Error("not a request: a bulk string has no end")
    args.push(new Uint8Array(buffer.subarray(line[1], end)))
    next = end + 2
  }
  return [args, next]
}

/** A parser for one connection. Throws on bytes that are not a request. */
export const make = (): { readonly push: (chunk: Uint8Array) => Array<Command> } => {
  let rest: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      const buffer = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
      const commands: Array<Command> = []
      let offset = 0
      for (let request = readRequest(buffer, offset); request !== undefined; request = readRequest(buffer, offset)) {
        offset = request[1]
        if (request[0].length > 0) commands.push(toCommand(request[0]))
      }
      rest = buffer.subarray(offset)
      return commands
    }
  }
}
