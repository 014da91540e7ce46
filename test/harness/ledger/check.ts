/**
 * A model of the promises, which judges what everybody was told against what was done.
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
 * - `between`: the milliseconds that the machine has given from one moment to another. `inTurns`: those that waiting for turns takes
 *   meanwhile, where only so many commands may be unanswered.
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
  readonly between: (from: number, until: number) => number
  readonly lag: number
  readonly inTurns: (from: number, until: number) => number
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

/** The commands that may have been run although they were answered with an error. */
const scripts = new Set(["twice", "function", "liar"])

const tokensOf = (parts: ReadonlyArray<Built>): ReadonlyArray<string> => parts.flatMap(({ tokens }) => tokens)

/** Judges one command by what its caller was told. */
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

/** What an error says about the commands of a composition that failed in part. */
interface Partial {
  readonly of: string
  readonly answered: ReadonlyArray<number>
  readonly unknown: ReadonlyArray<number>
}

const partialOf = (error: RedisError.RedisError): Partial | undefined => "partial" in error ? error.partial : undefined

/** Judges a composition that failed as a whole. */
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
    // A command that was sent a second time may have been run the first time, and its error says so.
    const isDiscarded = (error._tag === "ExecAbortError" || error._tag === "WatchError") &&
      error.mayHaveWritten !== true
    if (ran.length > 0 && (isNotSent(error) || isDiscarded)) {
      tell("is said not to have been run")
    }
    return
  }
  if (kind !== "pipeline") return
  // This is an index among the commands.
  const index = "index" in error ? error.index : undefined
  // A command that an earlier try may have run is reported as such: among the parts, or where there are no others by itself.
  const mayHaveRun = index !== undefined &&
    (partialOf(error)?.unknown.includes(index) ?? ("mayHaveWritten" in error && error.mayHaveWritten === true))
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
 * Checks that a command which is said to be answered was run once, that one which may have been run was run so often at
 * the most, and that no other was run. `most` is how often a command may have been run that must not be run twice.
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

/** Checks that the command that an error points at has failed, and was not answered with success. */
const checkIndexed = (
  part: Built,
  error: RedisError.RedisError,
  times: (token: string) => number,
  tell: Report
): void => {
  if (part.lies || scripts.has(part.name) || part.separate || !("code" in error)) return
  if (part.tokens.some((token) => times(token) > 0)) tell(`points at ${part.name}, which was run`)
}

/** Checks that all of a transaction was applied, or nothing. */
const checkAtomic = (facts: Facts, parts: ReadonlyArray<Built>, report: Report): void => {
  // A function that the server has forgotten fails alone, and so does a function of which nothing could be learned
  // before.
  const alone = ({ name }: Built) => (facts.flushed || facts.unasked) && name === "function"
  const tokens = tokensOf(parts.filter((part) => !part.fails && !alone(part)))
  const ran = tokens.filter((token) => facts.applied.has(token))
  if (ran.length > 0 && ran.length < tokens.length) report(`of ${tokens.join(", ")} only ${ran.join(", ")} were run`)
}

/**
 * Checks that the body of a watch is only run again after a conflict, or where nothing that it wrote was run, and that
 * no change of it is lost.
 */
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
  // Nobody else changes the watched key.
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
  if (isFaultless(facts) && error !== undefined) checkFaultless(facts, attempt, error, report)
}

