/**
 * What a thread has had of a processor, for tests that hold what something costs against what it may: whatever else the machine does
 * takes none of it.
 */
import process from "node:process"

/** The time that this thread has had of a processor, in milliseconds. */
export const worked = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}
