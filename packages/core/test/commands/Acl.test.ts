import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { array as flat, bulk, map } from "@redfx/testing/ReplyText"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, wire } from "./table.ts"

const ok = "+OK\r\n"
const nil = ["$-1\r\n", "_\r\n"]
const bulks = (...texts: ReadonlyArray<string>): string => `*${texts.length}\r\n${texts.map(bulk).join("")}`
const set = (...texts: ReadonlyArray<string>): string => `~${texts.length}\r\n${texts.map(bulk).join("")}`
const digest = "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"

const modernUser = (record: typeof map, flags: typeof set): string =>
  record(
    bulk("flags"),
    flags("on", "sanitize-payload"),
    bulk("passwords"),
    bulks(digest),
    bulk("commands"),
    bulk("-@all +@read -@write +get +config|get"),
    bulk("keys"),
    bulk("~a:* ~b %R~c"),
    bulk("channels"),
    bulk("&ch"),
    bulk("databases"),
    bulk("db=0,1"),
    bulk("selectors"),
    `*1\r\n${
      record(
        bulk("commands"),
        bulk("-@all +set"),
        bulk("keys"),
        bulk("~z"),
        bulk("channels"),
        bulk(""),
        bulk("new-rule"),
        bulk("x")
      )
    }`,
    bulk("new-field"),
    ":5\r\n"
  )

const oldUser = (record: typeof map, flags: typeof set): string =>
  record(
    bulk("flags"),
    flags("off"),
    bulk("passwords"),
    bulks(),
    bulk("commands"),
    bulk("-@all +@read"),
    bulk("keys"),
    bulks("a:*", "b")
  )

const client = "id=11 addr=127.0.0.1:57616 fd=9 name= age=0 idle=0 flags=N db=0 sub=0 psub=0 multi=-1 qbuf=35 " +
  "qbuf-free=32733 obl=0 oll=0 omem=0 events=r cmd=auth user=default"
const denied = (record: typeof map, age: string, ...more: ReadonlyArray<string>): string =>
  `*1\r\n${
    record(
      bulk("count"),
      ":1\r\n",
      bulk("reason"),
      bulk("auth"),
      bulk("context"),
      bulk("toplevel"),
      bulk("object"),
      bulk("auth"),
      bulk("username"),
      bulk("nobody"),
      bulk("age-seconds"),
      age,
      bulk("client-info"),
      bulk(client),
      ...more
    )
  }`
const stamps = [
  bulk("entry-id"),
  ":0\r\n",
  bulk("timestamp-created"),
  ":1795259279913\r\n",
  bulk("timestamp-last-updated"),
  ":1795259279914\r\n"
]
const entry = {
  extra: {},
  count: 1,
  reason: "auth",
  context: "toplevel",
  object: "auth",
  username: "nobody",
  ageSeconds: 0.166,
  clientInfo: {
    id: 11,
    addr: "127.0.0.1:57616",
    fd: 9,
    name: "",
    age: 0,
    idle: 0,
    flags: "N",
    db: 0,
    sub: 0,
    psub: 0,
    multi: -1,
    qbuf: 35,
    qbufFree: 32733,
    obl: 0,
    oll: 0,
    omem: 0,
    events: "r",
    cmd: "auth",
    user: "default",
    extra: Object.create(null)
  }
}

