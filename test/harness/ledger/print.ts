/**
 * Prints programs, and what is wrong with them, for people.
 */
import type { Fault } from "./faults.ts"
import type { Command, Effect, Event, Interruption, Program, Step } from "./program.ts"
import type { Cut } from "./proxy.ts"

const command = (value: Command): string => {
  const { c, ...rest } = value
  const details = Object.values(rest)
  return details.length === 0 ? c : `${c}(${details.join(", ")})`
}

const commands = (values: ReadonlyArray<Command>): string => `[${values.map(command).join(", ")}]`

const effect = (value: Effect): string => {
  switch (value.e) {
    case "one":
      return command(value.command)
    case "pipeline":
    case "transaction":
      return `${value.e}${value.settled ? " settled" : ""} ${commands(value.commands)}`
    case "watch": {
      const inside = value.inside === "nothing" ? "" : `, ${value.inside} inside`
      return `watch(${value.slot}) body ${commands(value.body)}${inside}${
        value.meddle ? ", key changed meanwhile" : ""
      }, commit ${commands(value.commit)}`
    }
    case "session":
      return `session ${commands(value.commands)}, left with ${value.leave}`
    case "lock":
      return `lock(${value.slot})${value.fencing ? " with fencing" : ""} ${commands(value.body)}`
    case "keyspace":
      return `keyspace ${value.kind}(${value.slot})`
    case "publish":
      return "publish"
    case "subscribe":
    case "consume":
      return `${value.e} for ${value.ms} ms`
  }
}

const interruption = (value: Interruption): string => {
  switch (value.after) {
    case "reply":
      return `, interrupted just ${value.side} reply ${value.count + 1}`
    case "step":
      return ", interrupted as another step ends"
    default:
      return `, interrupted after ${value.count} ${value.after}`
  }
}

const step = ({ effect: what, interruption: when, pause, recipe }: Step): string =>
  [
    pause > 0 ? `after ${pause} ms ` : "",
    effect(what),
    recipe === "none" ? "" : `, retried while ${recipe === "safe" ? "isSafeToRetry" : "isRetryable"}`,
    when === undefined ? "" : interruption(when)
  ].join("")

const fault = ({ at, kind }: Fault): string => {
  const { _tag, ...details } = kind
  const of = at.of === "data" ? "command" : at.of === "setup" ? "command of a handshake" : at.of
  return `${_tag}${Object.entries(details).map(([name, value]) => ` ${name}=${value}`).join("")} at ${of} number ${
    at.nth + 1
  }`
}

const cut = ({ bytes, connection, direction, how, ms }: Cut): string =>
  `${how}${how === "stall" ? ` for ${ms} ms` : ""} of connection ${connection + 1} after ${bytes} bytes ${direction}`

const event = ({ at, kind, which }: Event): string => `${kind} (${which}) after ${at} ms`

/** A program, line by line. */
export const program = ({ cuts, deployment, events, faults, fibers, seed, settings }: Program): string => {
  const options = Object.entries(settings).filter(([, value]) => value !== undefined)
  return [
    `${deployment}, latencies ${seed}, ${options.map(([name, value]) => `${name} ${value}`).join(", ")}`,
    ...fibers.flatMap((steps, index) => steps.map((each, number) => `  ${index + 1}.${number + 1} ${step(each)}`)),
    ...faults.map((each) => `  fault: ${fault(each)}`),
    ...cuts.map((each) => `  cut: ${cut(each)}`),
    ...events.map((each) => `  event: ${event(each)}`)
  ].join("\n")
}
