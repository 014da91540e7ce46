/**
 * What a model of the promise says about what everybody was told, and about what was done.
 */
import { RedisError } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { inspect } from "node:util"
import type { Built } from "./commands.ts"
import { mostOf } from "./interpreter.ts"
import type { Env, Heard, Outcome, Try } from "./interpreter.ts"

/**
 * What was done, as the servers know it.
 *
 * - `applied`: how often each write was. `conflicts`: tokens of what a changed key kept from being committed; `undefined`
 *   where the servers do not say. `published`: the messages of a channel in their order.
 * - `queued`: elements that are still in lists. `struck`: how many faults there were; `flushed`: whether one made
 *   servers forget functions; `unasked`: whether one kept the client from learning what functions there are.
 * - `closed`: whether the client was closed under everybody. `isFar`: whether servers are so far away that limits end on the way.
 *   `roomy`: whether the pool has room for all. `demoting`: codes with which a server says that it is no master. `again`: whether what runs out of time is sent once more.
 * - `commandTimeout`: the limit of commands. `late`: how much later something may come. `lag`: how much later than a caller goes
 *   away a server knows of it.
 */
export interface Facts {
  readonly applied: ReadonlyMap<string, number>
  readonly conflicts: ReadonlySet<string> | undefined
  readonly published: ReadonlyArray<string> | undefined
  readonly queued: ReadonlySet<string>
  readonly struck: number
  readonly flushed: boolean
  readonly unasked: boolean
  readonly closed: boolean
  readonly isFar: boolean
  readonly roomy: boolean
  readonly demoting: ReadonlySet<string>
  readonly again: boolean
  readonly commandTimeout: number | undefined
  readonly late: number
  readonly lag: number
}

const errorOf = (outcome: Outcome): RedisError.RedisError | undefined => {
  if (outcome === undefined || Exit.isSuccess(outcome)) return undefined
  const reason = outcome.cause.reasons.find(Cause.isFailReason)
  // Everything that runs fails with errors of the library only.
  return reason?.error as RedisError.RedisError | undefined
}

const isNotSent = (error: RedisError.RedisError): boolean => "delivery" in error && error.delivery === "not-sent"

const said = (outcome: Outcome): string =>
  outcome === undefined
    ? "nothing"
    : Exit.isSuccess(outcome)
    ? `success ${inspect(outcome.value)}`
    : errorOf(outcome) === undefined
    ? "interruption"
    : `${errorOf(outcome)?._tag} "${errorOf(outcome)?.message}"`

/** Reports what is wrong with a try. */
type Report = (what: string) => void

/** What may have been run although it was answered with an error. */
const scripts = new Set(["twice", "function", "liar"])

const tokensOf = (parts: ReadonlyArray<Built>): ReadonlyArray<string> => parts.flatMap(({ tokens }) => tokens)

/** What one command was told, judged by itself. */
const checkPart = (facts: Facts, part: Built, outcome: Outcome, most: number, report: Report): void => {
  const error = errorOf(outcome)
  if (part.separate && error !== undefined) {
    const times = (token: string) => facts.applied.get(token) ?? 0
    checkPartial(
      partialOf(error),
      "keys",
      part.tokens.map((token) => [token]),
      times,
      most,
      (what) => report(`${part.name}: ${what}, told ${said(outcome)}`)
    )
  }
  for (const token of part.tokens) {
    const times = facts.applied.get(token) ?? 0
    const tell = (what: string) =>
      report(`${part.name} ${token} ${what}, applied ${times} times, told ${said(outcome)}`)
    if (times > most) tell("was run too often")
    if (part.fails && times > 0) tell("cannot have been run")
    if (outcome !== undefined && Exit.isSuccess(outcome) && times === 0) tell("was acknowledged and not run")
    if (error === undefined || times === 0) continue
    if (isNotSent(error)) tell("is said not to have been sent")
    if (RedisError.isSafeToRetry(error)) tell("is said to be safe to repeat")
  }
}

/** What is known of the commands of a composition that failed in part. */
interface Partial {
  readonly of: string
  readonly answered: ReadonlyArray<number>
  readonly unknown: ReadonlyArray<number>
}

