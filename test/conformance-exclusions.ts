/**
 * Where redfx and servers are meant to differ, with the reason, and what newer
 * servers have: data for the conformance test.
 */

/** The first versions with something. Valkey began as Redis 7.2.4 and has what that has. */
export interface Since {
  readonly redis?: string
  readonly valkey?: string
}

/** Commands of servers for which there is no function. */
export const notOffered: ReadonlyArray<{ readonly commands: RegExp; readonly reason: string }> = [
  { commands: /^(MULTI|EXEC|DISCARD|WATCH|UNWATCH)$/, reason: "sent by Redis.transaction and Redis.watch only" },
  {
    commands: /^[PS]?(UN)?SUBSCRIBE$/,
    reason: "sent by Redis.subscribe, Redis.psubscribe and Redis.ssubscribe only"
  },
  { commands: /^MONITOR$/, reason: "sent by Redis.monitor only, which reads what comes after it" },
  { commands: /^SENTINEL HELP$/, reason: "text for people at a terminal" },
  { commands: /^CLIENT REPLY$/, reason: "without replies nothing tells which command the next reply belongs to" },
  { commands: /^ASKING$/, reason: "sent by the cluster client in answer to a redirect only" },
  {
    commands: /^(SYNC|PSYNC|REPLCONF|RESTORE-ASKING|CLUSTER SYNCSLOTS|TRIMSLOTS|XIDMPRECORD)$/,
    reason: "spoken between servers only"
  },
  { commands: /^DEBUG$/, reason: "for those who work on servers, DEBUG OBJECT apart" },
  { commands: /^(HOST:|POST)$/, reason: "no commands: they stop HTTP requests" },
  { commands: /^STRALGO$/, reason: "replaced by LCS in Redis 7.0, which has STRALGO no more" }
]

/** Commands that not every server has, by the versions that brought them; several are divided by commas. */
export const newerCommands: ReadonlyArray<Since & { readonly commands: string }> = [
  {
    redis: "6.2.0",
    commands: "BLMOVE, CLIENT TRACKINGINFO, COPY, FAILOVER, GEOSEARCH, GEOSEARCHSTORE, GETDEL, GETEX, HRANDFIELD, " +
      "LMOVE, RESET, SMISMEMBER, XAUTOCLAIM, ZDIFF, ZDIFFSTORE, ZINTER, ZMSCORE, ZRANDMEMBER, ZRANGESTORE, ZUNION"
  },
  {
    redis: "7.0.0",
    commands: "BLMPOP, BZMPOP, EVALSHA_RO, EVAL_RO, EXPIRETIME, FCALL, FCALL_RO, FUNCTION DELETE, FUNCTION DUMP, " +
      "FUNCTION FLUSH, FUNCTION KILL, FUNCTION LIST, FUNCTION LOAD, FUNCTION RESTORE, FUNCTION STATS, LCS, LMPOP, " +
      "PEXPIRETIME, SINTERCARD, SORT_RO, SPUBLISH, ZINTERCARD, ZMPOP"
  },
  { redis: "6.2.0", commands: "PUBSUB HELP, SLOWLOG HELP" },
  { redis: "7.0.0", commands: "FUNCTION HELP" },
  // Older servers have it, but do not list it.
  { redis: "7.0.0", commands: "QUIT" },
  { redis: "7.2.0", commands: "CLIENT NO-TOUCH, CLIENT SETINFO, CLUSTER MYSHARDID, WAITAOF" },
  {
    redis: "7.4.0",
    valkey: "9.0.0",
    commands: "HEXPIRE, HEXPIREAT, HEXPIRETIME, HPERSIST, HPEXPIRE, HPEXPIREAT, HPEXPIRETIME, HPTTL, HTTL"
  },
  { redis: "8.0.0", valkey: "9.0.0", commands: "HGETEX, HSETEX" },
  { redis: "8.0.0", valkey: "9.1.0", commands: "HGETDEL" },
  {
    redis: "8.0.0",
    commands: "VADD, VCARD, VDIM, VEMB, VGETATTR, VINFO, VLINKS, VRANDMEMBER, VREM, VSETATTR, VSIM"
  },
  { redis: "8.2.0", commands: "VISMEMBER, XACKDEL, XDELEX" },
  { redis: "8.2.0", valkey: "8.0.0", commands: "CLUSTER SLOT-STATS" },
  { redis: "8.4.0", commands: "CLUSTER MIGRATION, DIGEST, VRANGE" },
  { redis: "8.4.0", valkey: "9.2.0", commands: "DELEX" },
  { redis: "8.4.0", valkey: "9.1.0", commands: "MSETEX" },
  { redis: "8.6.0", valkey: "9.2.0", commands: "HOTKEYS GET, HOTKEYS HELP, HOTKEYS RESET" },
  { redis: "8.6.0", commands: "HOTKEYS START, HOTKEYS STOP, XCFGSET" },
  {
    redis: "8.8.0",
    commands: "ARCOUNT, ARDEL, ARDELRANGE, ARGET, ARGETRANGE, ARGREP, ARINFO, ARINSERT, ARLASTITEMS, ARLEN, ARMGET, " +
      "ARMSET, ARNEXT, AROP, ARRING, ARSCAN, ARSEEK, ARSET, XNACK"
  },
  { redis: "8.8.0", valkey: "9.2.0", commands: "INCREX" },
  {
    redis: "8.10.0",
    commands: "BACKUP ABORT, BACKUP CLEANUP, BACKUP HELP, BACKUP LIST, BACKUP SEAL, BACKUP START, BACKUP STATUS, " +
      "BLMOVEM, HIMPORT DISCARD, HIMPORT DISCARDALL, HIMPORT PREPARE, HIMPORT SET, LMOVEM, SDIFFCARD, SUNIONCARD"
  },
  {
    valkey: "8.0.0",
    commands: "CLIENT CAPA, SCRIPT SHOW, SENTINEL GET-PRIMARY-ADDR-BY-NAME, SENTINEL IS-PRIMARY-DOWN-BY-ADDR, " +
      "SENTINEL PRIMARIES, SENTINEL PRIMARY"
  },
  {
    valkey: "8.1.0",
    commands: "CLIENT IMPORT-SOURCE, COMMANDLOG GET, COMMANDLOG HELP, COMMANDLOG LEN, COMMANDLOG RESET"
  },
  {
    valkey: "9.0.0",
    commands: "CLUSTER CANCELSLOTMIGRATIONS, CLUSTER FLUSHSLOT, CLUSTER GETSLOTMIGRATIONS, CLUSTER MIGRATESLOTS, " +
      "DELIFEQ"
  },
  { valkey: "9.1.0", commands: "CLUSTERSCAN" },
  {
    valkey: "9.2.0",
    commands:
      "ACL DELROLE, ACL DIGEST, ACL GETROLE, ACL ROLES, ACL SETROLE, PHCARD, PHDEL, PHDELPREFIX, PHEXISTS, PHGET, " +
      "PHGETALL, PHLONGEST, PHMGET, PHMSET, PHPREFIXES, PHSCAN, PHSET"
  }
]