/** The codes of errors that pass. A plain command with such an error has not been run. */
const passing = new Set(["BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "TRYAGAIN"])

const isFull = (error: RedisError.RedisError): boolean =>
  error._tag === "ConnectionError" && (error.reason === "PoolTimeout" || error.reason === "PoolExhausted")

/** Whether only errors that pass kept a transaction from being run: those of its commands, and of EXEC itself. */
const hasOnlyPassed = ({ causes, detail }: RedisError.ExecAbortError): boolean => {
  const [, ofExec] = /because of: -?(\S+)/.exec(detail) ?? []
  const codes = [...causes.map(({ code }) => code), ...ofExec === undefined ? [] : [ofExec]]
  return codes.length > 0 && codes.every((code) => passing.has(code))
}

/** Checks what errors say about later tries. */
const checkRetrying = (facts: Facts, attempt: Try, error: RedisError.RedisError, report: Report): void => {
  const { kind, outcome, runs } = attempt
  const retryable = RedisError.isRetryable(error)
  const safe = RedisError.isSafeToRetry(error)
  // A consumer for which there is no connection at all is told so.
  if (kind === "consume" && !isFull(error) && (retryable || ("code" in error && error.code === "UNBLOCKED"))) {
    report(`ended for what a later try mends, told ${said(outcome)}`)
  }
  // One that is sent once more may have taken an element the first time.
  if (kind === "blpop" && "code" in error && error.code === "UNBLOCKED" && !safe && !facts.again) {
    report(`is not said to be safe to repeat, told ${said(outcome)}`)
  }
  if (error._tag !== "ExecAbortError") return
  const passed = hasOnlyPassed(error)
  if (retryable !== passed) report(`is ${retryable ? "" : "not "}said to be worth a later try, told ${said(outcome)}`)
  // A retry writes once more what a body has written. A command that ran out of time before may have been run, as far
  // as the client can know.
  if (passed && !safe && !facts.again && !runs.at(-1)?.body.some((token) => facts.applied.has(token))) {
    report(`was not run for what passes, and is not said to be safe to repeat, told ${said(outcome)}`)
  }
}

/** The kinds of commands of one round trip, to which the limit applies as it is. */
const simple = new Set(
  "append del echo exists get hincrby incr long mget mset publish rpush sadd set wrong xadd".split(" ")
)

/** Checks that a limit ends neither early nor much too late. */
const checkTime = ({ between, commandTimeout, late }: Facts, attempt: Try, most: number, report: Report): void => {
  if (commandTimeout === undefined || !simple.has(attempt.kind)) return
  const took = attempt.ended - attempt.started
  const error = errorOf(attempt.outcome)
  if (error?._tag === "TimeoutError" && error.milliseconds === commandTimeout && took < commandTimeout - 1) {
    report(`ran into its limit of ${commandTimeout} ms after ${took} ms`)
  }
  const given = between(attempt.started, attempt.ended)
  if (given > (commandTimeout * 17 / 16 + 20 + late) * most) {
    report(`took ${given} ms with a limit of ${commandTimeout} ms`)
  }
}

/** Whether nothing goes wrong: there is no fault, and no way so long that limits end on it. */
const isFaultless = ({ closed, isFar, struck }: Facts): boolean => struck === 0 && !closed && !isFar

/**
 * The milliseconds that an effect takes at most when it has to wait for nothing but connections and a few round trips.
 */
const smooth = 90

/**
 * The number of times until some moment that scripts have said that their server is no master, which ends a connection.
 */
export const demotions = (env: Env, { demoting }: Pick<Facts, "demoting">, until = Infinity): number =>
  env.tries
    .filter(({ started }) => started <= until)
    .flatMap(({ parts }) => parts)
    .filter(({ says = "" }) => demoting.has(says)).length

/**
 * The milliseconds for which somebody may wait because of that: with each such answer the pause before the next dial
 * doubles, up to a second.
 */
const demotedFor = (env: Env, facts: Facts, until: number): number => {
  const times = demotions(env, facts, until)
  return Math.min(10 * 2 ** times, 1000 * times)
}

/**
 * Checks that nobody waits for what others have left behind, whoever was interrupted, where nothing goes wrong and
 * there is room.
 */
const checkSmooth = (env: Env, facts: Facts, attempt: Try, report: Report): void => {
  // A body that is run again pauses in between.
  if (!isFaultless(facts) || !facts.roomy || attempt.kind === "consume" || attempt.runs.length > 1) return
  const { ended, outcome, outcomes = [outcome], parts, started } = attempt
  const { commandTimeout = Infinity, late } = facts
  const timeout = outcomes.find((each) => errorOf(each)?._tag === "TimeoutError")
  // With a limit of two unanswered commands, twenty that others have sent before take ten round trips.
  const most = smooth + late + demotedFor(env, facts, ended) + facts.inTurns(started, Math.min(ended, env.now()))
  if (timeout !== undefined && commandTimeout >= most) report(`was kept waiting, told ${said(timeout)}`)
  // What has run out of its time is sent once more, and blocks anew.
  const blocks = parts.reduce((sum, part) => sum + part.blocks, 0) * (facts.again ? 2 : 1)
  const took = facts.between(started, ended)
  if (took > most + blocks) report(`took ${took} ms where nobody had to wait`)
}

/** Whether a server has said that it does not have a script. The errors that scripts make up have other words. */
const isMissing = (outcome: Outcome): boolean => {
  const error = errorOf(outcome)
  return error !== undefined && "code" in error && error.code === "NOSCRIPT" && error.detail.startsWith("No matching")
}

/**
 * Checks that no script failed because a server was without it: the client has the text of each script. In a pipeline,
 * a command that stands before another which was run cannot be sent again, because it would run after that.
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

/**
 * Whether servers did not answer within the limit of commands. Where no command gets through to any server of a cluster, or
 * to any sentinel, there are other errors for that, as on a machine that is busy for longer than the limit.
 */
const isOverdue = ({ commandTimeout = Infinity, late }: Facts, error: RedisError.RedisError): boolean =>
  error._tag === "TimeoutError" ||
  (commandTimeout < late && "attempts" in error && Array.isArray(error.attempts) &&
    error.attempts.every(({ detail }) => detail.endsWith(`within ${commandTimeout} ms`)))

/** Checks that nothing fails, where nothing goes wrong, but what cannot succeed. */
const checkFaultless = (facts: Facts, attempt: Try, error: RedisError.RedisError, report: Report): void => {
  const { mayFail, outcome, parts } = attempt
  if (
    mayFail || parts.some(({ fails, lies }) => fails || lies) || error._tag === "LockError" ||
    // A pool with room for all never reports that it is full, and missing scripts have a rule of their own.
    isOverdue(facts, error) || isFull(error) || isMissing(outcome)
  ) return
  report(`failed though nothing went wrong, told ${said(outcome)}`)
}

/**
 * Judges the tries of one effect together: an effect that is only repeated when that is safe is applied at most once.
 */
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

/** Checks that messages come in order, none twice, and that none is missing but in a reported gap. */
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

/**
 * Checks that an element goes to a caller who asked. It is lost only with a caller who went away, or was cut off, and
 * was still there when the element came.
 */
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
  // The elements that were pushed last can only be with the callers who went away last.
  lost.sort((a, b) => b - a).forEach((pushed, index) => {
    const pops = env.lostPops.filter((ended) => ended + facts.lag >= pushed).length
    if (pops <= index) {
      env.wrong.push(`${index + 1} elements that were pushed after ${pushed} ms are lost with ${pops} pops`)
    }
  })
}

/** Adds every difference to what is wrong. */
export const check = (env: Env, facts: Facts): void => {
  const groups = new Map<string, Array<Try>>()
  for (const attempt of env.tries) {
    checkTry(env, facts, attempt)
    const id = `${attempt.stepId} ${attempt.group}`
    groups.set(id, [...groups.get(id) ?? [], attempt])
  }
  for (const tries of groups.values()) checkTries(env, facts, tries)
  checkPops(env, facts)
  // A message that was published twice cannot be told from one that was delivered twice.
  if (facts.published !== undefined && new Set(facts.published).size === facts.published.length) {
    for (const heard of env.heard) {
      checkHeard(facts.published, heard, env.wrong)
    }
  }
}