const partialOf = (error: RedisError.RedisError): Partial | undefined => "partial" in error ? error.partial : undefined

/** A composition that failed as a whole. */
const checkWhole = (facts: Facts, attempt: Try, most: number, report: Report): void => {
  const { kind, outcome, parts } = attempt
  const error = errorOf(outcome)
  const times = (token: string) => facts.applied.get(token) ?? 0
  const ran = tokensOf(parts).filter((token) => times(token) > 0)
  for (const token of ran) {
    if (times(token) > most) report(`${token} was run ${times(token)} times, told ${said(outcome)}`)
  }
  if (outcome !== undefined && Exit.isSuccess(outcome)) {
    for (const token of tokensOf(parts)) if (times(token) === 0) report(`${token} was acknowledged and not run`)
  }
  if (error === undefined) return
  const tell = (what: string) => report(`${what}, told ${said(outcome)}; run were ${ran.join(", ")}`)
  if (ran.length > 0 && RedisError.isSafeToRetry(error)) tell("is said to be safe to repeat")
  if (kind === "transaction") {
    // What was sent a second time may have been run the first time, and says so.
    const isDiscarded = (error._tag === "ExecAbortError" || error._tag === "WatchError") &&
      error.mayHaveWritten !== true
    if (ran.length > 0 && (isNotSent(error) || isDiscarded)) {
      tell("is said not to have been run")
    }
    return
  }
  if (kind !== "pipeline") return
  // An index among the commands.
  const index = "index" in error ? error.index : undefined
  // What a try before this one may have run is told as that.
  const mayHaveRun = index !== undefined && partialOf(error)?.unknown.includes(index) === true
  if (index !== undefined && !mayHaveRun && parts[index] !== undefined) checkIndexed(parts[index], error, times, tell)
  checkPartial(
    partialOf(error),
    "pipeline",
    parts.map(({ fails, lies, tokens }) => fails || lies ? [] : tokens),
    times,
    most,
    tell
  )
}

/**
 * What is said to be answered was run once, what may have been run that often at the most, and all else was not.
 * `most`: how often something can have been run that is not to be run twice.
 */
const checkPartial = (
  partial: Partial | undefined,
  of: string,
  tokens: ReadonlyArray<ReadonlyArray<string>>,
  times: (token: string) => number,
  most: number,
  tell: Report
): void => {
  if (partial === undefined) return
  if (partial.of !== of) return tell(`the parts are those of a ${partial.of}`)
  tokens.forEach((some, index) => {
    const known = partial.answered.includes(index)
    if (!known && partial.unknown.includes(index)) return
    for (const token of some) {
      if (known ? times(token) < 1 || times(token) > most : times(token) > 0) {
        tell(`part ${index + 1} (${token}) was run ${times(token)} times, and ${inspect(partial)}`)
      }
    }
  })
}

/** The command that an error points at has failed: it has not been answered with success. */
const checkIndexed = (
  part: Built,
  error: RedisError.RedisError,
  times: (token: string) => number,
  tell: Report
): void => {
  if (part.lies || scripts.has(part.name) || part.separate || !("code" in error)) return
  if (part.tokens.some((token) => times(token) > 0)) tell(`points at ${part.name}, which was run`)
}

/** All of a transaction is applied, or nothing. */
const checkAtomic = (facts: Facts, parts: ReadonlyArray<Built>, report: Report): void => {
  // A function that the server has forgotten fails alone, and so does one of which nothing can be learned before.
  const alone = ({ name }: Built) => (facts.flushed || facts.unasked) && name === "function"
  const tokens = tokensOf(parts.filter((part) => !part.fails && !alone(part)))
  const ran = tokens.filter((token) => facts.applied.has(token))
  if (ran.length > 0 && ran.length < tokens.length) report(`of ${tokens.join(", ")} only ${ran.join(", ")} were run`)
}

