/**
 * The errors of a cluster that a single server's client does not know, and what is said of errors of others.
 */
import { ClusterDownError, connectionLoss, CrossSlotError } from "@redfx/core/RedisError"
import type { CommandError, TransactionError } from "@redfx/core/RedisError"
import { errorOf, present, stackless } from "@redfx/core/unstable/Runtime"
import type * as Exit from "effect/Exit"

/** The words for a failure, without its meaning for the command: the error of all tries says that once. */
export const saidBy = (error: CommandError): string => {
  const at = "address" in error && error.address !== undefined ? ` at ${error.address}` : ""
  switch (error._tag) {
    case "ConnectionError":
      return `${error.detail}${at}`
    case "TimeoutError":
      return `no answer${at} within ${error.milliseconds} ms${error.detail === undefined ? "" : `; ${error.detail}`}`
    default:
      return error.message.replace(/\.$/, "")
  }
}

/** The error of a command that was tried while the cluster was down. */
export const clusterDown = (fields: ConstructorParameters<typeof ClusterDownError>[0]): ClusterDownError =>
  stackless(() => new ClusterDownError(fields))

/**
 * Gives an error the class of the cluster's own errors, which a single server's client does not know. An error that a
 * script may have made up keeps its class, and so does one that tells what of a transaction has run.
 */
export const typed = <E extends TransactionError>(error: E): E | CommandError => {
  if (error._tag !== "ResponseError" || error.mayHaveWritten === true || error.partial !== undefined) return error
  const { address, code, command, detail, index } = error
  switch (code) {
    case "CLUSTERDOWN":
    case "MASTERDOWN":
      return clusterDown({ code, detail, command, attempts: 1, ...present({ address, index }) })
    case "CROSSSLOT":
      return stackless(() => new CrossSlotError({ command, ...present({ index }) }))
    default:
      return error
  }
}

/** The error that a reading of the topology failed with. */
export const lossIn = ({ cause }: Exit.Failure<unknown, CommandError>): CommandError =>
  errorOf(cause) ?? connectionLoss("Other", "The client failed to read the topology", undefined, cause)