commandTable("Acl", [
  ["ACL-01, CNV-16: lists categories", Redis.aclCat(), "ACL CAT", bulks("read", "write"), ["read", "write"]],
  ["ACL-01: lists the commands of a category", Redis.aclCat("hash"), "ACL CAT hash", bulks("hget"), ["hget"]],
  ["ACL-02, CNV-02: deletes users", Redis.aclDeluser("a", "b"), "ACL DELUSER a b", ":1\r\n", 1],
  ["tries a command", Redis.aclDryrun("u", "GET", "k"), "ACL DRYRUN u GET k", ok, undefined],
  [
    "tries a command that is forbidden",
    Redis.aclDryrun("u", "FLUSHALL"),
    "ACL DRYRUN u FLUSHALL",
    bulk("User u has no permissions to run the 'flushall' command"),
    "User u has no permissions to run the 'flushall' command"
  ],
  ["ACL-03, CNV-13: makes a password", Redis.aclGenpass(), "ACL GENPASS", bulk(digest), digest],
  ["makes a short password", Redis.aclGenpass(5), "ACL GENPASS 5", bulk("a0"), "a0"],
  ["ACL-04: there is no such user", Redis.aclGetuser("nobody"), "ACL GETUSER nobody", nil, undefined],
  [
    "ACL-04, REC-04, CNV-41: reads a user",
    Redis.aclGetuser("u"),
    "ACL GETUSER u",
    [modernUser(flat, bulks), modernUser(map, set)],
    {
      enabled: true,
      flags: new Set(["on", "sanitize-payload"]),
      passwords: [digest],
      commands: ["+get", "+config|get"],
      categories: ["-@all", "+@read", "-@write"],
      keys: ["a:*", "b", "%R~c"],
      channels: ["ch"],
      databases: "db=0,1",
      selectors: [{
        commands: ["+set"],
        categories: ["-@all"],
        keys: ["z"],
        channels: [],
        databases: undefined,
        extra: { "new-rule": "x" }
      }],
      extra: { "new-field": 5 }
    }
  ],
  [
    "REC-04: reads a user of Redis 6, where patterns are arrays",
    Redis.aclGetuser("u"),
    "ACL GETUSER u",
    [oldUser(flat, bulks), oldUser(map, set)],
    {
      enabled: false,
      flags: new Set(["off"]),
      passwords: [],
      commands: [],
      categories: ["-@all", "+@read"],
      keys: ["a:*", "b"],
      channels: undefined,
      databases: undefined,
      selectors: undefined,
      extra: {}
    }
  ],
  ["ACL-05, CNV-16: lists users as rules", Redis.aclList(), "ACL LIST", bulks("user default on"), ["user default on"]],
  ["ACL-06, CNV-07: reads the file", Redis.aclLoad(), "ACL LOAD", ok, true],
  [
    "reads what was refused",
    Redis.aclLog(),
    "ACL LOG",
    [flat, map].map((form) =>
      denied(form, form === flat ? bulk("0.166") : ",0.166\r\n", ...stamps, bulk("new-field"), bulk("x"))
    ),
    [{
      ...entry,
      entryId: 0,
      timestampCreated: 1795259279913,
      timestampLastUpdated: 1795259279914,
      extra: { "new-field": "x" }
    }]
  ],
  [
    "reads what old servers refused",
    Redis.aclLog(1),
    "ACL LOG 1",
    [denied(flat, bulk("0.166")), denied(map, ",0.166\r\n")],
    [{ ...entry, entryId: undefined, timestampCreated: undefined, timestampLastUpdated: undefined }]
  ],
  ["empties the log", Redis.aclLogReset(), "ACL LOG RESET", ok, true],
  ["ACL-07, CNV-07: writes the file", Redis.aclSave(), "ACL SAVE", ok, true],
  ["ACL-12, CNV-07: disables unless told otherwise", Redis.aclSetuser("u"), "ACL SETUSER u off", ok, true],
  ["ACL-12: enables", Redis.aclSetuser("u", { enabled: true }), "ACL SETUSER u on", ok, true],
  [
    "ACL-08 to ACL-11, ACL-14 to ACL-18: sends rules in the order that they need",
    Redis.aclSetuser("u", {
      keys: ["a:*", Uint8Array.of(98)],
      commands: ["+get", "-config|set"],
      categories: ["+read", "+@hash", "-@admin", "-set"],
      hashedPasswords: [`+${digest}`, `-${digest}`],
      passwords: ["+one", "-two"],
      enabled: true,
      resetpass: true,
      resetkeys: true,
      reset: true
    }),
    `ACL SETUSER u reset resetkeys resetpass on >one <two #${digest} !${digest} ` +
    "+@read +@hash -@admin -@set +get -config|set ~a:* ~b",
    ok,
    true
  ],
  ["ACL-13: any password", Redis.aclSetuser("u", { nopass: true }), "ACL SETUSER u off nopass", ok, true],
  ["ACL-14: one password", Redis.aclSetuser("u", { passwords: "+p+q" }), "ACL SETUSER u off >p+q", ok, true],
  [
    "ACL-14: passwords that nobody should see",
    Redis.aclSetuser("u", { passwords: { add: Redacted.make("new"), remove: ["old", Redacted.make("older")] } }),
    "ACL SETUSER u off >new <old <older",
    ok,
    true
  ],
  [
    "ACL-15: hashed passwords",
    Redis.aclSetuser("u", { hashedPasswords: { add: [digest], remove: digest } }),
    `ACL SETUSER u off #${digest} !${digest}`,
    ok,
    true
  ],
  [
    "sends the rules of newer servers",
    Redis.aclSetuser("u", {
      resetchannels: true,
      clearselectors: true,
      readKeys: ["r"],
      writeKeys: ["w"],
      channels: ["c*"],
      databases: [0, 1],
      selectors: ["+set ~z"],
      sanitizePayload: true
    }),
    "ACL SETUSER u resetchannels clearselectors off %R~r %W~w &c* db=0,1 \"(+set ~z)\" sanitize-payload",
    ok,
    true
  ],
  [
    "trusts payloads and allows all databases",
    Redis.aclSetuser("u", { databases: "all", sanitizePayload: false }),
    "ACL SETUSER u off alldbs skip-sanitize-payload",
    ok,
    true
  ],
  [
    "takes roles and gives others",
    Redis.aclSetuser("u", { enabled: true, resetroles: true, roles: ["reader", "ops"] }),
    "ACL SETUSER u on resetroles role=reader role=ops",
    ok,
    true
  ],
  ["makes a role", Redis.aclSetrole("r"), "ACL SETROLE r", ok, true],
  [
    "makes a role of rules, in the order that they need",
    Redis.aclSetrole("r", {
      selectors: ["+info"],
      databases: [0],
      channels: ["c*"],
      writeKeys: ["w"],
      readKeys: ["r"],
      keys: ["a:*"],
      commands: ["+get"],
      categories: ["+read"],
      clearselectors: true,
      resetchannels: true,
      resetkeys: true
    }),
    "ACL SETROLE r resetkeys resetchannels clearselectors +@read +get ~a:* %R~r %W~w &c* db=0 (+info)",
    ok,
    true
  ],
  [
    "reads a role",
    Redis.aclGetrole("reader"),
    "ACL GETROLE reader",
    [flat, map].map((record) =>
      record(
        bulk("commands"),
        bulk("-@all +@read"),
        bulk("keys"),
        bulk("~app:*"),
        bulk("channels"),
        bulk(""),
        bulk("databases"),
        bulk("alldbs"),
        bulk("selectors"),
        `*1\r\n${record(bulk("commands"), bulk("-@all +info"), bulk("keys"), bulk(""))}`,
        bulk("users"),
        bulks("alice")
      )
    ),
    {
      commands: [],
      categories: ["-@all", "+@read"],
      keys: ["app:*"],
      channels: [],
      databases: "alldbs",
      selectors: [{
        commands: ["+info"],
        categories: ["-@all"],
        keys: [],
        channels: undefined,
        databases: undefined,
        extra: {}
      }],
      users: ["alice"],
      extra: {}
    }
  ],
  ["reads no role", Redis.aclGetrole("r"), "ACL GETROLE r", nil, undefined],
  ["deletes roles", Redis.aclDelrole("r", "s"), "ACL DELROLE r s", ":1\r\n", 1],
  ["lists roles", Redis.aclRoles(), "ACL ROLES", bulks("ops", "reader"), ["ops", "reader"]],
  ["reads a digest of all rules", Redis.aclDigest(), "ACL DIGEST", bulk("0a1b"), "0a1b"],
  ["ACL-20, CNV-16: lists users", Redis.aclUsers(), "ACL USERS", bulks("default"), ["default"]],
  ["ACL-21, CNV-13: tells who I am", Redis.aclWhoami(), "ACL WHOAMI", bulk("default"), "default"]
])