/** The body of a watch is run again for a conflict, or where nothing that it wrote was run; its changes are not lost. */
const checkRuns = (facts: Facts, attempt: Try, report: Report): void => {
  const { outcome, runs } = attempt
  runs.forEach((run, index) => {
    const ran = (tokens: ReadonlyArray<string>) => tokens.filter((token) => facts.applied.has(token))
    const commit = tokensOf(run.commit)
    const last = index === runs.length - 1
    if (!last && ran(commit).length > 0) report(`the commit ${ran(commit).join(", ")} was run, and the body once more`)
    if (run.meddled && ran(commit).length > 0) {
      report(`the commit ${ran(commit).join(", ")} was run despite of a conflict`)
    }
    if (run.meddled && last && outcome !== undefined && Exit.isSuccess(outcome)) {
      report("the watched key was changed, and the watch succeeded")
    }
    checkAtomic(facts, run.commit, report)
    const { conflicts } = facts
    if (last || conflicts === undefined || run.meddled || ran(run.body).length === 0) return
    if (![...run.body, ...commit].some((token) => conflicts.has(token))) {
      report(`the body was run again without a conflict, and had written ${ran(run.body).join(", ")}`)
    }
  })
}

const checkTry = (env: Env, facts: Facts, attempt: Try): void => {
  const { wrong } = env
  const most = mostOf(env, attempt)
  const report: Report = (what) => wrong.push(`${attempt.stepId} ${attempt.kind}: ${what}`)
  const { outcome, outcomes, parts } = attempt
  if (outcome === undefined) report("has not ended")
  const [first] = parts
  if (outcomes !== undefined) parts.forEach((part, index) => checkPart(facts, part, outcomes[index], most, report))
  else if (parts.length === 1 && first !== undefined && !["pipeline", "transaction", "watch"].includes(attempt.kind)) {
    checkPart(facts, first, outcome, most, report)
  } else checkWhole(facts, attempt, most, report)
  if (attempt.kind === "transaction") checkAtomic(facts, parts, report)
  checkRuns(facts, attempt, report)
  const meddling = env.tries.some(({ runs }) => runs.some(({ meddling }) => meddling))
  // Nobody else changes what is watched.
  if (facts.struck === 0 && !meddling && attempt.runs.length > 1) {
    report("the body was run again, and nobody had changed the key")
  }
  const error = errorOf(outcome)
  if (error !== undefined && RedisError.isSafeToRetry(error) && !RedisError.isRetryable(error)) {
    report(`is safe to repeat and of no use, told ${said(outcome)}`)
  }
  if (error?._tag === "WatchError" && attempt.kind !== "watch") report(`watched nothing, told ${said(outcome)}`)
  if (error?._tag === "ProtocolError" || error?._tag === "DecodeError") report(`told ${said(outcome)}`)
  if (error !== undefined) checkRetrying(facts, attempt, error, report)
  if (error !== undefined && facts.roomy && isFull(error)) report(`there was room, told ${said(outcome)}`)
  checkTime(facts, attempt, most, report)
  checkScripts(attempt, report)
  checkSmooth(env, facts, attempt, report)
  if (isFaultless(facts) && error !== undefined) checkFaultless(attempt, error, report)
}