/** Forms of commands that older servers do not know, by what the command looks like. */
export const newerForms: ReadonlyArray<Since & { readonly form: RegExp }> = [
  { redis: "6.2.0", form: /^[LR]POP \S+ \d+$/ },
  { redis: "6.2.0", form: /^HELLO$/ },
  { redis: "7.0.0", form: /^P?EXPIRE(AT)? .* (NX|XX|GT|LT)$/ },
  { redis: "7.0.0", form: /^XSETID .* ENTRIESADDED / },
  { redis: "7.2.0", form: /^Z(REV)?RANK .* WITHSCORE$/ },
  { redis: "8.4.0", form: /^XREADGROUP .* CLAIM / },
  { redis: "8.8.0", form: /^Z(INTER|UNION)(STORE)? .* AGGREGATE COUNT/ },
  { redis: "8.10.0", form: /^XREAD(GROUP)? .*MAX(COUNT|SIZE) / },
  { valkey: "9.2.0", form: /^ACL SETUSER .* role=/ },
  { valkey: "9.0.0", form: /^CLUSTER REPLICATE NO ONE$|^SENTINEL FAILOVER \S+ COORDINATED$/ },
  { valkey: "9.1.0", form: /^SCRIPT DEBUG \S+ \S+$/ }
]

/** Commands whose keys the server tells differently. */
export const otherKeys: ReadonlyArray<{ readonly form: RegExp; readonly reason: string }> = [
  { form: /^SPUBLISH /, reason: "a shard channel is no key to servers, but its slot says where to publish" },
  { form: /^CLUSTERSCAN /, reason: "the cursor of CLUSTERSCAN is no key to servers, but holds the slot to ask for" },
  { form: /^PFDEBUG /, reason: "Redis 6 takes PFDEBUG for a command without keys" },
  { form: /^DEBUG OBJECT /, reason: "servers tell no keys of DEBUG" },
  { form: /^PFMERGE \S+$/, reason: "merging nothing is accepted, but COMMAND GETKEYS refuses it" }
]

