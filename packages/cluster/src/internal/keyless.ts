/**
 * Commands without a key: which servers they go to, and how the replies of
 * several become one.
 *
 * @internal
 */
import type { Key } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterUnsupportedError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import type { Cluster, ClusterNode } from "./cluster.ts"
import { killed } from "./kill.ts"
import * as Merge from "./merge.ts"
import { onEach } from "./onEach.ts"
import { randomKey } from "./randomKey.ts"
import { scan } from "./scan.ts"
import { slotCount } from "./slot.ts"
import { firstUntypedKey } from "./untyped.ts"
import { numberAt, tokenAt } from "./words.ts"
