/**
 * PEM that is given as text, or as the path of a file.
 */
import * as Effect from "effect/Effect"
import * as Builtin from "./builtin.ts"

/** The size limit, above that of any certificate store: a larger file is not PEM. */
const longest = 16 * 1024 * 1024

class NoPem {
  readonly code: string

  constructor(code: string) {
    this.code = code
  }
}

/**
 * Reads a file without waiting for a pipe that nobody writes to. Opening one in the usual way would block one of the
 * few threads that Node has for files and names, even after the caller gave up.
 */
const readFile = async (path: string, signal: AbortSignal): Promise<string> => {
  const { constants, promises } = Builtin.fs()
  const file = await promises.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new NoPem("it is no file")
    if (stat.size > longest) throw new NoPem("it is too large")
    const text = await file.readFile({ encoding: "utf8", signal })
    // Node takes an empty text for none, and would go on without the certificate of the client.
    if (!isPem(text)) throw new NoPem("it holds no PEM")
    return text
  } finally {
    await file.close()
  }
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? ` (${String(cause.code)})` : ""

const isPem = (text: string): boolean => text.includes("-----BEGIN ")

/** The PEM text, if any is given. Each dial reads a file anew, as it may have been renewed. */
export const pem = <Text extends string | undefined>(option: string, textOrPath: Text): Effect.Effect<Text, Error> =>
  textOrPath === undefined || isPem(textOrPath)
    ? Effect.succeed(textOrPath)
    // The contents are text, like the path.
    : read(option, textOrPath) as Effect.Effect<Text, Error>

const read = (option: string, path: string): Effect.Effect<string, Error> =>
  Effect.tryPromise({
    try: (signal) => readFile(path, signal),
    // The error leaves out the given text, and Node's error, which shows it: the text may be a key that is not valid
    // PEM.
    catch: (cause) =>
      Object.assign(
        new Error(`The TLS option ${option} is neither PEM nor the path of a file that can be read${codeOf(cause)}`),
        { code: "ERR_TLS_FILE" }
      )
  })

/** Certificates that have been found to be some, so that not every dial looks at a whole store. */
let known: string | undefined

/**
 * Refuses text without certificates to trust, or with one that cannot be read. Node 26 says nothing of either, and waits
 * for ever for the handshake.
 */
export const certificates = (option: string, text: string): Effect.Effect<string, Error> =>
  Effect.suspend(() => {
    if (text === known) return Effect.succeed(text)
    const blocks = text.match(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g) ?? []
    if (blocks.length === 0 || !blocks.every((block) => block.includes("TRUSTED") || isCertificate(block))) {
      const fault = new Error(`The TLS option ${option} has no certificates, or one that cannot be read`)
      return Effect.fail(Object.assign(fault, { code: "ERR_TLS_FILE" }))
    }
    known = text
    return Effect.succeed(text)
  })

const isCertificate = (block: string): boolean => {
  try {
    return new (Builtin.crypto().X509Certificate)(block).raw.length > 0
  } catch {
    return false
  }
}
