/**
 * What redis-py 3.5 offers and what redfx has for it: `id | redis-py | redfx`, one line each. Nothing in the last
 * place: it does not carry over, or is not there yet.
 */
export const sections: ReadonlyArray<readonly [title: string, rows: string]> = [
  [
    "Entry points",
    String.raw`
    ENT-01 | Redis, StrictRedis | 'NodeRedisClient.layer', 'RedisStandalone.layer'
    ENT-02 | is_colony | 'NodeRedisClient.layerConfig'
    ENT-03 | ConnectionPool | 'NodeRedisClient.layerPool', 'RedisPool.layer'
    ENT-04 | Redis(connection_pool) | 'RedisStandalone.layerFromPool'
    ENT-05 | BlockingConnectionPool | 'pool: { max, acquireTimeout }'
    ENT-06 | Redis.from_url | 'NodeRedisClient.layerUrl', 'RedisUrl.parse'
    ENT-07 | RedisCluster | 'NodeRedisClient.layerCluster', 'RedisCluster.layer'
    ENT-08 | RedisCluster.from_url | 'NodeRedisClient.layerUrl', 'RedisUrl.parse'
    ENT-09 | Sentinel | 'RedisSentinel.layer'
    ENT-10 | Sentinel.master_for | 'NodeRedisClient.layerSentinel', 'RedisSentinel.layerClient'
    ENT-11 | Sentinel.slave_for | 'NodeRedisClient.layerReplica', 'RedisSentinel.RedisReplica'
    ENT-12 | close | the scope of the Layer
    ENT-13 | client | 'Redis.withConnection'
    ENT-14 | ConnectionPool.disconnect, reset | 'disconnect' of 'RedisPool'
    ENT-15 | Redis | 'connect'
    ENT-16 | Redis.__repr__ | 'toString' of 'RedisClient'
    ENT-17 | Redis | the functions of 'Redis'
  `
  ],
  [
    "Connection options",
    String.raw`
    CFG-01 | host | 'host'
    CFG-02 | port | 'port'
    CFG-03 | db | 'db'
    CFG-04 | password | 'password'
    CFG-05 | username | 'username'
    CFG-06 | socket_timeout | 'commandTimeout'
    CFG-07 | socket_connect_timeout | 'connectTimeout'
    CFG-08 | socket_keepalive | 'keepAlive'
    CFG-09 | socket_keepalive_options | 'keepAliveInitialDelay'
    CFG-10 | connection_pool | 'RedisStandalone.layerFromPool'
    CFG-11 | unix_socket_path | 'path'
    CFG-12 | encoding | always UTF-8
    CFG-13 | encoding_errors | 'textDecoding'
    CFG-14 | charset |
    CFG-15 | errors |
    CFG-16 | decode_responses | 'Redis.asBytes'
    CFG-17 | retry_on_timeout | 'retryOnTimeout'
    CFG-18 | ssl | 'tls'
    CFG-19 | ssl_keyfile | 'tls.key'
    CFG-20 | ssl_certfile | 'tls.cert'
    CFG-21 | ssl_cert_reqs | 'tls.verify'
    CFG-22 | ssl_ca_certs | 'tls.ca'
    CFG-23 | ssl_check_hostname | 'tls.checkHostname'
    CFG-24 | max_connections | 'pool.max'
    CFG-25 | single_connection_client | 'pool: "single"'
    CFG-26 | health_check_interval | 'healthCheckInterval'
    CFG-27 | client_name | 'clientName'
    CFG-28 | socket_type, socket_read_size, parser_class |
    CFG-29 | connection_class | 'RedisConnector'
    CFG-30 | Connection.on_connect | the handshake of each connection
    CFG-31 | ConnectionPool.get_connection | 'RedisPool'
    CFG-32 | Redis.execute_command | 'RedisError.isSafeToRetry'
    CFG-33 | ChildDeadlockedError |
    CFG-34 | PythonParser, HiredisParser | 'protocol'
    CFG-35 | Connection(**kwargs) | the types of the options
  `
  ],
  [
    "Pools",
    String.raw`
    POOL-01 | ConnectionPool | 'RedisPool.layer'
    POOL-02 | ConnectionPool | 'RedisPool.layer'
    POOL-03 | Redis | 'RedisPool.layer'
    POOL-04 | ConnectionPool, BlockingConnectionPool | 'pool.acquireTimeout'
    POOL-05 | ConnectionPool.release | 'RedisPool.layer'
    POOL-06 | ConnectionError | 'RedisError.ConnectionError'
  `
  ],
  [
    "Strings",
    String.raw`
    STR-01 | append | 'Redis.append'
    STR-02 | decr | 'Redis.decr'
    STR-03 | decrby | 'Redis.decrby'
    STR-04 | get | 'Redis.get'
    STR-05 | getrange | 'Redis.getrange'
    STR-06 | getset | 'Redis.getset'
    STR-07 | incr | 'Redis.incr'
    STR-08 | incrby | 'Redis.incrby'
    STR-09 | incrbyfloat | 'Redis.incrbyfloat'
    STR-10 | mget | 'Redis.mget'
    STR-11 | mset | 'Redis.mset'
    STR-12 | msetnx | 'Redis.msetnx'
    STR-13 | psetex | 'Redis.psetex'
    STR-14 | set | 'Redis.set'
    STR-15 | setex | 'Redis.setex'
    STR-16 | setnx | 'Redis.setnx'
    STR-17 | setrange | 'Redis.setrange'
    STR-18 | strlen | 'Redis.strlen'
    STR-19 | substr | 'Redis.substr'
  `
  ],
  [
    "Bitmaps",
    String.raw`
    BIT-01 | bitcount | 'Redis.bitcount'
    BIT-02 | bitfield | 'Redis.bitfield'
    BIT-03 | BitFieldOperation.get | 'Redis.bitfield'
    BIT-04 | BitFieldOperation.set | 'Redis.bitfield'
    BIT-05 | BitFieldOperation.incrby | 'Redis.bitfield'
    BIT-06 | BitFieldOperation.overflow | 'Redis.bitfield'
    BIT-07 | BitFieldOperation.execute, reset, command | 'Redis.bitfield'
    BIT-08 | bitop | 'Redis.bitop'
    BIT-09 | bitpos | 'Redis.bitpos'
    BIT-10 | getbit | 'Redis.getbit'
    BIT-11 | setbit | 'Redis.setbit'
  `
  ],
  [
    "Keys",
    String.raw`
    KEY-01 | delete | 'Redis.del'
    KEY-02 | dump | 'Redis.dump'
    KEY-03 | exists | 'Redis.exists'
    KEY-04 | expire | 'Redis.expire'
    KEY-05 | expireat | 'Redis.expireat'
    KEY-06 | keys | 'Redis.keys'
    KEY-07 | migrate | 'Redis.migrate'
    KEY-08 | move | 'Redis.move'
    KEY-09 | object | 'Redis.objectEncoding', 'Redis.objectIdletime', 'Redis.objectRefcount', 'Redis.objectFreq'
    KEY-10 | persist | 'Redis.persist'
    KEY-11 | pexpire | 'Redis.pexpire'
    KEY-12 | pexpireat | 'Redis.pexpireat'
    KEY-13 | pttl | 'Redis.pttl'
    KEY-14 | ttl | 'Redis.ttl'
    KEY-15 | randomkey | 'Redis.randomkey'
    KEY-16 | rename | 'Redis.rename'
    KEY-17 | renamenx | 'Redis.renamenx'
    KEY-18 | restore | 'Redis.restore'
    KEY-19 | scan | 'Redis.scan'
    KEY-20 | scan_iter | 'Redis.scanStream'
    KEY-21 | sort | 'Redis.sort', 'Redis.sortGroups', 'Redis.sortStore'
    KEY-22 | touch | 'Redis.touch'
    KEY-23 | type | 'Redis.type'
    KEY-24 | unlink | 'Redis.unlink'
    KEY-25 | wait | 'Redis.wait'
    KEY-26 | watch | 'Redis.watch'
    KEY-27 | unwatch | 'Redis.watch'
  `
  ],
  [
    "Lists",
    String.raw`
    LST-01 | blpop | 'Redis.blpop'
    LST-02 | brpop | 'Redis.brpop'
    LST-03 | brpoplpush | 'Redis.brpoplpush'
    LST-04 | lindex | 'Redis.lindex'
    LST-05 | linsert | 'Redis.linsert'
    LST-06 | llen | 'Redis.llen'
    LST-07 | lpop | 'Redis.lpop'
    LST-08 | rpop | 'Redis.rpop'
    LST-09 | lpush | 'Redis.lpush'
    LST-10 | rpush | 'Redis.rpush'
    LST-11 | lpushx | 'Redis.lpushx'
    LST-12 | rpushx | 'Redis.rpushx'
    LST-13 | lrange | 'Redis.lrange'
    LST-14 | lrem | 'Redis.lrem'
    LST-15 | lset | 'Redis.lset'
    LST-16 | ltrim | 'Redis.ltrim'
    LST-17 | rpoplpush | 'Redis.rpoplpush'
  `
  ],
  [
    "Hashes",
    String.raw`
    HSH-01 | hdel | 'Redis.hdel'
    HSH-02 | hexists | 'Redis.hexists'
    HSH-03 | hget | 'Redis.hget'
    HSH-04 | hgetall | 'Redis.hgetall'
    HSH-05 | hincrby | 'Redis.hincrby'
    HSH-06 | hincrbyfloat | 'Redis.hincrbyfloat'
    HSH-07 | hkeys | 'Redis.hkeys'
    HSH-08 | hlen | 'Redis.hlen'
    HSH-09 | hmget | 'Redis.hmget'
    HSH-10 | hmset | 'Redis.hmset'
    HSH-11 | hset | 'Redis.hset'
    HSH-12 | hsetnx | 'Redis.hsetnx'
    HSH-13 | hstrlen | 'Redis.hstrlen'
    HSH-14 | hvals | 'Redis.hvals'
    HSH-15 | hscan | 'Redis.hscan'
    HSH-16 | hscan_iter | 'Redis.hscanStream'
  `
  ],
  [
    "Sets",
    String.raw`
    SET-01 | sadd | 'Redis.sadd'
    SET-02 | scard | 'Redis.scard'
    SET-03 | sdiff | 'Redis.sdiff'
    SET-04 | sinter | 'Redis.sinter'
    SET-05 | sunion | 'Redis.sunion'
    SET-06 | sdiffstore | 'Redis.sdiffstore'
    SET-07 | sinterstore | 'Redis.sinterstore'
    SET-08 | sunionstore | 'Redis.sunionstore'
    SET-09 | sismember | 'Redis.sismember'
    SET-10 | smembers | 'Redis.smembers'
    SET-11 | smove | 'Redis.smove'
    SET-12 | spop | 'Redis.spop'
    SET-13 | srandmember | 'Redis.srandmember'
    SET-14 | srem | 'Redis.srem'
    SET-15 | sscan | 'Redis.sscan'
    SET-16 | sscan_iter | 'Redis.sscanStream'
  `
  ],
  [
    "Sorted sets",
    String.raw`
    ZST-01 | zadd | 'Redis.zadd'
    ZST-02 | zcard | 'Redis.zcard'
    ZST-03 | zcount | 'Redis.zcount'
    ZST-04 | zincrby | 'Redis.zincrby'
    ZST-05 | zlexcount | 'Redis.zlexcount'
    ZST-06 | zpopmax | 'Redis.zpopmax'
    ZST-07 | zpopmin | 'Redis.zpopmin'
    ZST-08 | bzpopmax | 'Redis.bzpopmax'
    ZST-09 | bzpopmin | 'Redis.bzpopmin'
    ZST-10 | zrange | 'Redis.zrange'
    ZST-11 | zrevrange | 'Redis.zrevrange'
    ZST-12 | zrangebyscore | 'Redis.zrangebyscore'
    ZST-13 | zrevrangebyscore | 'Redis.zrevrangebyscore'
    ZST-14 | zrangebylex | 'Redis.zrangebylex'
    ZST-15 | zrevrangebylex | 'Redis.zrevrangebylex'
    ZST-16 | zrank | 'Redis.zrank'
    ZST-17 | zrevrank | 'Redis.zrevrank'
    ZST-18 | zrem | 'Redis.zrem'
    ZST-19 | zremrangebylex | 'Redis.zremrangebylex'
    ZST-20 | zremrangebyrank | 'Redis.zremrangebyrank'
    ZST-21 | zremrangebyscore | 'Redis.zremrangebyscore'
    ZST-22 | zscore | 'Redis.zscore'
    ZST-23 | zinterstore | 'Redis.zinterstore'
    ZST-24 | zunionstore | 'Redis.zunionstore'
    ZST-25 | zscan | 'Redis.zscan'
    ZST-26 | zscan_iter | 'Redis.zscanStream'
  `
  ],
  [
    "HyperLogLogs",
    String.raw`
    HLL-01 | pfadd | 'Redis.pfadd'
    HLL-02 | pfcount | 'Redis.pfcount'
    HLL-03 | pfmerge | 'Redis.pfmerge'
  `
  ],
  [
    "Positions",
    String.raw`
    GEO-01 | geoadd | 'Redis.geoadd'
    GEO-02 | geodist | 'Redis.geodist'
    GEO-03 | geohash | 'Redis.geohash'
    GEO-04 | geopos | 'Redis.geopos'
    GEO-05 | georadius | 'Redis.georadius'
    GEO-06 | georadiusbymember | 'Redis.georadiusbymember'
  `
  ],
  [
    "Streams",
    String.raw`
    XST-01 | xack | 'Redis.xack'
    XST-02 | xadd | 'Redis.xadd'
    XST-03 | xclaim | 'Redis.xclaim'
    XST-04 | xdel | 'Redis.xdel'
    XST-05 | xgroup_create | 'Redis.xgroupCreate'
    XST-06 | xgroup_delconsumer | 'Redis.xgroupDelconsumer'
    XST-07 | xgroup_destroy | 'Redis.xgroupDestroy'
    XST-08 | xgroup_setid | 'Redis.xgroupSetid'
    XST-09 | xinfo_consumers | 'Redis.xinfoConsumers'
    XST-10 | xinfo_groups | 'Redis.xinfoGroups'
    XST-11 | xinfo_stream | 'Redis.xinfoStream'
    XST-12 | xlen | 'Redis.xlen'
    XST-13 | xpending | 'Redis.xpending'
    XST-14 | xpending_range | 'Redis.xpendingRange'
    XST-15 | xrange | 'Redis.xrange'
    XST-16 | xrevrange | 'Redis.xrevrange'
    XST-17 | xread | 'Redis.xread'
    XST-18 | xreadgroup | 'Redis.xreadgroup'
    XST-19 | xtrim | 'Redis.xtrim'
    XST-20 | xread, xreadgroup | 'Redis.xreadStream', 'Redis.xreadgroupStream'
  `
  ],
  [
    "Publishing and scripts",
    String.raw`
    PSC-01 | publish | 'Redis.publish'
    PSC-02 | pubsub_channels | 'Redis.pubsubChannels'
    PSC-03 | pubsub_numpat | 'Redis.pubsubNumpat'
    PSC-04 | pubsub_numsub | 'Redis.pubsubNumsub'
    PSC-05 | eval | 'Redis.eval'
    PSC-06 | evalsha | 'Redis.evalsha'
    PSC-07 | script_exists | 'Redis.scriptExists'
    PSC-08 | script_flush | 'Redis.scriptFlush'
    PSC-09 | script_kill | 'Redis.scriptKill'
    PSC-10 | script_load | 'Redis.scriptLoad'
  `
  ],
  [
    "Connections and clients",
    String.raw`
    CON-01 | AUTH | 'Redis.auth'
    CON-02 | SELECT | 'Redis.select'
    CON-03 | ping | 'Redis.ping'
    CON-04 | echo | 'Redis.echo'
    CON-05 | client_getname | 'Redis.clientGetname'
    CON-06 | client_id | 'Redis.clientId'
    CON-07 | client_kill | 'Redis.clientKill'
    CON-08 | client_kill_filter | 'Redis.clientKillFilter'
    CON-09 | client_list | 'Redis.clientList'
    CON-10 | client_pause | 'Redis.clientPause'
    CON-11 | client_setname | 'Redis.clientSetname'
    CON-12 | client_unblock | 'Redis.clientUnblock'
    CON-13 | readonly | 'Redis.readonly'
    CON-14 | readwrite | 'Redis.readwrite'
    CON-15 | execute_command | 'Redis.send'
  `
  ],
  [
    "Access control",
    String.raw`
    ACL-01 | acl_cat | 'Redis.aclCat'
    ACL-02 | acl_deluser | 'Redis.aclDeluser'
    ACL-03 | acl_genpass | 'Redis.aclGenpass'
    ACL-04 | acl_getuser | 'Redis.aclGetuser'
    ACL-05 | acl_list | 'Redis.aclList'
    ACL-06 | acl_load | 'Redis.aclLoad'
    ACL-07 | acl_save | 'Redis.aclSave'
    ACL-08 | acl_setuser | 'Redis.aclSetuser'
    ACL-09 | acl_setuser(reset) | 'Redis.aclSetuser'
    ACL-10 | acl_setuser(reset_keys) | 'Redis.aclSetuser'
    ACL-11 | acl_setuser(reset_passwords) | 'Redis.aclSetuser'
    ACL-12 | acl_setuser(enabled) | 'Redis.aclSetuser'
    ACL-13 | acl_setuser(nopass) | 'Redis.aclSetuser'
    ACL-14 | acl_setuser(passwords) | 'Redis.aclSetuser'
    ACL-15 | acl_setuser(hashed_passwords) | 'Redis.aclSetuser'
    ACL-16 | acl_setuser(categories) | 'Redis.aclSetuser'
    ACL-17 | acl_setuser(commands) | 'Redis.aclSetuser'
    ACL-18 | acl_setuser(keys) | 'Redis.aclSetuser'
    ACL-19 | acl_setuser | 'Redis.aclSetuser'
    ACL-20 | acl_users | 'Redis.aclUsers'
    ACL-21 | acl_whoami | 'Redis.aclWhoami'
  `
  ],
  [
    "Servers",
    String.raw`
    SRV-01 | bgrewriteaof | 'Redis.bgrewriteaof'
    SRV-02 | bgsave | 'Redis.bgsave'
    SRV-03 | save | 'Redis.save'
    SRV-04 | lastsave | 'Redis.lastsave'
    SRV-05 | shutdown | 'Redis.shutdown'
    SRV-06 | slaveof | 'Redis.slaveof'
    SRV-07 | config_get | 'Redis.configGet'
    SRV-08 | config_set | 'Redis.configSet'
    SRV-09 | config_resetstat | 'Redis.configResetstat'
    SRV-10 | config_rewrite | 'Redis.configRewrite'
    SRV-11 | dbsize | 'Redis.dbsize'
    SRV-12 | debug_object | 'Redis.debugObject'
    SRV-13 | flushall | 'Redis.flushall'
    SRV-14 | flushdb | 'Redis.flushdb'
    SRV-15 | swapdb | 'Redis.swapdb'
    SRV-16 | info | 'Redis.info'
    SRV-17 | memory_stats | 'Redis.memoryStats'
    SRV-18 | memory_usage | 'Redis.memoryUsage'
    SRV-19 | memory_purge | 'Redis.memoryPurge'
    SRV-20 | slowlog_get | 'Redis.slowlogGet'
    SRV-21 | slowlog_len | 'Redis.slowlogLen'
    SRV-22 | slowlog_reset | 'Redis.slowlogReset'
    SRV-23 | time | 'Redis.time'
    SRV-24 | monitor | 'Redis.monitor'
  `
  ],
  [
    "Sentinel and cluster commands",
    String.raw`
    SCC-01 | sentinel |
    SCC-02 | sentinel_get_master_addr_by_name | 'Redis.sentinelGetMasterAddrByName'
    SCC-03 | sentinel_master | 'Redis.sentinelMaster'
    SCC-04 | sentinel_masters | 'Redis.sentinelMasters'
    SCC-05 | sentinel_monitor | 'Redis.sentinelMonitor'
    SCC-06 | sentinel_remove | 'Redis.sentinelRemove'
    SCC-07 | sentinel_sentinels | 'Redis.sentinelSentinels'
    SCC-08 | sentinel_set | 'Redis.sentinelSet'
    SCC-09 | sentinel_slaves | 'Redis.sentinelSlaves'
    SCC-10 | cluster | 'Redis.send'
    SCC-11 | CLUSTER ADDSLOTS | 'Redis.clusterAddslots'
    SCC-12 | CLUSTER DELSLOTS | 'Redis.clusterDelslots'
    SCC-13 | CLUSTER COUNT-FAILURE-REPORTS | 'Redis.clusterCountFailureReports'
    SCC-14 | CLUSTER COUNTKEYSINSLOT | 'Redis.clusterCountkeysinslot'
    SCC-15 | CLUSTER GETKEYSINSLOT | 'Redis.clusterGetkeysinslot'
    SCC-16 | CLUSTER FAILOVER | 'Redis.clusterFailover'
    SCC-17 | CLUSTER FORGET | 'Redis.clusterForget'
    SCC-18 | CLUSTER INFO | 'Redis.clusterInfo'
    SCC-19 | CLUSTER KEYSLOT | 'Redis.clusterKeyslot'
    SCC-20 | CLUSTER MEET | 'Redis.clusterMeet'
    SCC-21 | CLUSTER NODES | 'Redis.clusterNodes'
    SCC-22 | CLUSTER REPLICATE | 'Redis.clusterReplicate'
    SCC-23 | CLUSTER RESET | 'Redis.clusterReset'
    SCC-24 | CLUSTER SAVECONFIG | 'Redis.clusterSaveconfig'
    SCC-25 | CLUSTER SET-CONFIG-EPOCH | 'Redis.clusterSetConfigEpoch'
    SCC-26 | CLUSTER SETSLOT | 'Redis.clusterSetslot'
    SCC-27 | CLUSTER SLAVES | 'Redis.clusterSlaves'
    SCC-28 | CLUSTER SLOTS | 'Redis.clusterSlots'
    SCC-29 | ASKING |
  `
  ],
  [
    "Records",
    String.raw`
    REC-01 | parse_info | 'Redis.info'
    REC-02 | parse_client_list | 'Redis.clientList'
    REC-03 | parse_slowlog_get | 'Redis.slowlogGet'
    REC-04 | parse_acl_getuser | 'Redis.aclGetuser'
    REC-05 | parse_xinfo_stream | 'Redis.xinfoStream'
    REC-06 | parse_list_of_dicts | 'Redis.xinfoGroups'
    REC-07 | parse_list_of_dicts | 'Redis.xinfoConsumers'
    REC-08 | parse_memory_stats | 'Redis.memoryStats'
    REC-09 | parse_debug_object | 'Redis.debugObject'
    REC-10 | parse_config_get | 'Redis.configGet'
    REC-11 | parse_sentinel_state | 'Redis.sentinelMaster', 'Redis.sentinelMasters', 'Redis.sentinelSlaves', 'Redis.sentinelSentinels'
    REC-12 | parse_cluster_nodes | 'Redis.clusterNodes'
    REC-13 | parse_cluster_info | 'Redis.clusterInfo'
    REC-14 | Monitor.next_command | 'Redis.monitor'
    REC-15 | PubSub.handle_message | 'Redis.pubsub'
  `
  ],
  [
    "Reply conversions",
    String.raw`
    CNV-01 | bool | 'RedisReply.boolean'
    CNV-02 | int | 'RedisReply.integer'
    CNV-03 | float | 'RedisReply.double'
    CNV-04 | float_or_none | 'RedisReply.nullable', 'RedisReply.double'
    CNV-05 | int_or_none | 'RedisReply.nullable', 'RedisReply.integer'
    CNV-06 | int, bool_ok | 'RedisReply.integer'
    CNV-07 | bool_ok | 'RedisReply.ok'
    CNV-08 | BGREWRITEAOF, BGSAVE | 'RedisReply.accepted'
    CNV-09 | PING | 'Redis.ping'
    CNV-10 | SET | 'Redis.set'
    CNV-11 | CLIENT UNBLOCK | 'Redis.clientUnblock'
    CNV-12 | parse_client_kill | 'Redis.clientKill', 'Redis.clientKillFilter'
    CNV-13 | nativestr | 'RedisReply.text'
    CNV-14 | CLIENT GETNAME | 'Redis.clientGetname'
    CNV-15 | RANDOMKEY | 'Redis.randomkey'
    CNV-16 | ACL CAT, ACL LIST, ACL USERS | 'RedisReply.array', 'RedisReply.text'
    CNV-17 | GEOHASH | 'Redis.geohash'
    CNV-18 | SCRIPT EXISTS | 'Redis.scriptExists'
    CNV-19 | set | 'RedisReply.set'
    CNV-20 | dict | 'RedisReply.record'
    CNV-21 | BLPOP, BRPOP | 'Redis.blpop', 'Redis.brpop'
    CNV-22 | BZPOPMIN, BZPOPMAX | 'Redis.bzpopmin', 'Redis.bzpopmax'
    CNV-23 | zset_score_pairs | 'Redis.zrangeWithScores', 'Redis.zpopmax'
    CNV-24 | parse_zadd | 'Redis.zadd', 'Redis.zaddIncr'
    CNV-25 | sort_return_tuples | 'Redis.sortGroups'
    CNV-26 | GEOPOS | 'Redis.geopos'
    CNV-27 | parse_georadius_generic | 'Redis.georadius', 'Redis.georadiusWith', 'Redis.georadiusStore'
    CNV-28 | parse_scan | 'Redis.scan', 'Redis.sscan'
    CNV-29 | parse_hscan | 'Redis.hscan'
    CNV-30 | parse_zscan | 'Redis.zscan'
    CNV-31 | parse_stream_list | 'Redis.xrange'
    CNV-32 | parse_xread | 'Redis.xread'
    CNV-33 | parse_xclaim | 'Redis.xclaim', 'Redis.xclaimJustid'
    CNV-34 | parse_xpending | 'Redis.xpending', 'Redis.xpendingRange'
    CNV-35 | parse_list_of_dicts | 'Redis.xinfoGroups', 'Redis.xinfoConsumers'
    CNV-36 | parse_xinfo_stream | 'Redis.xinfoStream'
    CNV-37 | parse_pubsub_numsub | 'Redis.pubsubNumsub'
    CNV-38 | TIME | 'Redis.time'
    CNV-39 | timestamp_to_datetime | 'Redis.lastsave'
    CNV-40 | parse_object | 'Redis.objectIdletime', 'Redis.objectRefcount'
    CNV-41 | parse_info, parse_client_list, … | the functions of the records above
    CNV-42 | parse_sentinel_get_master | 'Redis.sentinelGetMasterAddrByName'
  `
  ],
  [
    "Pipelines",
    String.raw`
    PIP-01 | pipeline | 'Redis.pipeline', 'Redis.transaction'
    PIP-02 | Pipeline.execute | 'Redis.pipeline'
    PIP-03 | pipeline(transaction=True) | 'Redis.transaction'
    PIP-04 | Pipeline.reset, __len__ | 'Redis.pipeline'
    PIP-05 | execute(raise_on_error=True) | 'Redis.pipeline'
    PIP-06 | execute(raise_on_error=False) | 'Redis.pipelineSettled'
    PIP-07 | Pipeline.execute | 'Redis.transactionSettled'
    PIP-08 | ExecAbortError | 'RedisError.ExecAbortError'
    PIP-09 | WatchError | 'RedisError.WatchError'
    PIP-10 | Pipeline.execute | 'RedisError.ProtocolError'
    PIP-11 | Pipeline.execute | 'RedisError.ConnectionError'
    PIP-12 | mget | 'Redis.mget'
    PIP-13 | Pipeline | the type of 'Redis.pipeline'
    PIP-14 | Pipeline.reset | the scope of 'Redis.watch'
    PIP-15 | Pipeline.load_scripts | 'RedisScript'
  `
  ],
  [
    "URLs",
    String.raw`
    URL-01 | from_url | 'RedisUrl.parse', 'redis://'
    URL-02 | from_url | 'rediss://'
    URL-03 | from_url | 'unix://'
    URL-04 | from_url | 'RedisError.InvalidUrlError'
    URL-05 | from_url | 'RedisUrl.parse'
    URL-06 | from_url(db) | 'RedisUrl.parse'
    URL-07 | from_url | 'RedisUrl.parse'
    URL-08 | from_url(**kw) | 'RedisUrl.parse'
    URL-09 | from_url | 'RedisUrl.parse'
    URL-10 | URL_QUERY_ARGUMENT_PARSERS | 'RedisUrl.parse'
    URL-11 | to_bool | 'RedisUrl.parse'
    URL-12 | from_url | 'RedisError.InvalidUrlError'
    URL-13 | from_url | 'RedisUrl.parse'
    URL-14 | from_url(decode_components) | 'decodeComponents'
    URL-15 | RedisCluster.from_url | 'RedisUrl.parse'
    URL-16 | RedisCluster.from_url | 'RedisError.InvalidUrlError'
    URL-17 | RedisCluster.from_url(db) | 'RedisError.ConnectionError'
    URL-18 | RedisCluster.from_url(read_from_replicas) | 'readFrom'
  `
  ],
  [
    "What is another thing here",
    String.raw`
    NCO-01 | decode_responses | 'Redis.asBytes'
    NCO-02 | Lock(thread_local) | the handle of 'RedisLock'
    NCO-03 | run_in_thread | fibers
    NCO-04 | scan_iter, listen | 'Redis.scanStream', 'Redis.subscribe'
    NCO-05 | score_cast_func | 'Effect.map'
    NCO-06 | datetime, timedelta | 'Date', 'DateTime', 'Duration'
    NCO-07 | exceptions | the tags of 'RedisError', and unions of them
    NCO-08 | None | undefined
    NCO-09 | deprecated methods |
    NCO-10 | __getitem__, __setitem__, __delitem__, __contains__ |
  `
  ],
  [
    "Transactions",
    String.raw`
    TRX-01 | transaction | 'Redis.watch'
    TRX-02 | transaction(value_from_callable) | 'Redis.watch'
    TRX-03 | Pipeline.watch | 'Redis.watch'
    TRX-04 | Pipeline.unwatch | 'Redis.watch'
    TRX-05 | Pipeline.multi | 'Redis.watch'
    TRX-06 | WatchError | 'RedisError.WatchError'
    TRX-07 | WatchError | 'RedisError.WatchError'
    TRX-08 | transaction | 'Redis.watch'
    TRX-09 | Redis.watch, Redis.unwatch |
    TRX-10 | WATCH, UNWATCH | 'Redis.watch'
    TRX-11 | transaction | 'Redis.transaction', 'RedisError.ClusterUnsupportedError'
  `
  ],
  [
    "Locks",
    String.raw`
    LCK-01 | lock | 'RedisLock.make'
    LCK-02 | Lock(timeout) | 'ttl'
    LCK-03 | Lock(sleep) | 'retryInterval'
    LCK-04 | Lock(blocking_timeout) | 'waitTimeout'
    LCK-05 | Lock(blocking=False) | 'tryAcquire'
    LCK-06 | lock(lock_class) |
    LCK-07 | Lock(thread_local) | the handle
    LCK-08 | Lock.acquire | 'acquire', 'token'
    LCK-09 | Lock.__enter__ | 'withLock', 'scoped'
    LCK-10 | Lock.release | 'RedisError.LockNotOwnedError'
    LCK-11 | LUA_RELEASE_SCRIPT | 'release'
    LCK-12 | LockError | 'RedisError.LockError'
    LCK-13 | Lock.locked, Lock.owned | 'locked', 'owned'
    LCK-14 | Lock.extend | 'extend'
    LCK-15 | Lock.reacquire | 'reacquire'
    LCK-16 | Lock.acquire | 'acquire'
    LCK-17 | Lock.__exit__ | 'withLock'
    LCK-18 | lock | 'RedisLock.make'
  `
  ],
  [
    "Pub/sub",
    String.raw`
    PUB-01 | pubsub | 'Redis.subscribe', 'Redis.psubscribe'
    PUB-02 | PubSub.subscribe, PubSub.psubscribe | 'Redis.pubsub'
    PUB-03 | PubSub.unsubscribe, PubSub.punsubscribe | 'Redis.pubsub'
    PUB-04 | PubSub.handle_message | the elements of 'Redis.subscribe'
    PUB-05 | PubSub.get_message | 'Stream'
    PUB-06 | PubSub.listen | 'messages' of 'Redis.pubsub'
    PUB-07 | message handlers | 'Stream.runForEach'
    PUB-08 | ignore_subscribe_messages | 'events'
    PUB-09 | run_in_thread | 'Effect.forkScoped'
    PUB-10 | PubSub.on_connect | 'Redis.subscribe'
    PUB-11 | PubSub.ping | 'ping' of 'Redis.pubsub'
    PUB-12 | PubSub.subscribed, PubSub.close | 'subscribed' of 'Redis.pubsub', its scope
    PUB-13 | pubsub | 'Redis.subscribe'
    PUB-14 | ClusterPubSub | 'Redis.ssubscribe'
  `
  ],
  [
    "Scripts",
    String.raw`
    SCR-01 | register_script | 'RedisScript.make'
    SCR-02 | Script.__call__ | 'RedisScript.make'
    SCR-03 | Pipeline.load_scripts | 'Redis.pipeline'
    SCR-04 | EVAL | 'Redis.eval', 'RedisScript.make'
    SCR-05 | EVALSHA | 'Redis.evalsha', 'RedisScript.make'
  `
  ],
  [
    "Any command, other decoders",
    String.raw`
    ESC-01 | execute_command | 'Redis.send'
    ESC-02 | execute_command | 'Redis.send', 'RedisCommand.withReply'
    ESC-03 | ResponseError | 'RedisError.ResponseError'
    ESC-04 | execute_command | 'Resp.ErrorReply'
    ESC-05 | execute_command | 'Redis.send'
    ESC-06 | set_response_callback | 'RedisCommand.withDecoder'
    ESC-07 | set_result_callback | 'RedisCluster.withMerge', 'RedisCluster.perNode'
  `
  ],
  [
    "Sentinel: options",
    String.raw`
    SCF-01 | sentinels | 'sentinels'
    SCF-02 | min_other_sentinels | 'minOtherSentinels'
    SCF-03 | sentinel_kwargs | 'sentinelOptions'
    SCF-04 | connection_kwargs | options of 'RedisSentinel.layer'
    SCF-05 | service_name | 'service'
    SCF-06 | kwargs of master_for, slave_for | options of the group's client
    SCF-07 | redis_class, connection_pool_class |
    SCF-08 | check_connection | 'checkConnection'
  `
  ],
  [
    "Sentinel: behaviour",
    String.raw`
    SEN-01 | building opens nothing | 'NodeRedisClient.layerSentinel'
    SEN-02 | discover_master | 'RedisSentinel.discoverMaster'
    SEN-03 | discover_slaves | 'RedisSentinel.discoverReplicas'
    SEN-04 | writes on the master, reads on replicas | 'NodeRedisClient.layerSentinel', 'NodeRedisClient.layerReplica'
    SEN-05 | sentinels are asked for new connections only | 'NodeRedisClient.layerSentinel'
    SEN-06 | asked again after a loss | 'NodeRedisClient.layerSentinel'
    SEN-07 | the master is killed | 'RedisError.ConnectionError'
    SEN-08 | nobody has noticed yet | 'RedisError.ConnectionError'
    SEN-09 | no master while one is elected | 'RedisError.MasterNotFoundError'
    SEN-10 | the same client goes on | 'NodeRedisClient.layerSentinel'
    SEN-11 | a retry rides through | 'RedisError.isSafeToRetry'
    SEN-12 | passwords of sentinels and of data | 'sentinelOptions'
    SEN-13 | sentinels get no other password | 'sentinelOptions'
    SEN-14 | sentinels that refuse | 'RedisError.MasterNotFoundError'
    SEN-15 | a wrong data password | 'RedisError.AuthenticationError'
    SEN-16 | db and timeouts are the data connections' | 'db', 'commandTimeout'
    SEN-17 | a client's options go before the group's | 'RedisSentinel.makeGroup'
    SEN-18 | the order of asking | 'RedisSentinel.discoverMaster'
    SEN-19 | which answers count | 'RedisSentinel.discoverMaster'
    SEN-20 | an unknown service | 'RedisError.MasterNotFoundError', 'RedisError.ReplicaNotFoundError'
    SEN-21 | replicas that are down | 'RedisSentinel.discoverReplicas'
    SEN-22 | one replica after the other | 'RedisSentinel.RedisReplica'
    SEN-23 | READONLY from a master | 'RedisError.ConnectionError'
    SEN-24 | READONLY from a replica | 'RedisError.ReadOnlyError'
    SEN-25 | connections to a master that was | 'RedisSentinel.layerClient'
    SEN-26 | check_connection | 'checkConnection'
    SEN-27 | both are errors of connections | 'RedisError.isRetryable'
    SEN-28 | pipelines, locks, scripts, pub/sub | 'Redis.pipeline', 'RedisLock.make', 'Redis.subscribe'
  `
  ],
  [
    "Cluster: options",
    String.raw`
    CCF-01 | startup_nodes | 'nodes'
    CCF-02 | host | 'nodes'
    CCF-03 | port | 'nodes'
    CCF-04 | max_connections | 'pool.max'
    CCF-05 | max_connections_per_node | 'pool.perNode'
    CCF-06 | init_slot_cache | 'discovery'
    CCF-07 | readonly_mode | 'readOnly'
    CCF-08 | reinitialize_steps | 'reinitializeSteps'
    CCF-09 | skip_full_coverage_check | 'skipFullCoverageCheck'
    CCF-10 | nodemanager_follow_cluster | 'followCluster'
    CCF-11 | connection_class |
    CCF-12 | read_from_replicas | 'readFrom'
    CCF-13 | cluster_down_retry_attempts | 'clusterDownRetryAttempts'
    CCF-14 | host_port_remap | 'natMap'
    CCF-15 | kwargs | options of every connection
    CCF-16 | ClusterBlockingConnectionPool | 'pool.acquireTimeout'
  `
  ],
  [
    "Cluster: topology",
    String.raw`
    CLT-01 | keyslot | 'RedisCluster.slotOf'
    CLT-02 | asking the start nodes | 'NodeRedisClient.layerCluster'
    CLT-03 | nobody knows | 'RedisError.ClusterConnectError'
    CLT-04 | an empty host | 'NodeRedisClient.layerCluster'
    CLT-05 | full coverage | 'skipFullCoverageCheck'
    CLT-06 | nodes that disagree |
    CLT-07 | nodes that are learned | 'followCluster'
    CLT-08 | host_port_remap | 'natMap'
    CLT-09 | db | 'RedisError.ConnectionError'
    CLT-10 | printing the client | 'RedisClient.RedisClient'
  `
  ],
  [
    "Cluster: redirects and failures",
    String.raw`
    CLR-01 | MOVED | 'NodeRedisClient.layerCluster'
    CLR-02 | reinitialize_steps | 'reinitializeSteps'
    CLR-03 | MOVED while reading from replicas | 'readFrom'
    CLR-04 | ASK | 'NodeRedisClient.layerCluster'
    CLR-05 | TRYAGAIN | 'NodeRedisClient.layerCluster'
    CLR-06 | sixteen tries | 'RedisError.ClusterRetriesExhaustedError'
    CLR-07 | lost connections | 'RedisError.ClusterRetriesExhaustedError'
    CLR-08 | timeouts | 'RedisError.TimeoutError'
    CLR-09 | CLUSTERDOWN | 'RedisError.ClusterDownError'
    CLR-10 | the topology cannot be read | 'RedisError.ClusterConnectError'
    CLR-11 | a slot without owner | 'RedisError.SlotNotCoveredError'
    CLR-12 | LOADING | 'RedisError.BusyLoadingError'
    CLR-13 | CROSSSLOT | 'RedisError.CrossSlotError'
    CLR-14 | one node of all fails | 'RedisCluster.perNode'
    CLR-15 | a master is killed | 'NodeRedisClient.layerCluster'
  `
  ],
  [
    "Cluster: routing",
    String.raw`
    CKR-01 | the first argument | 'Redis.send'
    CKR-02 | EVAL, EVALSHA | 'Redis.eval', 'Redis.evalsha'
    CKR-03 | XREAD, XREADGROUP | 'Redis.xread', 'Redis.xreadgroup'
    CKR-04 | OBJECT | 'Redis.objectEncoding'
    CKR-05 | PUBLISH | 'Redis.publish'
    CKR-06 | commands without a rule | 'RedisError.ClusterUnsupportedError'
    CKR-07 | MIGRATE and others | 'Redis.migrate', 'RedisCluster.onNode'
  `
  ],
  [
    "Cluster: commands without a key",
    String.raw`
    CKL-01 | ping | 'Redis.ping'
    CKL-02 | echo | 'Redis.echo'
    CKL-03 | time | 'Redis.time'
    CKL-04 | info | 'Redis.info', 'RedisCluster.perNode'
    CKL-05 | dbsize | 'Redis.dbsize'
    CKL-06 | keys | 'Redis.keys'
    CKL-07 | save, bgsave, bgrewriteaof | 'Redis.save', 'Redis.bgsave', 'Redis.bgrewriteaof'
    CKL-08 | lastsave | 'Redis.lastsave'
    CKL-09 | config_set, config_resetstat, config_rewrite | 'Redis.configSet', 'Redis.configResetstat', 'Redis.configRewrite'
    CKL-10 | config_get | 'Redis.configGet', 'RedisCluster.perNode'
    CKL-11 | client_list | 'Redis.clientList'
    CKL-12 | client_id, client_getname | 'Redis.withConnection', 'RedisCluster.perNode'
    CKL-13 | client_setname | 'clientName'
    CKL-14 | client_kill | 'Redis.clientKill'
    CKL-15 | client_kill_filter | 'Redis.clientKill'
    CKL-16 | slowlog_get | 'Redis.slowlogGet'
    CKL-17 | slowlog_len | 'Redis.slowlogLen'
    CKL-18 | slowlog_reset | 'Redis.slowlogReset'
    CKL-19 | cluster_info | 'Redis.clusterInfo'
    CKL-20 | pubsub_channels | 'Redis.pubsubChannels'
    CKL-21 | pubsub_numpat | 'Redis.pubsubNumpat'
    CKL-22 | pubsub_numsub | 'Redis.pubsubNumsub'
    CKL-23 | aggregate=False | 'RedisCluster.perNode'
    CKL-24 | flushall, flushdb | 'Redis.flushall', 'Redis.flushdb'
    CKL-25 | scan | 'Redis.scan'
    CKL-26 | scan_iter | 'Redis.scanStream'
    CKL-27 | sscan, hscan, zscan | 'Redis.sscan', 'Redis.hscan', 'Redis.zscan'
    CKL-28 | script_load | 'Redis.scriptLoad'
    CKL-29 | script_exists | 'Redis.scriptExists'
    CKL-30 | script_flush | 'Redis.scriptFlush'
    CKL-31 | script_debug |
    CKL-32 | randomkey | 'Redis.randomkey'
    CKL-33 | cluster_nodes, cluster_slots | 'Redis.clusterNodes', 'Redis.clusterSlots'
    CKL-34 | cluster_countkeysinslot, cluster_get_keys_in_slot | 'Redis.clusterCountkeysinslot', 'Redis.clusterGetkeysinslot'
    CKL-35 | acl_* | 'RedisCluster.onNode'
    CKL-36 | bitop, move, wait, shutdown, slaveof, script_kill | 'RedisError.ClusterUnsupportedError', 'Redis.bitop'
    CKL-37 | sentinel_* | 'RedisError.ClusterUnsupportedError'
    CKL-38 | monitor | 'RedisCluster.onNode', 'Redis.monitor'
    CKL-39 | a command without a merge |
  `
  ],
  [
    "Cluster: reading from replicas",
    String.raw`
    CRR-01 | read_from_replicas | 'readFrom'
    CRR-02 | a server at random | 'readFrom'
    CRR-03 | pipeline(read_from_replicas=True) | 'readFrom'
    CRR-04 | readonly_mode | 'readOnly'
  `
  ],
  [
    "Cluster: keys in several slots",
    String.raw`
    CMK-01 | mget | 'Redis.mget'
    CMK-02 | mset | 'Redis.mset'
    CMK-03 | msetnx | 'Redis.msetnx'
    CMK-04 | delete | 'Redis.del'
    CMK-05 | rename | 'Redis.rename'
    CMK-06 | renamenx | 'Redis.renamenx'
    CMK-07 | brpoplpush | 'Redis.brpoplpush'
    CMK-08 | rpoplpush | 'Redis.rpoplpush'
    CMK-09 | sdiff | 'Redis.sdiff'
    CMK-10 | sdiffstore | 'Redis.sdiffstore'
    CMK-11 | sinter | 'Redis.sinter'
    CMK-12 | sinterstore | 'Redis.sinterstore'
    CMK-13 | sunion | 'Redis.sunion'
    CMK-14 | sunionstore | 'Redis.sunionstore'
    CMK-15 | what they return | 'Redis.sunionstore'
    CMK-16 | smove | 'Redis.smove'
    CMK-17 | pfcount | 'Redis.pfcount'
    CMK-18 | pfmerge | 'Redis.pfmerge'
    CMK-19 | set | 'Redis.set'
    CMK-20 | pipeline | 'Redis.pipeline'
    CMK-21 | transaction | 'Redis.transaction'
    CMK-22 | zinterstore, sort, blpop, bitop … | 'RedisError.CrossSlotError'
    CMK-23 | keys in one slot | 'crossSlot'
    CMK-24 | pubsub | 'Redis.subscribe', 'Redis.ssubscribe'
    CMK-25 | publish | 'Redis.publish'
    CMK-26 | lock | 'RedisLock.make'
    CMK-27 | register_script | 'RedisScript.make'
    CMK-28 | cluster_addslots and others | 'RedisCluster.onNode'
  `
  ],
  [
    "Cluster: pipelines",
    String.raw`
    CPL-01 | pipeline | 'Redis.pipeline'
    CPL-02 | execute | 'Redis.pipeline'
    CPL-03 | order | 'Redis.pipeline'
    CPL-04 | what is sent again | 'Redis.pipeline'
    CPL-05 | CLUSTERDOWN | 'Redis.pipeline'
    CPL-06 | raise_on_error | 'Redis.pipelineSettled'
    CPL-07 | commands that are refused | 'RedisError.ClusterUnsupportedError'
    CPL-08 | commands that are blocked | 'RedisError.ClusterUnsupportedError'
    CPL-09 | cluster_down_retry_attempts | 'clusterDownRetryAttempts'
  `
  ],
  [
    "Errors",
    String.raw`
    ERR-01 | RedisError | 'RedisError'
    ERR-02 | ConnectionError | 'RedisError.ConnectionError'
    ERR-03 | TimeoutError | 'RedisError.TimeoutError'
    ERR-04 | AuthenticationError | 'RedisError.AuthenticationError'
    ERR-05 | AuthenticationWrongNumberOfArgsError |
    ERR-06 | BusyLoadingError | 'RedisError.BusyLoadingError'
    ERR-07 | InvalidResponse | 'RedisError.ProtocolError'
    ERR-08 | ResponseError | 'RedisError.ResponseError'
    ERR-09 | DataError | 'RedisError.DataError'
    ERR-10 | PubSubError |
    ERR-11 | WatchError | 'RedisError.WatchError'
    ERR-12 | NoScriptError | 'RedisError.NoScriptError'
    ERR-13 | ExecAbortError | 'RedisError.ExecAbortError'
    ERR-14 | ReadOnlyError | 'RedisError.ReadOnlyError'
    ERR-15 | NoPermissionError | 'RedisError.NoPermissionError'
    ERR-16 | LockError | 'RedisError.LockError'
    ERR-17 | LockNotOwnedError | 'RedisError.LockNotOwnedError'
    ERR-18 | ChildDeadlockedError |
    ERR-19 | MasterNotFoundError | 'RedisError.MasterNotFoundError'
    ERR-20 | SlaveNotFoundError | 'RedisError.ReplicaNotFoundError'
    ERR-21 | RedisClusterConfigError | 'RedisError.RedisConfigError'
    ERR-22 | RedisClusterException | 'RedisError.ClusterConnectError', 'RedisError.ClusterUnsupportedError', 'RedisError.CrossSlotError', 'RedisError.RedisConfigError'
    ERR-23 | RedisClusterError |
    ERR-24 | ClusterDownException | 'RedisError.ClusterDownError'
    ERR-25 | ClusterError | 'RedisError.ClusterRetriesExhaustedError'
    ERR-26 | ClusterDownError | 'RedisError.ClusterDownError'
    ERR-27 | MasterDownError | 'RedisError.ClusterDownError'
    ERR-28 | ClusterCrossSlotError | 'RedisError.CrossSlotError'
    ERR-29 | AskError, MovedError |
    ERR-30 | TryAgainError |
    ERR-31 | SlotNotCoveredError | 'RedisError.SlotNotCoveredError'
    ERR-32 | ValueError | 'RedisError.InvalidUrlError', 'RedisError.RedisConfigError'
    ERR-33 | UnicodeDecodeError | 'RedisError.DecodeError'
  `
  ],
  [
    "Error replies",
    String.raw`
    ERP-01 | ConnectionError | 'RedisError.ConnectionError'
    ERP-02 | AuthenticationError | 'RedisError.AuthenticationError'
    ERP-03 | AuthenticationWrongNumberOfArgsError |
    ERP-04 | EXCEPTION_CLASSES | 'RedisError.ExecAbortError', 'RedisError.BusyLoadingError', 'RedisError.NoScriptError', 'RedisError.ReadOnlyError', 'RedisError.NoPermissionError'
    ERP-05 | EXCEPTION_CLASSES | 'RedisError.ClusterDownError', 'RedisError.CrossSlotError'
    ERP-06 | ResponseError | 'RedisError.ResponseError', 'RedisError.WrongTypeError', 'RedisError.OutOfMemoryError'
  `
  ]
]