answeredTable("Acl", [
  ["ACL-02: no users, none deleted", Redis.aclDeluser([]), 0],
  ["no roles, none deleted", Redis.aclDelrole([]), 0]
])

/** Rules as a caller without types could give them. */
const untyped = (options: unknown): Redis.AclSetuserOptions => options as Redis.AclSetuserOptions

refusedTable("Acl", [
  [
    "ACL-13: nopass with passwords",
    Redis.aclSetuser("u", untyped({ nopass: true, passwords: "+p" })),
    "nopass does not go with passwords or hashedPasswords"
  ],
  [
    "ACL-13: nopass with hashed passwords",
    Redis.aclSetuser("u", untyped({ nopass: true, hashedPasswords: "+p" })),
    "nopass does not go with passwords or hashedPasswords"
  ],
  [
    "ACL-14: a password without prefix",
    Redis.aclSetuser("u", untyped({ passwords: ["p"] })),
    "a rule on passwords begins with + or -"
  ],
  [
    "ACL-15: a hashed password without prefix",
    Redis.aclSetuser("u", untyped({ hashedPasswords: digest })),
    "a rule on hashed passwords begins with + or -"
  ],
  [
    "ACL-16: a category without prefix",
    Redis.aclSetuser("u", untyped({ categories: ["read"] })),
    "a rule on categories begins with + or -"
  ],
  [
    "ACL-17: a command without prefix",
    Redis.aclSetuser("u", untyped({ commands: ["get"] })),
    "a rule on commands begins with + or -"
  ]
])

describe("Acl", () => {
  it("ACL-14: prints no password", () => {
    const command = Redis.aclSetuser("u", { passwords: ["+hidden"], hashedPasswords: { add: "hidden" } })
    assert.strictEqual(wire(command), "ACL SETUSER u off >hidden #hidden")
    for (const printed of [String(command), JSON.stringify(command), inspect(command)]) {
      assert.notInclude(printed, "hidden")
    }
  })
})
