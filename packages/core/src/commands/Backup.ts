/**
 * BACKUP: copies of all data, made while the server keeps working. Only on Redis.
 *
 * These commands follow the documentation of Redis 8.10 and were not tested against a server.
 *
 * @since 0.1.0
 */
import { momentOrNever } from "../internal/reply/moment.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * The state of a backup.
 *
 * - `idle`: there is no backup. `pending`: it waits for its turn. `snapshotting`: the data is being written.
 * - `incrementing`: the data is written, and later changes are added. `sealed`: the backup is complete and no longer
 *   changes.
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

const time = Reply.map(Reply.nullable(Reply.integerText), momentOrNever)

const status = Reply.struct({
  state,
  error: Reply.map(Reply.nullable(Reply.text), (error) => error === "" ? undefined : error),
  startTime: time,
  endTime: time
})

/**
 * Gives up a backup that is not sealed; returns `true`.
 *
 * Fails with `ResponseError` when there is no such backup. O(1). Since Redis 8.10.0; Valkey does not have it.
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
 * Returns the paths, on the server, of the files of the backup that are complete so far and no longer change.
 *
 * O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupList = define("BACKUP LIST", () => [], Reply.array(Reply.text), "readonly")

/**
 * Completes a backup, which then has all writes until now; returns `true`.
 *
 * Fails with `ResponseError` unless the state is `incrementing`. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupSeal = define("BACKUP SEAL", () => [], Reply.ok)

/**
 * Begins a backup in the directory of the server's setting `backupdirname`, which must be empty; returns `true` at
 * once.
 *
 * Fails with `ResponseError` when a backup is under way. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupStart = define("BACKUP START", () => [], Reply.ok)

/**
 * Returns the state of the backup.
 *
 * `error` says why the backup failed; `startTime` and `endTime` are when it was begun and when it was sealed. Each is
 * `undefined` when it does not apply. O(1). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const backupStatus = define("BACKUP STATUS", () => [], status, "readonly")
