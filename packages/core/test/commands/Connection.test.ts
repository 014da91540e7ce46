import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { bulk, verbatim } from "@redfx/testing/ReplyText"
import * as Redacted from "effect/Redacted"
import { refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

// As Redis 8.6, 6.0 and Valkey 9.1 send them.
const client86 =
  "id=9 addr=127.0.0.1:49040 laddr=127.0.0.1:17386 fd=12 name= age=1 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=1024 rbp=11 obl=0 oll=0 omem=0 tot-mem=22810 events=r cmd=client|info user=default redir=-1 resp=2 lib-name= lib-ver= io-thread=0 tot-net-in=140 tot-net-out=35 tot-cmds=5\n"
const client60 =
  "id=5 addr=127.0.0.1:58170 fd=7 name= age=0 idle=0 flags=N db=0 sub=0 psub=0 multi=-1 qbuf=26 qbuf-free=32742 argv-mem=10 obl=0 oll=0 omem=0 tot-mem=61466 events=r cmd=client user=default\n"
const clientOdd = client60.replace("addr=127.0.0.1:58170", "addr=/tmp/a socket:0").replace(
  "name=",
  "name=a=b new-field=x field_2=y tot-cmds=9007199254740993"
)

const info60 = {
  id: 5,
  addr: "127.0.0.1:58170",
  fd: 7,
  name: "",
  age: 0,
  idle: 0,
  flags: "N",
  db: 0,
  sub: 0,
  psub: 0,
  multi: -1,
  qbuf: 26,
  qbufFree: 32742,
  argvMem: 10,
  obl: 0,
  oll: 0,
  omem: 0,
  totMem: 61466,
  events: "r",
  cmd: "client",
  user: "default",
  extra: {}
}
const info86 = {
  ...info60,
  id: 9,
  addr: "127.0.0.1:49040",
  laddr: "127.0.0.1:17386",
  fd: 12,
  age: 1,
  ssub: 0,
  watch: 0,
  qbufFree: 20448,
  multiMem: 0,
  rbs: 1024,
  rbp: 11,
  totMem: 22810,
  cmd: "client|info",
  redir: -1,
  resp: 2,
  libName: "",
  libVer: "",
  ioThread: 0,
  totNetIn: 140,
  totNetOut: 35,
  totCmds: 5
}

const hello = [
  "*16\r\n$17\r\navailability_zone\r\n$1\r\na\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:9\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*1\r\n*8\r\n$4\r\nname\r\n$9\r\nvectorset\r\n$3\r\nver\r\n:1\r\n$4\r\npath\r\n$0\r\n\r\n$4\r\nargs\r\n*0\r\n",
  "%8\r\n$17\r\navailability_zone\r\n$1\r\na\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:9\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*1\r\n%4\r\n$4\r\nname\r\n$9\r\nvectorset\r\n$3\r\nver\r\n:1\r\n$4\r\npath\r\n$0\r\n\r\n$4\r\nargs\r\n*0\r\n"
]
const helloValue = {
  server: "redis",
  version: "8.6.3",
  proto: 2,
  id: 9,
  mode: "standalone",
  role: "master",
  modules: [{ name: "vectorset", ver: 1, path: "", args: [] }],
  extra: { availability_zone: "a" }
}

const trackinginfo = [
  "*8\r\n$3\r\nnew\r\n*1\r\n:1\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$5\r\nbcast\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*1\r\n$1\r\np\r\n",
  "%4\r\n$3\r\nnew\r\n~1\r\n:1\r\n$5\r\nflags\r\n~2\r\n$2\r\non\r\n$5\r\nbcast\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*1\r\n$1\r\np\r\n"
]

commandTable("Connection", [
  ["CON-01, CNV-01: authenticates with a password", Redis.auth({ password: "pw" }), "AUTH pw", "+OK\r\n", true],
  ["CON-01: authenticates with a password alone", Redis.auth("pw"), "AUTH pw", "+OK\r\n", true],
  ["CON-01: authenticates with a redacted password alone", Redis.auth(Redacted.make("pw")), "AUTH pw", "+OK\r\n", true],
  [
    "CON-01: authenticates a user",
    Redis.auth({ username: "u", password: Redacted.make("pw") }),
    "AUTH u pw",
    "+OK\r\n",
    true
  ],
  ["tracks the keys of the next command", Redis.clientCaching("yes"), "CLIENT CACHING YES", "+OK\r\n", true],
  ["claims an ability", Redis.clientCapa("redirect"), "CLIENT CAPA redirect", "+OK\r\n", true],
  ["CON-05, CNV-14: reads the name", Redis.clientGetname(), "CLIENT GETNAME", bulk("me"), "me"],
  [
    "CON-05, CNV-14: has no name",
    Redis.clientGetname(),
    "CLIENT GETNAME",
    ["$-1\r\n", "_\r\n", "$0\r\n\r\n"],
    undefined
  ],
  ["reads whom messages go to", Redis.clientGetredir(), "CLIENT GETREDIR", ":-1\r\n", -1],
  ["CON-06, CNV-02: reads the id", Redis.clientId(), "CLIENT ID", ":9\r\n", 9],
  ["imports", Redis.clientImportSource("on"), "CLIENT IMPORT-SOURCE ON", "+OK\r\n", true],
  [
    "REC-02, CNV-41: reads about itself",
    Redis.clientInfo(),
    "CLIENT INFO",
    [bulk(client86), verbatim(client86)],
    info86
  ],
  ["CON-07, CNV-12: closes one client", Redis.clientKill("127.0.0.1:1"), "CLIENT KILL 127.0.0.1:1", "+OK\r\n", true],
  [
    "CON-08, CNV-12: closes clients by filter",
    Redis.clientKillFilter({ id: 7, type: "normal", addr: "127.0.0.1:1", skipme: false }),
    "CLIENT KILL ID 7 TYPE normal ADDR 127.0.0.1:1 SKIPME no",
    ":1\r\n",
    1
  ],
  [
    "CON-08: closes clients by every other filter",
    Redis.clientKillFilter({ user: "u", laddr: "l", skipme: true, maxage: "1 minute" }),
    "CLIENT KILL USER u LADDR l SKIPME yes MAXAGE 60",
    ":0\r\n",
    0
  ],
  [
    "takes the filters of Valkey",
    Redis.clientList({
      name: "n",
      idle: 5,
      flags: "N",
      libName: "l",
      libVer: "1",
      db: 0,
      capa: "r",
      ip: "i",
      notType: "pubsub",
      notId: [1, 2],
      notUser: "u",
      notAddr: "a",
      notLaddr: "l",
      notName: "n",
      notFlags: "P",
      notLibName: "l",
      notLibVer: "2",
      notDb: 1,
      notCapa: "r",
      notIp: "j"
    }),
    "CLIENT LIST NAME n IDLE 5 FLAGS N LIB-NAME l LIB-VER 1 DB 0 CAPA r IP i NOT-TYPE pubsub NOT-ID 1 2 NOT-USER u NOT-ADDR a NOT-LADDR l NOT-NAME n NOT-FLAGS P NOT-LIB-NAME l NOT-LIB-VER 2 NOT-DB 1 NOT-CAPA r NOT-IP j",
    bulk(""),
    []
  ],
  ["CON-09, REC-02, CNV-41: lists clients", Redis.clientList(), "CLIENT LIST", [
    bulk(client86 + client60),
    verbatim(client86 + client60)
  ], [info86, info60]],
  ["CON-09: lists clients of a type", Redis.clientList({ type: "replica" }), "CLIENT LIST TYPE replica", [
    "$0\r\n\r\n",
    "=4\r\ntxt:\r\n"
  ], []],
  ["lists clients by id", Redis.clientList({ id: [1, 2n] }), "CLIENT LIST ID 1 2", bulk(""), []],
  [
    "REC-02: keeps what it does not know, and splits at the first =",
    Redis.clientList(),
    "CLIENT LIST",
    bulk(clientOdd),
    [{
      ...info60,
      addr: "/tmp/a socket:0",
      name: "a=b",
      extra: { "new-field": "x", field_2: "y", "tot-cmds": "9007199254740993" }
    }]
  ],
  ["guards the connection", Redis.clientNoEvict("on"), "CLIENT NO-EVICT ON", "+OK\r\n", true],
  ["touches nothing", Redis.clientNoTouch("off"), "CLIENT NO-TOUCH OFF", "+OK\r\n", true],
  ["CON-10, CNV-07: pauses all clients", Redis.clientPause("2 seconds"), "CLIENT PAUSE 2000", "+OK\r\n", true],
  ["CON-10: pauses writes", Redis.clientPause(50, "write"), "CLIENT PAUSE 50 WRITE", "+OK\r\n", true],
  ["tells its library", Redis.clientSetinfo("lib-name", "mine"), "CLIENT SETINFO LIB-NAME mine", "+OK\r\n", true],
  ["CON-11, CNV-07: sets the name", Redis.clientSetname("me"), "CLIENT SETNAME me", "+OK\r\n", true],
  [
    "tracks prefixes",
    Redis.clientTracking("on", { redirect: 7, bcast: true, prefix: ["a:", "b:"], noloop: true }),
    "CLIENT TRACKING ON REDIRECT 7 PREFIX a: PREFIX b: BCAST NOLOOP",
    "+OK\r\n",
    true
  ],
  [
    "tracks what is asked for",
    Redis.clientTracking("on", { optin: true }),
    "CLIENT TRACKING ON OPTIN",
    "+OK\r\n",
    true
  ],
  [
    "tracks all but what is not asked for",
    Redis.clientTracking("on", { optout: true }),
    "CLIENT TRACKING ON OPTOUT",
    "+OK\r\n",
    true
  ],
  ["tracks no more", Redis.clientTracking("off"), "CLIENT TRACKING OFF", "+OK\r\n", true],
  ["reads how keys are tracked", Redis.clientTrackinginfo(), "CLIENT TRACKINGINFO", trackinginfo, {
    flags: new Set(["on", "bcast"]),
    redirect: 0,
    prefixes: ["p"],
    extra: { new: [1] }
  }],
  ["CON-12, CNV-11: unblocks with an error", Redis.clientUnblock(7, "error"), "CLIENT UNBLOCK 7 ERROR", ":1\r\n", true],
  ["CON-12, CNV-11: has nothing to unblock", Redis.clientUnblock(7), "CLIENT UNBLOCK 7", ":0\r\n", false],
  ["ends a pause", Redis.clientUnpause(), "CLIENT UNPAUSE", "+OK\r\n", true],
  ["CON-04: echoes", Redis.echo("hi"), "ECHO hi", "$2\r\nhi\r\n", "hi"],
  ["greets", Redis.hello(), "HELLO", hello, helloValue],
  [
    "greets with all there is to say",
    Redis.hello({ protover: 3, auth: { password: "pw" }, setname: "me" }),
    "HELLO 3 AUTH default pw SETNAME me",
    hello,
    helloValue
  ],
  ["CON-03, CNV-09: pings", Redis.ping(), "PING", "+PONG\r\n", true],
  ["pings with a message", Redis.pingMessage("hello"), "PING hello", "$5\r\nhello\r\n", "hello"],
  ["quits", Redis.quit(), "QUIT", "+OK\r\n", true],
  ["CON-13, CNV-07: reads from replicas", Redis.readonly(), "READONLY", "+OK\r\n", true],
  ["CON-14, CNV-07: reads from replicas no more", Redis.readwrite(), "READWRITE", "+OK\r\n", true],
  ["resets", Redis.reset(), "RESET", "+RESET\r\n", true],
  ["CON-02, CNV-07: selects a database", Redis.select(3), "SELECT 3", "+OK\r\n", true]
])

refusedTable("Connection", [
  ["CON-08: no filter", Redis.clientKillFilter({}), "needs at least one filter"],
  [
    "CON-08: a type that does not exist",
    // @ts-expect-error no such type
    Redis.clientKillFilter({ type: "strange" }),
    "TYPE is one of normal, master, slave, replica, pubsub"
  ],
  [
    "CON-08: a skipme that is not a boolean",
    // @ts-expect-error not a boolean
    Redis.clientKillFilter({ skipme: "yes" }),
    "SKIPME is true, false or left out, and not text"
  ],
  [
    "CON-09: a type that does not exist",
    // @ts-expect-error no such type
    Redis.clientList({ type: "strange" }),
    "TYPE is one of normal, master, slave, replica, pubsub"
  ],
  ["CON-10: a pause that is not whole", Redis.clientPause(1.5), "needs a whole number of milliseconds"],
  ["no ability", Redis.clientCapa(), "needs at least one capability"]
])

it("CON-01: a password is never printed", () => {
  for (
    const command of [
      Redis.auth({ username: "u", password: "geheim" }),
      Redis.hello({ protover: 3, auth: { password: "geheim" } })
    ]
  ) {
    assert.notInclude(String(command), "geheim")
    assert.notInclude(JSON.stringify(command), "geheim")
  }
})

it("CON-02: what changes a connection is marked", () => {
  for (
    const command of [
      Redis.select(1),
      Redis.auth({ password: "x" }),
      Redis.hello(),
      Redis.reset()
    ]
  ) {
    assert.isTrue(command.spec.traits.has("stateful"), command.spec.name)
  }
  assert.isTrue(Redis.clientSetname.spec.ordinary)
})

it("REC-02: refuses a line that is not about a client", () => {
  assert.propertyVal(decoded(Redis.clientInfo(), bulk("nonsense")), "_tag", "Failure")
})

it("REC-02: refuses a line without a field that every client has", () => {
  const always = "id addr fd name age idle flags db sub psub multi qbuf qbuf-free obl oll omem events cmd".split(" ")
  const line = (names: ReadonlyArray<string>) => bulk(names.map((name) => `${name}=1`).join(" "))
  assert.propertyVal(decoded(Redis.clientInfo(), line(always)), "qbufFree", 1)
  for (const name of always) {
    const exit = decoded(Redis.clientInfo(), line(always.filter((other) => other !== name)))
    assert.propertyVal(exit, "_tag", "Failure", name)
  }
  // A number that JavaScript cannot hold is none.
  assert.propertyVal(decoded(Redis.clientInfo(), line([...always, "fd=9007199254740993"])), "fd", 1)
})

it("CON-06: reads the id as a bigint", () => {
  assert.strictEqual(decoded(RedisCommand.asBigInt(Redis.clientId()), ":9\r\n"), 9n)
})
