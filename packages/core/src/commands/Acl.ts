/**
 * Commands on access control: users, and what each of them may do.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import { aclLogEntry, aclRole, aclUser } from "./replies/AclUser.ts"

export type { AclPermissions, AclRole, AclUser } from "./replies/AclUser.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * A rule that allows or adds (`+`), or forbids or removes (`-`).
 *
 * @category acl
 * @since 0.1.0
 */
export type AclChange = `+${string}` | `-${string}`

/**
 * A secret text, plain or as `Redacted`, which is not printed.
 *
 * @category acl
 * @since 0.1.0
 */
export type AclSecret = string | Redacted.Redacted<string>

/**
 * Passwords to add and to remove. As text, each password follows a `+` or a `-`.
 *
 * @category acl
 * @since 0.1.0
 */
export type AclSecretChanges = AclChange | ReadonlyArray<AclChange> | {
  /** The passwords to add. */
  readonly add?: AclSecret | ReadonlyArray<AclSecret> | undefined
  /** The passwords to remove. */
  readonly remove?: AclSecret | ReadonlyArray<AclSecret> | undefined
}

/**
 * What a user or role is allowed, in the order in which the rules are sent.
 *
 * @category acl
 * @since 0.1.0
 */
export interface AclPermissionRules {
  /** Rules on categories of commands, such as `+@read` (or `+read`) and `-@dangerous`. */
  readonly categories?: ReadonlyArray<AclChange> | undefined
  /** Rules on commands, such as `+get` and `-config|set`. */
  readonly commands?: ReadonlyArray<AclChange> | undefined
  /** Patterns of keys for reading and writing, without `~`. */
  readonly keys?: ReadonlyArray<Arg.Key> | undefined
  /** Patterns of keys for reading only. Redis 7.0.0. */
  readonly readKeys?: ReadonlyArray<string> | undefined
  /** Patterns of keys for writing only. Redis 7.0.0. */
  readonly writeKeys?: ReadonlyArray<string> | undefined
  /** Patterns of channels, without `&`. Redis 6.2.0. */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Numbers of databases, or `all`. Valkey 9.1.0. */
  readonly databases?: ReadonlyArray<number> | "all" | undefined
  /** Further sets of permissions, each the text of its rules without parentheses. Redis 7.0.0. */
  readonly selectors?: ReadonlyArray<string> | undefined
}

/**
 * Rules of {@link aclSetrole}, sent in the order of this list. The permissions of {@link AclPermissionRules} follow.
 *
 * @category acl
 * @since 0.1.0
 */
export interface AclSetroleOptions extends AclPermissionRules {
  /** Removes all key patterns first. */
  readonly resetkeys?: boolean | undefined
  /** Removes all channel patterns first. */
  readonly resetchannels?: boolean | undefined
  /** Removes all selectors first. */
  readonly clearselectors?: boolean | undefined
}

/**
 * Rules of {@link aclSetuser}, sent in the order of this list.
 *
 * The permissions of {@link AclPermissionRules} come after the passwords. `resetroles` and `roles` are according to the
 * documentation of Valkey 9.2.0, and not tested against a server.
 *
 * @category acl
 * @since 0.1.0
 */
export type AclSetuserOptions =
  & AclSetroleOptions
  & {
    /** First removes all rules, so that the user is like a new one. Default `false`. */
    readonly reset?: boolean | undefined
    /** Removes all passwords and `nopass`. Default `false`. */
    readonly resetpass?: boolean | undefined
    /** Whether the user may authenticate. Default `false`. */
    readonly enabled?: boolean | undefined
    /** Whether payloads of RESTORE are checked thoroughly. Redis 6.2.0, without effect in Valkey 9.1.0. */
    readonly sanitizePayload?: boolean | undefined
    /** Removes all roles. Default `false`. Valkey 9.2.0. */
    readonly resetroles?: boolean | undefined
    /** The names of roles to add. Valkey 9.2.0. */
    readonly roles?: ReadonlyArray<string> | undefined
  }
  & (
    | {
      /** Accepts any password. Default `false`. */
      readonly nopass?: false | undefined
      /** Passwords in plain text. */
      readonly passwords?: AclSecretChanges | undefined
      /** Passwords as SHA-256 in hexadecimal digits. */
      readonly hashedPasswords?: AclSecretChanges | undefined
    }
    | {
      /** Accepts any password. Default `false`. */
      readonly nopass: boolean
      readonly passwords?: undefined
      readonly hashedPasswords?: undefined
    }
  )

const list = <T extends object | string>(value: T | ReadonlyArray<T> | undefined): ReadonlyArray<T> =>
  // Neither a secret nor a change is an array.
  value === undefined ? [] : Array.isArray(value) ? value : [value as T]

