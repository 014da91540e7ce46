/**
 * Makes one event, such as the loss of a connection, the error of each command that it befell.
 */
import { ConnectionError, TimeoutError } from "./connection.ts"
import { copied } from "./copy.ts"
import type { Delivery } from "./fields.ts"
import { present } from "./present.ts"
import { withFields } from "./retry.ts"
import { stackless } from "./stackless.ts"
import type { CommandError } from "./union.ts"

/**
 * A connection that is lost or cannot be opened, before it is known which commands
 * that befalls. Cheap, as it may befall many.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connectionLoss = (
  reason: ConnectionError["reason"],
  detail: string,
  address?: string,
  cause?: unknown
): ConnectionError =>
  stackless(() =>
    new ConnectionError({
      reason,
      detail,
      delivery: "not-sent",
      readonly: false,
      ...present({ address, cause })
    })
  )

/** The loss of everything that a client has: its Layer was closed. */
export const clientClosed = (address?: string): ConnectionError =>
  connectionLoss("ClientClosed", "The client was closed", address)

interface Facts {
  readonly name: string
  readonly readonly: boolean
}

/** The fields in which the errors of the commands differ that one event befalls. */
const ofCommand = ({ name, readonly }: Facts, delivery: Delivery, index: number | undefined) => ({
  command: name,
  delivery,
  readonly,
  index,
  mayHaveWritten: undefined,
  partial: undefined
})

/**
 * The error of one command: the event with the command's name, whether the server can have run the command, and its
 * index in the caller's pipeline.
 */
export const failureOf = (event: CommandError, command: Facts, delivery: Delivery, index?: number): CommandError => {
  switch (event._tag) {
    case "ConnectionError":
      return copied(event, ofCommand(command, delivery, index))
    case "TimeoutError":
      return copied(event, {
        ...ofCommand(command, delivery, index),
        phase: event.phase === "connect" ? "connect" : delivery === "not-sent" ? "write" : "read"
      })
    case "ProtocolError":
      return withFields(event, {
        delivery,
        mayHaveWritten: delivery === "unknown" && !command.readonly ? true : undefined
      })
    case "DataError":
      return event
    default:
      // These errors keep a connection from being opened. Several callers may wait for it, and each gets an error of its own.
      return withFields(event, {})
  }
}

/**
 * What ended a connection, for the commands whose replies it was not: bytes that are not RESP, or more than the limits
 * allow, belong to the first command that waits. The others have lost their connection.
 */
export const besides = (event: CommandError): CommandError =>
  event._tag === "ProtocolError"
    ? connectionLoss(
      "Other",
      "The client closed the connection over the reply to another command",
      event.address,
      event
    )
    : event

/**
 * Whether a connection ended because the server hung up.
 *
 * @category guards
 * @since 0.1.0
 */
export const isHangUp = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && (error.reason === "Closed" || error.reason === "Reset")

/**
 * The error without a command, for what was no command of the program's: of the program's nothing was sent. Several callers may wait
 * for that, and each gets an error of its own.
 */
export const ofNoCommand = (error: CommandError): CommandError =>
  withFields(
    error,
    error._tag === "ConnectionError" || error._tag === "TimeoutError"
      ? { command: undefined, delivery: "not-sent", readonly: false }
      : error._tag === "ProtocolError"
      ? { delivery: "not-sent", mayHaveWritten: undefined }
      : {}
  )

/** A time limit that has passed, before it is known which commands that befalls. */
export const timeLimit = (
  phase: TimeoutError["phase"],
  milliseconds: number,
  address?: string,
  detail?: string
): TimeoutError =>
  stackless(() =>
    new TimeoutError({
      phase,
      milliseconds,
      delivery: "not-sent",
      readonly: false,
      ...present({ address, detail })
    })
  )
