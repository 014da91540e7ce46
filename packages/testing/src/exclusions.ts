/**
 * Tests of the live suites that do not apply to a deployment, and why.
 */

/** The deployment on which the suites run. */
export interface Deployment {
  readonly topology: "standalone" | "sentinel" | "cluster"
  /** Whether the client adds a prefix to keys. */
  readonly prefixed?: boolean | undefined
}

/** Parts of the titles of tests, each of which no other test has, by the reason why the tests do not apply. */
type Exclusions = Readonly<Record<string, ReadonlyArray<string>>>

const notOnCluster: Exclusions = {
  "every server of a cluster has users of its own: ACL commands are refused": [
    "ACL-01: lists categories",
    "ACL-02, ACL-05, ACL-20",
    "ACL-03: makes passwords",
    "ACL-04, ACL-08, ACL-12",
    "ACL-06, ACL-07",
    "ACL-09, ACL-10, ACL-11",
    "ACL-11, ACL-13",
    "ACL-12, ACL-19",
    "ACL-14, ACL-15",
    "ACL-14, ACL-16, ACL-18",
    "ACL-21: tells whom a connection is",
    "ACL HELP",
    "tells what was refused",
    "tries a command",
    "REC-04: reads channels and selectors"
  ],
  "a cluster has one database": [
    "CON-02: changes the database",
    "KEY-08: moves a key to another database",
    "KEY-15: picks a key, undefined from an empty database",
    "REC-01: tells of databases",
    "SRV-11, SRV-14, SRV-15"
  ],
  "it is about one connection, or about one server's clients": [
    "CON-05, CON-06, CON-11: names one connection",
    "CON-07, CON-08: closes other clients",
    "CON-09, REC-02: lists clients",
    "CON-12: unblocks a client",
    "CON-13, CON-14: READONLY is for clusters",
    "KEY-25: refuses to wait for the writes of an unknown connection",
    "REC-02: reads about itself",
    "greets"
  ],
  "a cluster does not allow what may touch keys of other slots": [
    "KEY-21: sorts by and gets what is at other keys",
    "KEY-21: sorts, stores and refuses text",
    "sorts without writing"
  ],
  "the test subscribes or asks on some server, and its messages and counts are another one's": [
    "PSC-01: counts who got a message",
    "counts calls by time",
    "publishes to shard channels, and tells of them"
  ],
  "it is for one server": [
    "PSC-09: finds no script to end",
    "tells what is loaded and what runs",
    "SRV-01, SRV-02, SRV-03, SRV-04: saves, and tells when",
    "SRV-06: a master stays one when told to replicate nobody",
    "SRV-16, REC-01: tells of itself",
    "has nobody to hand over to, and is not stopping",
    "measures hot keys",
    "tells of its modules, and draws"
  ]
}

const notOnSentinel: Exclusions = {
  "the master has a replica": ["SRV-06: a master stays one when told to replicate nobody"],
  "the master would hand over to its replica, behind the back of the sentinels": [
    "has nobody to hand over to, and is not stopping"
  ]
}

const notPrefixed: Exclusions = {
  "picking a key, counting and measuring them and emptying a database are for the keys of everybody, and refused": [
    "KEY-15: picks a key, undefined from an empty database",
    "REC-01: tells of databases",
    "SRV-11, SRV-14, SRV-15",
    "measures hot keys"
  ],
  "servers would name keys as they know them: CLIENT TRACKING is refused": ["tracks keys and tells how"],
  "the test looks at the other server with a client without a prefix": ["KEY-07: migrates keys to another server"],
  "users, the slow log and what a script returns name keys as servers know them": [
    "ACL-14, ACL-16, ACL-18",
    "PSC-06, PSC-10: runs a script that was loaded",
    "SRV-20, SRV-21, SRV-22, REC-03",
    "reads the logs of Valkey"
  ]
}

const exclusionsOn = { standalone: {}, sentinel: notOnSentinel, cluster: notOnCluster } as const

/** Why a test does not apply to a deployment, `undefined` when it does. */
export const exclusion = (title: string, { prefixed = false, topology }: Deployment): string | undefined => {
  const tables: ReadonlyArray<Exclusions> = [prefixed ? notPrefixed : {}, exclusionsOn[topology]]
  const reasons = tables.flatMap((table) => Object.entries(table))
  return reasons.find(([, titles]) => titles.some((part) => title.includes(part)))?.[0]
}
