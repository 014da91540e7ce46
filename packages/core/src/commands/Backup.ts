/**
 * BACKUP: copies of all data that are made while the server goes on. Only on Redis.
 *
 * The commands are those of the documentation of Redis 8.10: they were not run against a server.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * How far a backup is.
 *
 * - `idle`: there is none. `pending`: it waits for its turn. `snapshotting`: the data are being written.
 * - `incrementing`: they are written, and what changes since is as well. `sealed`: all is complete, and stays as it is.
 * - `failed`: it failed, or was aborted.
 *
 * @category server
 * @since 0.1.0
 */
export type BackupState =
  | "idle"
  | "pending"
  | "snapshotting"
  | "incrementing"
  | "sealed"
  | "failed"
  | (string & {})

const state: Reply.Reply<BackupState> = Reply.text

/** Seconds, 0 for never. */
const moment = Reply.map(
  Reply.nullable(Reply.integerText),
  (seconds) => seconds === undefined || Number(seconds) === 0 ? undefined : DateTime.makeUnsafe(Number(seconds) * 1000)
)

const status = Reply.struct({
  state,
  error: Reply.map(Reply.nullable(Reply.text), (error) => error === "" ? undefined : error),
  startTime: moment,
  endTime: moment
})

/**
 * Gives up a backup that is not sealed; returns `true`.
 *
 * Fails with `ResponseError` when there is none. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupAbort = define("BACKUP ABORT", () => [], Reply.ok)

/**
 * Deletes the files of a backup that is sealed or has failed; returns `true`.
 *
 * O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupCleanup = define("BACKUP CLEANUP", () => [], Reply.ok)

/**
 * Returns the paths on the server of the files that the backup has so far, and that do not change any more.
 *
 * O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupList = define("BACKUP LIST", () => [], Reply.array(Reply.text))

/**
 * Completes a backup, with all writes until now; returns `true`.
 *
 * Fails with `ResponseError` unless the state is `incrementing`. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupSeal = define("BACKUP SEAL", () => [], Reply.ok)

/**
 * Begins a backup in the directory `backupdirname`, which must be empty; returns `true` at once.
 *
 * Fails with `ResponseError` when there is one under way. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupStart = define("BACKUP START", () => [], Reply.ok)

/**
 * Returns how far the backup is.
 *
 * `error` is why it failed, `startTime` and `endTime` when it was begun and sealed; each `undefined` when there is
 * nothing to say. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupStatus = define("BACKUP STATUS", () => [], status)