/** Codes of what passes, and has not been run where it is said of a plain command. */
const passing = new Set(["BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "OOM", "TRYAGAIN"])

const isFull = (error: RedisError.RedisError): boolean =>
  error._tag === "ConnectionError" && (error.reason === "PoolTimeout" || error.reason === "PoolExhausted")

/** Whether nothing but what passes kept a transaction from being run: of its commands, and of EXEC itself. */
const hasOnlyPassed = ({ causes, detail }: RedisError.ExecAbortError): boolean => {
  const [, ofExec] = /because of: -?(\S+)/.exec(detail) ?? []
  const codes = [...causes.map(({ code }) => code), ...ofExec === undefined ? [] : [ofExec]]
  return codes.length > 0 && codes.every((code) => passing.has(code))
}

/** What later tries are said to be good for. */
const checkRetrying = (facts: Facts, attempt: Try, error: RedisError.RedisError, report: Report): void => {
  const { kind, outcome, runs } = attempt
  const retryable = RedisError.isRetryable(error)
  const safe = RedisError.isSafeToRetry(error)
  // A consumer for which there is no connection at all is told so.
  if (kind === "consume" && !isFull(error) && (retryable || ("code" in error && error.code === "UNBLOCKED"))) {
    report(`ended for what a later try mends, told ${said(outcome)}`)
  }
  if (kind === "blpop" && "code" in error && error.code === "UNBLOCKED" && !safe) {
    report(`is not said to be safe to repeat, told ${said(outcome)}`)
  }
  if (error._tag !== "ExecAbortError") return
  const passed = hasOnlyPassed(error)
  if (retryable !== passed) report(`is ${retryable ? "" : "not "}said to be worth a later try, told ${said(outcome)}`)
  // What a body has written is written once more with the whole; what ran out of time before may have been run, for all that
  // the client can know.
  if (passed && !safe && !facts.again && !runs.at(-1)?.body.some((token) => facts.applied.has(token))) {
    report(`was not run for what passes, and is not said to be safe to repeat, told ${said(outcome)}`)
  }
}

/** Kinds of one round trip, to which the limit applies as it is. */
const simple = new Set("append del echo exists get hincrby incr mget mset publish rpush sadd set wrong xadd".split(" "))

/** A limit comes neither early nor much too late. */
const checkTime = ({ commandTimeout, late }: Facts, attempt: Try, most: number, report: Report): void => {
  if (commandTimeout === undefined || !simple.has(attempt.kind)) return
  const took = attempt.ended - attempt.started
  const error = errorOf(attempt.outcome)
  if (error?._tag === "TimeoutError" && error.milliseconds === commandTimeout && took < commandTimeout - 1) {
    report(`ran into its limit of ${commandTimeout} ms after ${took} ms`)
  }
  if (took > (commandTimeout * 17 / 16 + 20 + late) * most) {
    report(`took ${took} ms with a limit of ${commandTimeout} ms`)
  }
}

/** Whether nothing goes wrong: neither a fault, nor a way so long that limits end on it. */
const isFaultless = ({ closed, isFar, struck }: Facts): boolean => struck === 0 && !closed && !isFar

/** What anything takes at the most that has to wait for nothing, in milliseconds: connections, and a few round trips. */
const smooth = 90

/** How often scripts have said by some time that their server is no master, which ends a connection. */
export const demotions = (env: Env, { demoting }: Pick<Facts, "demoting">, until = Infinity): number =>
  env.tries
    .filter(({ started }) => started <= until)
    .flatMap(({ parts }) => parts)
    .filter(({ says = "" }) => demoting.has(says)).length

/** For how long somebody may wait for that, in milliseconds: with each the next dial has a pause twice as long, up to a second. */
const demotedFor = (env: Env, facts: Facts, until: number): number => {
  const times = demotions(env, facts, until)
  return Math.min(10 * 2 ** times, 1000 * times)
}

/** Where nothing goes wrong and there is room nobody waits for what others have left behind, whoever was interrupted. */
const checkSmooth = (env: Env, facts: Facts, attempt: Try, report: Report): void => {
  // A body that is run again has its pauses.
  if (!isFaultless(facts) || !facts.roomy || attempt.kind === "consume" || attempt.runs.length > 1) return
  const { ended, outcome, outcomes = [outcome], parts, started } = attempt
  const { commandTimeout = Infinity, late } = facts
  const timeout = outcomes.find((each) => errorOf(each)?._tag === "TimeoutError")
  const most = smooth + late + demotedFor(env, facts, ended)
  if (timeout !== undefined && commandTimeout >= most) report(`was kept waiting, told ${said(timeout)}`)
  const blocks = parts.reduce((sum, part) => sum + part.blocks, 0)
  const took = ended - started
  if (took > most + blocks) report(`took ${took} ms where nobody had to wait`)
}

/** Whether a server has said that it does not have a script: what scripts make up has other words. */
const isMissing = (outcome: Outcome): boolean => {
  const error = errorOf(outcome)
  return error !== undefined && "code" in error && error.code === "NOSCRIPT" && error.detail.startsWith("No matching")
}

/**
 * The client has the text of each script, so none fails because a server is without it; but in a pipeline a command that stands before
 * another that was run cannot be sent again, as it would run after that.
 */
const checkScripts = ({ kind, outcome, outcomes, parts }: Try, report: Report): void => {
  const isLast = (index: number | undefined) =>
    outcomes === undefined ? index === parts.length - 1 : outcomes.slice(index).every(isMissing)
  for (const [index, each] of (outcomes ?? [outcome]).entries()) {
    if (!isMissing(each)) continue
    const error = errorOf(each)
    const failedIndex = outcomes === undefined && error !== undefined && "index" in error ? error.index : index
    if (kind !== "pipeline" || isLast(failedIndex)) report(`was not sent its text, told ${said(each)}`)
  }
}

/** Where nothing goes wrong, nothing fails but what cannot succeed. */
const checkFaultless = ({ mayFail, outcome, parts }: Try, error: RedisError.RedisError, report: Report): void => {
  if (
    mayFail || parts.some(({ fails, lies }) => fails || lies) || error._tag === "LockError" ||
    // A pool with room for all never says so, and missing scripts have a rule of their own.
    error._tag === "TimeoutError" || isFull(error) || isMissing(outcome)
  ) return
  report(`failed though nothing went wrong, told ${said(outcome)}`)
}

/** Tries of the same effect: what is only repeated when that is safe is applied once at the most. */
const checkTries = (env: Env, facts: Facts, tries: ReadonlyArray<Try>): void => {
  const [first] = tries
  if (first === undefined || first.recipe === "retryable") return
  const times = tries.map(({ parts }) =>
    tokensOf(parts).reduce((most, token) => Math.max(most, facts.applied.get(token) ?? 0), 0)
  )
  const sum = times.reduce((total, count) => total + count, 0)
  const most = tries.reduce((most, attempt) => Math.max(most, mostOf(env, attempt)), 1)
  if (sum > most && tries.length > 1) {
    const told = tries.map(({ outcome }) => said(outcome)).join("; ")
    env.wrong.push(`${first.stepId} ${first.kind}: was run ${sum} times by the recipe "${first.recipe}", told ${told}`)
  }
}

/** Messages come in order, none twice, and none is missing but in a gap that was told of. */
const checkHeard = (published: ReadonlyArray<string>, heard: Heard, wrong: Array<string>): void => {
  let previous: number | undefined
  let gap = true
  for (const message of heard) {
    if (message === undefined) {
      gap = true
      continue
    }
    const position = published.indexOf(message)
    if (position === -1) wrong.push(`a subscription was given ${message}, which nobody published`)
    if (previous !== undefined && position <= previous) {
      wrong.push(`a subscription was given ${message} too late or twice`)
    }
    if (previous !== undefined && !gap && position > previous + 1) {
      wrong.push(`a subscription lost ${published.slice(previous + 1, position).join(", ")} in silence`)
    }
    previous = position
    gap = false
  }
}

/** An element goes to one who asked; it is lost only with one who went away, or was cut off, and was still there when it came. */
const checkPops = (env: Env, facts: Facts): void => {
  const lost: Array<number> = []
  for (const { parts, started } of env.tries) {
    for (const { name, tokens: [token] } of parts) {
      if (name !== "rpush" || token === undefined) continue
      const times = (env.popped.get(token) ?? 0) + (facts.queued.has(token) ? 1 : 0)
      if (times > Math.max(1, facts.applied.get(token) ?? 0)) env.wrong.push(`${token} was popped ${times} times`)
      if (times === 0 && facts.applied.has(token)) lost.push(started)
    }
  }
  // Those that were pushed last can only be with those who went away last.
  lost.sort((a, b) => b - a).forEach((pushed, index) => {
    const pops = env.lostPops.filter((ended) => ended + facts.lag >= pushed).length
    if (pops <= index) {
      env.wrong.push(`${index + 1} elements that were pushed after ${pushed} ms are lost with ${pops} pops`)
    }
  })
}

/** Adds to what is wrong whatever does not fit. */
export const check = (env: Env, facts: Facts): void => {
  const groups = new Map<string, Array<Try>>()
  for (const attempt of env.tries) {
    checkTry(env, facts, attempt)
    const id = `${attempt.stepId} ${attempt.group}`
    groups.set(id, [...groups.get(id) ?? [], attempt])
  }
  for (const tries of groups.values()) checkTries(env, facts, tries)
  checkPops(env, facts)
  // What was published twice cannot be told from what was delivered twice.
  if (facts.published !== undefined && new Set(facts.published).size === facts.published.length) {
    for (const heard of env.heard) {
      checkHeard(facts.published, heard, env.wrong)
    }
  }
}
