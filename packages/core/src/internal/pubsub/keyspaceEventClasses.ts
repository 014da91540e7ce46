/**
 * The letters of a server's `notify-keyspace-events`, each of which makes the server report some events.
 */

/** The letters and the events behind them. Those of modules are named by their authors. */
const eventsByClass: Readonly<Record<string, string>> = {
  g: "copy_to del expire move_from move_to persist rename_from rename_to restore",
  $: "append incrby incrbyfloat pfadd set setbit setrange",
  l: "linsert lpop lpush lrem lset ltrim rpop rpush sortstore",
  s: "sadd sdiffstore sinterstore spop srem sunionstore",
  h: "hdel hexpire hexpired hincrby hincrbyfloat hpersist hset",
  z: "georadiusstore geosearchstore zadd zdiffstore zincr zinterstore zpopmax zpopmin zrangestore zrem " +
    "zremrangebylex zremrangebyrank zremrangebyscore zunionstore",
  t: "xadd xdel xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy xgroup-setid xsetid xtrim",
  x: "expired",
  e: "evicted",
  m: "keymiss",
  n: "new",
  o: "overwritten",
  c: "type_changed"
}

const classes: ReadonlyMap<string, string> = new Map(
  Object.entries(eventsByClass).flatMap(([letter, events]) => events.split(" ").map((event) => [event, letter]))
)

/**
 * The letters that `A` stands for: all but key misses, new keys and the former types of keys, which are common and
 * seldom wanted.
 */
const allButSome = "g$lshzxetd"

/**
 * The letters that a setting lacks to report some events, on channels of one kind (`K` or `E`). Without names any event
 * will do, and so it will for names that are not known.
 */
export const missingIn = (setting: string, kind: "K" | "E", names: ReadonlyArray<string> | undefined): string => {
  const set = new Set(setting.replace("A", allButSome))
  const wanted = new Set(names?.map((name) => classes.get(name)))
  wanted.delete(undefined)
  const missing = [kind, ...wanted].filter((letter) => letter !== undefined && !set.has(letter))
  const isSilent = [...set].every((letter) => letter === "K" || letter === "E")
  return missing.join("") + (isSilent && wanted.size === 0 ? "A" : "")
}