/** Makes the text of a rule that is sent from the text that was given. */
const changed = (kind: string, plus: string, minus: string, change: string): string =>
  change.startsWith("+")
    ? plus + change.slice(1)
    : change.startsWith("-")
    ? minus + change.slice(1)
    : Arg.invalid(`a rule on ${kind} begins with + or -`)

const secretRule = (sigil: string, secret: AclSecret): Arg.Arg =>
  Arg.secret(sigil + (typeof secret === "string" ? secret : Redacted.value(secret)))

const secretRules = (
  kind: string,
  plus: string,
  minus: string,
  changes: AclSecretChanges | undefined
): Arg.List => {
  if (changes === undefined) return Arg.none
  if (typeof changes === "string" || isReadonlyArray(changes)) {
    return new Arg.List(list<string>(changes).map((change) => Arg.secret(changed(kind, plus, minus, change))))
  }
  return new Arg.List([
    ...list(changes.add).map((secret) => secretRule(plus, secret)),
    ...list(changes.remove).map((secret) => secretRule(minus, secret))
  ])
}

const categoryRule = (change: AclChange): string => changed("categories", "+@", "-@", change.replace(/^(.)@/, "$1"))

const keyRule = (pattern: Arg.Key): Arg.Arg =>
  typeof pattern === "string" ? `~${pattern}` : Uint8Array.of(0x7e, ...pattern)

const databaseRule = (databases: ReadonlyArray<number> | "all" | undefined): Arg.List =>
  databases === undefined ? Arg.none : Arg.list(databases === "all" ? "alldbs" : `db=${databases.join(",")}`)

const permissionRules = (options: AclPermissionRules): Arg.List =>
  new Arg.List([
    ...list(options.categories).map(categoryRule),
    ...list(options.commands).map((change) => changed("commands", "+", "-", change)),
    ...(options.keys ?? []).map(keyRule),
    ...list(options.readKeys).map((pattern) => `%R~${pattern}`),
    ...list(options.writeKeys).map((pattern) => `%W~${pattern}`),
    ...list(options.channels).map((pattern) => `&${pattern}`),
    databaseRule(options.databases),
    ...list(options.selectors).map((selector) => `(${selector})`)
  ])

const roleRules = (options: AclSetroleOptions): Arg.List =>
  Arg.list(
    Arg.flag("resetkeys", options.resetkeys),
    Arg.flag("resetchannels", options.resetchannels),
    Arg.flag("clearselectors", options.clearselectors),
    permissionRules(options)
  )

const rules = (options: AclSetuserOptions): Arg.List =>
  new Arg.List([
    Arg.flag("reset", options.reset),
    Arg.flag("resetkeys", options.resetkeys),
    Arg.flag("resetpass", options.resetpass),
    Arg.flag("resetchannels", options.resetchannels),
    Arg.flag("clearselectors", options.clearselectors),
    Arg.boolean("enabled", options.enabled) === true ? "on" : "off",
    secretRules("passwords", ">", "<", options.passwords),
    secretRules("hashed passwords", "#", "!", options.hashedPasswords),
    Arg.flag("nopass", options.nopass),
    permissionRules(options),
    Arg.flag("sanitize-payload", options.sanitizePayload),
    Arg.flag("skip-sanitize-payload", options.sanitizePayload === false),
    Arg.flag("resetroles", options.resetroles),
    ...list(options.roles).map((role) => `role=${role}`)
  ])

const permitted: Reply.Reply<string | undefined> = Reply.map(
  Reply.text,
  (answer) => answer === "OK" ? undefined : answer
)

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the categories of commands, or the commands of a category.
 *
 * Fails with `ResponseError` when there is no such category. O(1). Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclCat = define(
  "ACL CAT",
  (category?: string) => [category ?? Arg.none],
  Reply.array(Reply.text),
  "readonly"
)

