/**
 * PEM that is given as such, or by the path of a file.
 */
import * as Effect from "effect/Effect"
import { constants } from "node:fs"
import { open } from "node:fs/promises"

/** More than any certificate store: a larger file is not PEM. */
const longest = 16 * 1024 * 1024

class NoPem {
  readonly code: string

  constructor(code: string) {
    this.code = code
  }
}

/**
 * Without waiting for a pipe that nobody writes to: opening it would keep one of the few threads that Node has for files
 * and for names, whoever gives up on it.
 */
const readFile = async (path: string, signal: AbortSignal): Promise<string> => {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new NoPem("it is no file")
    if (stat.size > longest) throw new NoPem("it is too large")
    return await file.readFile({ encoding: "utf8", signal })
  } finally {
    await file.close()
  }
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? ` (${String(cause.code)})` : ""

/** The contents of PEM, if any is given; each dial reads a file anew, as it may have been renewed. */
export const pem = <Text extends string | undefined>(option: string, textOrPath: Text): Effect.Effect<Text, Error> =>
  textOrPath === undefined || textOrPath.includes("-----BEGIN ")
    ? Effect.succeed(textOrPath)
    // The contents are text, as the path is.
    : read(option, textOrPath) as Effect.Effect<Text, Error>

const read = (option: string, path: string): Effect.Effect<string, Error> =>
  Effect.tryPromise({
    try: (signal) => readFile(path, signal),
    // Without the text, and Node's error that shows it: it may be a key that is no PEM.
    catch: (cause) =>
      Object.assign(
        new Error(`The TLS option ${option} is neither PEM nor the path of a file that can be read${codeOf(cause)}`),
        { code: "ERR_TLS_FILE" }
      )
  })