/** Commands that servers before a version flag differently. */
export const otherTraits: ReadonlyArray<Since & { readonly command: string; readonly reason: string }> = [
  { redis: "7.2.0", command: "WAIT", reason: "blocks, but is not flagged so" }
]

/**
 * Commands that neither read nor write data and must not be repeated all the same, by the name of the command or of the
 * function. The others of the kind ask the server about itself, as PING, TIME and INFO do.
 */
export const withoutData: ReadonlyArray<{ readonly commands: RegExp; readonly reason: string }> = [
  {
    commands:
      /^(AUTH|HELLO|QUIT|RESET|SELECT|READONLY|READWRITE|CLIENT (CACHING|CAPA|IMPORT-SOURCE|NO-|SET|TRACKING$))/,
    reason: "changes its connection, and another one would be changed the second time"
  },
  {
    commands: /^(ACL WHOAMI|CLIENT (GET|ID|INFO|TRACKINGINFO)|WAIT)/,
    reason: "answers about its connection, and another one would answer"
  },
  { commands: /^CLIENT (KILL|PAUSE|UNBLOCK|UNPAUSE)/, reason: "is about other clients, which go on meanwhile" },
  { commands: /^(ACL (DEL|LOAD|SAVE|SET)|Redis\.aclLogReset$)/, reason: "changes users, or what is known of them" },
  {
    commands:
      /^CLUSTER (ADD|BUMP|CANCEL|DEL|FAILOVER|FLUSH|FORGET|MEET|MIGRAT|REPLICATE$|RESET|SAVECONFIG|SET|COUNTKEYSINSLOT|GETKEYSINSLOT)/,
    reason:
      "changes the cluster; or tells what a slot holds, which is asked of its master alone, as a replica is behind"
  },
  {
    commands: /^(BACKUP (ABORT|CLEANUP|SEAL|START)|BG|SAVE|CONFIG (RE|SET)|FAILOVER|REPLICAOF|SLAVEOF|SHUTDOWN)/,
    reason: "changes the server, or makes it write a file"
  },
  {
    commands:
      /^(HOTKEYS (RESET|START|STOP)|(COMMANDLOG|LATENCY|SLOWLOG) RESET|MEMORY PURGE|MODULE (LOAD|UNLOAD)|PFSELFTEST)/,
    reason: "begins or throws away what the server keeps, or keeps it busy"
  },
  {
    commands: /^(SENTINEL (FAILOVER|FLUSH|IS-|MONITOR|REMOVE|RESET|SET|SIMULATE)|Redis\.sentinel(Config|Debug)Set$)/,
    reason: "changes the sentinel, or is its vote"
  },
  { commands: /^(SCRIPT (DEBUG|FLUSH|KILL|LOAD)|FUNCTION KILL)/, reason: "changes which code there is, or which runs" },
  { commands: /^(EVAL|EVALSHA|FCALL)$/, reason: "writes what its code writes" },
  { commands: /^S?PUBLISH$/, reason: "the message would go out twice" }
]

/** Commands that only read keys, and whose answers are not kept all the same. */
export const notCached: ReadonlyArray<{ readonly commands: RegExp; readonly reason: string }> = [
  { commands: /^H?P?(EXPIRETIME|TTL)$/, reason: "about how long something lives, which is no value" },
  {
    commands: /^(EVAL|EVALSHA|FCALL)_RO$/,
    reason: "code may ask for the time, for chance, for keys that it was not given"
  },
  { commands: /^SORT_RO$/, reason: "BY and GET read keys that are not among the arguments" },
  { commands: /^XREAD$/, reason: "$ means whatever is there when it is asked, and it may wait" },
  { commands: /^XINFO (GROUPS|STREAM)$/, reason: "about readers, whose reading changes no value" },
  { commands: /^MEMORY USAGE$/, reason: "about how a value is held" },
  { commands: /^TOUCH$/, reason: "sent for what it does to the server's own choice of keys" },
  { commands: /^V[A-Z]+$/, reason: "of vector sets, whose search is approximate, and links a matter of chance" }
]

/** Words that the documentation lists as tokens and that are no options. */
export const otherTokens: ReadonlyArray<{ readonly command: RegExp; readonly token: string; readonly reason: string }> =
  [
    { command: /^SORT(_RO)?$/, token: "ASC", reason: "the order without any word" },
    { command: /^CLIENT (KILL|LIST)$/, token: "PRIMARY", reason: "another word for MASTER, for Valkey alone" }
  ]
