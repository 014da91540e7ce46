/**
 * Finds the error that an error reply stands for.
 */
import { ErrorReply } from "../../RespValue.ts"
import { AuthenticationError, BusyLoadingError, ConnectionError } from "./connection.ts"
import { present } from "./present.ts"
import { printable } from "./printable.ts"
import {
  NoPermissionError,
  NoScriptError,
  OutOfMemoryError,
  ReadOnlyError,
  ResponseError,
  WrongTypeError
} from "./response.ts"
import { stackless } from "./stackless.ts"
import type { CommandError } from "./union.ts"

/**
 * What is known about a command whose reply is an error.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyContext {
  /** The name of the command. */
  readonly command: string
  /** Arguments that must not be shown when the server quotes them. */
  readonly secrets?: ReadonlyArray<string> | undefined
  /** The address of the server. */
  readonly address?: string | undefined
  /** The position of the command in its pipeline or transaction. */
  readonly index?: number | undefined
  /** Whether it runs code that can make up any error, and may have written before it did. */
  readonly runsCode?: boolean | undefined
}

type ReplyFields = Pick<ResponseError, "code" | "detail" | "command"> & {
  readonly address?: string
  readonly index?: number
  readonly mayHaveWritten?: boolean
}

/** The codes of errors that come after something was written: the target of a MIGRATE may have the key. */
const belated: ReadonlySet<string> = new Set(["IOERR"])

/**
 * Removes the secrets from the text of an error. Servers quote the arguments of a command that they do not know, and
 * some arguments of those that they do know: `ERR Error in ACL SETUSER modifier '>password'`, `ERR Invalid argument
 * 'password' for CONFIG SET`, `ERR unknown subcommand 'password'`.
 */
const withoutArguments = (detail: string, secrets: ReadonlyArray<string>): string => {
  const quoted = detail.indexOf(", with args beginning with")
  return secrets.reduce(withoutSecret, quoted < 0 ? detail : detail.slice(0, quoted))
}

/** Removes a secret where it is a whole word: a secret such as `on` must not make holes in other words. */
const withoutSecret = (detail: string, secret: string): string => {
  // Line ends cannot be part of an error, so servers replace them by spaces.
  const words = secret.replace(/[\r\n]/g, " ")
  if (words === "" || !detail.includes(words)) return detail
  const literally = words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  return detail.replace(new RegExp(`(?<!\\w)${literally}(?!\\w)`, "g"), "<redacted>")
}

const inProtectedMode =
  "The server is in protected mode (DENIED): until it has a password, or protected-mode no, it takes connections from its " +
  "own machine only"

/** The error of a client that a server turns away, by words that come for whatever the client has sent first. */
const turnedAway = (
  { address, command, index, mayHaveWritten }: ReplyFields,
  why: { readonly reason: ConnectionError["reason"]; readonly detail: string; readonly permanent?: boolean }
): ConnectionError =>
  new ConnectionError({
    ...why,
    command,
    ...present({ address, index }),
    delivery: mayHaveWritten === true ? "unknown" : "not-sent",
    readonly: false
  })

/** The rules, of which the first match counts. Lines are matched with their code, as the server sent them. */
const rules: ReadonlyArray<readonly [pattern: RegExp, make: (fields: ReplyFields) => CommandError]> = [
  [
    /^ERR max number of clients( \+ cluster connections)? reached/i,
    (fields) =>
      turnedAway(fields, {
        reason: "MaxClients",
        detail: "The server has reached its maximum number of clients; raise its maxclients, or lower pool.max"
      })
  ],
  [
    /^DENIED\b.*\bprotected mode/i,
    (fields) => turnedAway(fields, { reason: "Handshake", detail: inProtectedMode, permanent: true })
  ],
  [
    /^(NOAUTH|WRONGPASS)\b|^ERR (Client sent AUTH, but no password is set|invalid password|AUTH <password> called without any password)/i,
    (fields) => new AuthenticationError(fields)
  ],
  [/^LOADING\b/, (fields) => new BusyLoadingError(fields)],
  // Some modules put a word of their own before the code.
  [
    /^(ERR )?WRONGTYPE\b/,
    (fields) => new WrongTypeError({ ...fields, code: "WRONGTYPE", detail: fields.detail.replace(/^WRONGTYPE /, "") })
  ],
  [/^NOSCRIPT\b/, (fields) => new NoScriptError(fields)],
  [/^READONLY\b/, (fields) => new ReadOnlyError(fields)],
  [/^NOPERM\b/, (fields) => new NoPermissionError(fields)],
  [/^OOM\b/, (fields) => new OutOfMemoryError(fields)]
]

/**
 * What servers before 7.0 put around the error of a command that a script has run. Newer ones answer with that error, and put
 * the script behind it. What is refused before the command runs begins with a place and a minus, and what the command itself
 * answers with begins with its code.
 */
const raised = /^ERR Error running script \(call to f_(\w+)\): (@\w+:\d+): (?:(?:@\w+: ?\d+: )?-|(?=[A-Z]+ ))(.+)$/

/** The error reply as servers since 7.0 give it. */
export const asSinceSeven = (error: ErrorReply): ErrorReply => {
  const found = raised.exec(error.line)
  return found === null ? error : new ErrorReply(`${found[3]} script: ${found[1]}, on ${found[2]}.`)
}

/**
 * Makes the error that an error reply stands for.
 *
 * **Details**
 *
 * Redirects and the cluster's own states (`MOVED`, `ASK`, `TRYAGAIN`,
 * `CLUSTERDOWN`, `MASTERDOWN`, `CROSSSLOT`) are `ResponseError`s here; the
 * Cluster Layer reads their codes before. So is `EXECABORT`, of which a
 * transaction makes its `ExecAbortError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromReply = (error: ErrorReply, context: ReplyContext): CommandError => {
  const line = error.line
  const code = error.code
  const fields: ReplyFields = {
    // A person who can name a key or write a script can influence what servers say, and that must not reach terminals
    // unescaped.
    code: printable(code),
    detail: printable(withoutArguments(line.slice(code.length + 1), context.secrets ?? [])),
    command: context.command,
    ...present({ address: context.address, index: context.index }),
    ...(context.runsCode === true || belated.has(code) ? { mayHaveWritten: true } : {})
  }
  return stackless(() => {
    for (const [pattern, make] of rules) {
      if (pattern.test(line)) return make(fields)
    }
    return new ResponseError(fields)
  })
}
