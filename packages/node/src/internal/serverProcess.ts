/**
 * One child process: started, watched, and never left behind.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as ChildProcess from "node:child_process"
import * as Builtin from "./builtin.ts"

/** A running or finished child. `exit` says how it ended. */
export interface ServerProcess {
  readonly pid: number
  readonly exit: Deferred.Deferred<string>
  readonly signal: (signal: NodeJS.Signals) => void
}

/**
 * Children that still run, with the directory that each of them owns. A program that calls `process.exit` does not
 * close its scopes, so the remaining children are ended from here.
 */
const running = new Map<ChildProcess.ChildProcess, string>()

const endAll = () => {
  for (const [child, directory] of running) {
    child.kill("SIGKILL")
    Builtin.fs().rmSync(directory, { recursive: true, force: true })
  }
}

const track = (child: ChildProcess.ChildProcess, directory: string) => {
  if (running.size === 0) process.on("exit", endAll)
  running.set(child, directory)
}

const untrack = (child: ChildProcess.ChildProcess) => {
  running.delete(child)
  if (running.size === 0) process.off("exit", endAll)
}

const spawn = (options: { binary: string; args: ReadonlyArray<string>; directory: string; log: string }) => {
  const log = Builtin.fs().openSync(options.log, "a", 0o600)
  try {
    return Builtin.childProcess().spawn(options.binary, options.args, {
      cwd: options.directory,
      stdio: ["ignore", log, log],
      // The child gets nothing else of the program's environment: it may hold secrets, and any process of the same user
      // can read it.
      env: Object.fromEntries(
        ["PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ"].flatMap((name) =>
          process.env[name] === undefined ? [] : [[name, process.env[name]]]
        )
      )
    })
  } finally {
    Builtin.fs().closeSync(log)
  }
}

/**
 * Ends a child when this process ends, for whatever reason: a shell waits for the end of a pipe that only this process
 * holds open. The shell ignores signals that a terminal sends to the whole group. Does nothing when there is no shell.
 */
const guard = (child: ChildProcess.ChildProcess, pid: number, directory: string): void => {
  const script = `trap "" HUP INT QUIT TERM; while read -r _; do :; done; kill -9 "$1"; rm -rf -- "$2"`
  const guardian = Builtin.childProcess().spawn("/bin/sh", ["-c", script, "sh", String(pid), directory], {
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"]
  })
  guardian.on("error", () => {})
  guardian.stdin.on("error", () => {})
  // This process does not wait for the guardian.
  guardian.unref()
  if ("unref" in guardian.stdin && typeof guardian.stdin.unref === "function") guardian.stdin.unref()
  // The guardian must end before another process can get the child's process id.
  child.once("exit", () => guardian.kill("SIGKILL"))
}

/**
 * Starts a process and appends its output to `log`. `onStart` is called before anything can be interrupted, so that the
 * owner always knows its child.
 */
export const start = (options: {
  readonly binary: string
  readonly args: ReadonlyArray<string>
  readonly directory: string
  readonly log: string
  readonly onStart: (child: ServerProcess) => void
}): Effect.Effect<ServerProcess, Error> =>
  Effect.callback<ServerProcess, Error>((resume) => {
    const child = spawn(options)
    const exit = Deferred.makeUnsafe<string>()
    child.once("error", (cause) => resume(Effect.fail(cause)))
    child.once("exit", (code, signal) => {
      untrack(child)
      Deferred.doneUnsafe(exit, Effect.succeed(signal === null ? `exit code ${code}` : `signal ${signal}`))
    })
    if (child.pid === undefined) return
    track(child, options.directory)
    guard(child, child.pid, options.directory)
    const started: ServerProcess = { pid: child.pid, exit, signal: (signal) => child.kill(signal) }
    options.onStart(started)
    resume(Effect.succeed(started))
  }).pipe(Effect.uninterruptible)

/** Whether the process has not ended yet. */
export const isRunning = (self: ServerProcess): boolean => !Deferred.isDoneUnsafe(self.exit)

/**
 * Ends a process and waits until it is gone. A process that SIGSTOP has stopped is continued, as it would not see the
 * signal otherwise. A process that has not ended after `grace` is killed.
 */
export const end = (self: ServerProcess, signal: NodeJS.Signals, grace: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (!isRunning(self)) return Effect.void
    self.signal(signal)
    self.signal("SIGCONT")
    return Deferred.await(self.exit).pipe(
      Effect.timeoutOrElse({
        duration: grace,
        orElse: () => {
          self.signal("SIGKILL")
          return Deferred.await(self.exit)
        }
      }),
      Effect.asVoid
    )
  })
