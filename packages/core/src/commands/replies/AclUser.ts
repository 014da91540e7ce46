/**
 * What servers return about their users: the permissions of each, and the refused attempts.
 *
 * @since 0.1.0
 */
import * as Reply from "../../RedisReply.ts"
import { clientInfo } from "./ClientInfo.ts"

/**
 * What a user, or one selector of a user, may do.
 *
 * @category acl
 * @since 0.1.0
 */
export interface AclPermissions {
  /** Rules on commands, such as `+get`, in their order. */
  readonly commands: ReadonlyArray<string>
  /** Rules on categories, such as `-@write`. */
  readonly categories: ReadonlyArray<string>
  /** Key patterns. A pattern only for reading begins with `%R~`, one only for writing with `%W~`. */
  readonly keys: ReadonlyArray<string>
  /** Patterns of channels; `undefined` before Redis 6.2.0. */
  readonly channels: ReadonlyArray<string> | undefined
  /** `alldbs`, or `db=` and numbers; `undefined` before Valkey 9.1.0 and on Redis. */
  readonly databases: string | undefined
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * A user.
 *
 * @category acl
 * @since 0.1.0
 */
export interface AclUser extends AclPermissions {
  /** Whether the user may authenticate. */
  readonly enabled: boolean
  /** `on` or `off`, `nopass` and other switches. */
  readonly flags: ReadonlySet<string>
  /** SHA-256 digests as hexadecimal digits. */
  readonly passwords: ReadonlyArray<string>
  /** Further permissions, each of which suffices; `undefined` before Redis 7.0.0. */
  readonly selectors: ReadonlyArray<AclPermissions> | undefined
}

/**
 * A role: permissions that are granted to users by its name.
 *
 * @category acl
 * @since 0.1.0
 */
export interface AclRole extends AclPermissions {
  /** Further permissions, each of which suffices. */
  readonly selectors: ReadonlyArray<AclPermissions>
  /** The names of the users who have the role. */
  readonly users: ReadonlyArray<string>
}

const words = (text: string): ReadonlyArray<string> => text.split(" ").filter((word) => word !== "")

/** Before Redis 7 patterns come as an array, since then as one text in which each has its sigil. */
const patterns = (sigil: string): Reply.Reply<ReadonlyArray<string>> =>
  Reply.make((value, view) =>
    Array.isArray(value)
      ? Reply.array(Reply.text).decode(value, view)
      : words(Reply.text.decode(value, view)).map((word) => word.startsWith(sigil) ? word.slice(1) : word)
  )

const permissionFields = {
  commands: Reply.map(Reply.text, words),
  keys: patterns("~"),
  channels: Reply.nullable(patterns("&")),
  databases: Reply.nullable(Reply.text)
} as const

const separate = <P extends Pick<AclPermissions, "commands">>(permissions: P) => ({
  ...permissions,
  commands: permissions.commands.filter((rule) => !rule.includes("@")),
  categories: permissions.commands.filter((rule) => rule.includes("@"))
})

const selector: Reply.Reply<AclPermissions> = Reply.map(Reply.struct(permissionFields), separate)

/**
 * A user as ACL GETUSER describes it.
 *
 * @category decoders
 * @since 0.1.0
 */
export const aclUser: Reply.Reply<AclUser> = Reply.map(
  Reply.struct({
    ...permissionFields,
    flags: Reply.textSet,
    passwords: Reply.array(Reply.text),
    selectors: Reply.nullable(Reply.array(selector))
  }),
  (user) => ({ ...separate(user), enabled: user.flags.has("on") })
)

/**
 * A role as ACL GETROLE describes it.
 *
 * @category decoders
 * @since 0.1.0
 */
export const aclRole: Reply.Reply<AclRole> = Reply.map(
  Reply.struct({ ...permissionFields, selectors: Reply.array(selector), users: Reply.array(Reply.text) }),
  separate
)

/**
 * A refused attempt as ACL LOG describes it.
 *
 * @category decoders
 * @since 0.1.0
 */
export const aclLogEntry = Reply.struct({
  count: Reply.integer,
  reason: Reply.text,
  context: Reply.text,
  object: Reply.blob,
  username: Reply.blob,
  ageSeconds: Reply.double,
  clientInfo,
  entryId: Reply.nullable(Reply.integer),
  timestampCreated: Reply.nullable(Reply.integer),
  timestampLastUpdated: Reply.nullable(Reply.integer)
})