/**
 * Deletes roles; returns how many of them existed.
 *
 * Fails with `ResponseError` and deletes none when a user has one of the roles. With no roles, returns 0 without a
 * round trip. O(N). Since Valkey 9.2.0, according to its documentation (not tested against a server). Redis does not
 * have roles.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclDelrole = define(
  "ACL DELROLE",
  (...roles: Arg.Many<string>) => {
    const names = Arg.many(roles)
    return names.length === 0 ? Arg.answer(0) : names
  },
  Reply.integer
)

/**
 * Deletes users and closes their connections; returns how many of the users existed.
 *
 * Fails with `ResponseError` for the user `default`, which cannot be deleted. With no users, returns 0 without a round
 * trip. O(1) for each. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclDeluser = define(
  "ACL DELUSER",
  (...usernames: Arg.Many<string>) => {
    const names = Arg.many(usernames)
    return names.length === 0 ? Arg.answer(0) : names
  },
  Reply.integer
)

/**
 * Returns a digest of all rules in effect as hexadecimal digits. Servers with the same users and roles have the same
 * digest.
 *
 * O(N) in the users and roles. Since Valkey 9.2.0, according to its documentation (not tested against a server). Redis
 * does not have it.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclDigest = define("ACL DIGEST", () => [], Reply.text, "readonly")

/**
 * Returns why a user may not run a command, or `undefined` when the user may. The command is not run.
 *
 * Fails with `ResponseError` when there is no such user or command. O(1). Since Redis 7.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclDryrun = define(
  "ACL DRYRUN",
  (username: string, command: string, ...args: Arg.Many<Arg.Value>) => [username, command, ...Arg.many(args)],
  permitted,
  "readonly"
)

/**
 * Returns a random password of `bits` bits (256 by default) as hexadecimal digits.
 *
 * O(1). Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclGenpass = define("ACL GENPASS", (bits?: number) => [bits ?? Arg.none], Reply.text, "readonly")

/**
 * Returns a role, `undefined` when there is no such role.
 *
 * O(N) in the rules. Since Valkey 9.2.0, according to its documentation (not tested against a server). Redis does not
 * have roles.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclGetrole = define("ACL GETROLE", (role: string) => [role], Reply.nullable(aclRole), "readonly")

/**
 * Returns a user, `undefined` when there is no such user.
 *
 * O(N) in the rules. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclGetuser = define("ACL GETUSER", (username: string) => [username], Reply.nullable(aclUser), "readonly")

/**
 * Returns the rules of all users, each as a line of an ACL file.
 *
 * O(N) in the users. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclList = define("ACL LIST", () => [], Reply.array(Reply.text), "readonly")

/**
 * Reloads all users from the ACL file; returns `true`.
 *
 * Fails with `ResponseError` and changes nothing when the server has no ACL file or the file has a wrong line. O(N) in
 * the users. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclLoad = define("ACL LOAD", () => [], Reply.ok)

/**
 * Returns the log of recent refusals, newest first, at most `count` entries (10 by default).
 *
 * `ageSeconds` is the time since the last refusal of the entry. The timestamps, in unix milliseconds, and `entryId` are
 * `undefined` before Redis 7.2.0. O(N) in the entries. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclLog = define("ACL LOG", (count?: number) => [count ?? Arg.none], Reply.array(aclLogEntry), "readonly")

/**
 * Empties the log of refusals; returns `true`.
 *
 * O(N) in the entries. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclLogReset = define("ACL LOG", () => ["RESET"], Reply.ok)

/**
 * Returns the names of all roles.
 *
 * O(N) in the roles. Since Valkey 9.2.0, according to its documentation (not tested against a server). Redis does not
 * have roles.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclRoles = define("ACL ROLES", () => [], Reply.array(Reply.text), "readonly")

/**
 * Writes all users to the ACL file; returns `true`.
 *
 * Fails with `ResponseError` when the server has no ACL file. O(N) in the users. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclSave = define("ACL SAVE", () => [], Reply.ok)

/**
 * Creates or changes a role; returns `true`. The change takes effect at once for all users who have the role.
 *
 * The rules are added to those that the role has. Fails with `DataError` when a rule has no `+` or `-`. Fails with
 * `ResponseError` and changes nothing when the server does not know a rule. O(N) in the rules, users and clients. Since
 * Valkey 9.2.0, according to its documentation (not tested against a server). Redis does not have roles.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclSetrole = define(
  "ACL SETROLE",
  (role: string, options: AclSetroleOptions = {}) => [role, roleRules(options)],
  Reply.ok
)

/**
 * Creates or changes a user; returns `true`.
 *
 * Without `reset`, the rules are added to those that the user has. The user is always disabled unless `enabled` is
 * `true`. Fails with `DataError` when a rule has no `+` or `-`, or when `nopass` is given with passwords; with
 * `ResponseError` when the server does not know a rule. O(N) in the rules. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclSetuser = define(
  "ACL SETUSER",
  (username: string, options: AclSetuserOptions = {}) =>
    options.nopass === true && (options.passwords !== undefined || options.hashedPasswords !== undefined)
      ? Arg.invalid("nopass does not go with passwords or hashedPasswords")
      : [username, rules(options)],
  Reply.ok
)

/**
 * Returns the names of all users.
 *
 * O(N) in the users. Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclUsers = define("ACL USERS", () => [], Reply.array(Reply.text), "readonly")

/**
 * Returns the name of the user that the connection is authenticated as.
 *
 * O(1). Since Redis 6.0.0.
 *
 * @category acl
 * @since 0.1.0
 */
export const aclWhoami = define("ACL WHOAMI", () => [], Reply.text)
