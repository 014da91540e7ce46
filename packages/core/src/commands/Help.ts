/**
 * The help of servers on their subcommands, line by line, for people to read.
 *
 * @since 0.1.0
 */
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

const lines = Reply.array(Reply.text)

/**
 * Returns the help of ACL, line by line. O(1). Since Redis 6.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const aclHelp = define("ACL HELP", () => [], lines, "readonly")

/**
 * Returns the help of BACKUP, line by line. O(1). Since Redis 8.10.0, according to its documentation (not tested
 * against a server).
 *
 * @category help
 * @since 0.1.0
 */
export const backupHelp = define("BACKUP HELP", () => [], lines, "readonly")

/**
 * Returns the help of CLIENT, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const clientHelp = define("CLIENT HELP", () => [], lines, "readonly")

/**
 * Returns the help of CLUSTER, line by line. Fails with `ResponseError` when the server is not a cluster node. O(1).
 * Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const clusterHelp = define("CLUSTER HELP", () => [], lines, "readonly")

/**
 * Returns the help of COMMAND, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const commandHelp = define("COMMAND HELP", () => [], lines, "readonly")

/**
 * Returns the help of COMMANDLOG, line by line. O(1). Since Valkey 8.1.0.
 *
 * @category help
 * @since 0.1.0
 */
export const commandlogHelp = define("COMMANDLOG HELP", () => [], lines, "readonly")

/**
 * Returns the help of CONFIG, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const configHelp = define("CONFIG HELP", () => [], lines, "readonly")

/**
 * Returns the help of DEBUG, line by line. Servers refuse DEBUG unless they are configured to allow it. O(1). Since
 * Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const debugHelp = define("DEBUG HELP", () => [], lines, "readonly")

/**
 * Returns the help of FUNCTION, line by line. O(1). Since Redis 7.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const functionHelp = define("FUNCTION HELP", () => [], lines, "readonly")

/**
 * Returns the help of HOTKEYS, line by line. O(1). Since Redis 8.6.1 and Valkey 9.2.0.
 *
 * @category help
 * @since 0.1.0
 */
export const hotkeysHelp = define("HOTKEYS HELP", () => [], lines, "readonly")

/**
 * Returns the help of LATENCY, line by line. O(1). Since Redis 2.8.13.
 *
 * @category help
 * @since 0.1.0
 */
export const latencyHelp = define("LATENCY HELP", () => [], lines, "readonly")

/**
 * Returns the help of MEMORY, line by line. O(1). Since Redis 4.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const memoryHelp = define("MEMORY HELP", () => [], lines, "readonly")

/**
 * Returns the help of MODULE, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const moduleHelp = define("MODULE HELP", () => [], lines, "readonly")

/**
 * Returns the help of PUBSUB, line by line. O(1). Since Redis 6.2.0.
 *
 * @category help
 * @since 0.1.0
 */
export const pubsubHelp = define("PUBSUB HELP", () => [], lines, "readonly")

/**
 * Returns the help of SCRIPT, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const scriptHelp = define("SCRIPT HELP", () => [], lines, "readonly")

/**
 * Returns the help of SLOWLOG, line by line. O(1). Since Redis 6.2.0.
 *
 * @category help
 * @since 0.1.0
 */
export const slowlogHelp = define("SLOWLOG HELP", () => [], lines, "readonly")

/**
 * Returns the help of XGROUP, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const xgroupHelp = define("XGROUP HELP", () => [], lines, "readonly")

/**
 * Returns the help of XINFO, line by line. O(1). Since Redis 5.0.0.
 *
 * @category help
 * @since 0.1.0
 */
export const xinfoHelp = define("XINFO HELP", () => [], lines, "readonly")
