/**
 * Real deployments under fire, redfx alone or beside its peers: `node scripts/chaos.ts --help`. The exit code is 1 when a
 * write of redfx was applied twice, or though it was reported as not applied.
 */
import process from "node:process"
import { main } from "../bench/src/chaos/main.ts"

await main(process.argv.slice(2))
// A peer that keeps on dialling must not keep the process.
process.exit()
