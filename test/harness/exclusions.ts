/**
 * Tests of the live suites that do not apply to a deployment, with the reason.
 */

/** What the suites run on. */
export interface Deployment {
  readonly topology: "standalone" | "sentinel" | "cluster"
  readonly protocol: 2 | 3
}

/**
 * A test by a part of its title that only it has, where it does not apply, and why. A deployment is named by what it
 * must have to be excluded.
 */
interface Exclusion {
  readonly title: string
  readonly on: Partial<Deployment>
  readonly reason: string
}

const exclusions: ReadonlyArray<Exclusion> = [
  {
    title: "SRV-06: a master stays one when told to replicate nobody",
    on: { topology: "sentinel" },
    reason: "the master has a replica"
  },
  {
    title: "has nobody to hand over to, and is not stopping",
    on: { topology: "sentinel" },
    reason: "the master would hand over to its replica, behind the back of the sentinels"
  }
]

/** Why a test does not apply to a deployment, `undefined` when it does. */
export const exclusion = (title: string, deployment: Deployment): string | undefined =>
  exclusions.find(({ on, title: part }) =>
    title.includes(part) &&
    (on.topology ?? deployment.topology) === deployment.topology &&
    (on.protocol ?? deployment.protocol) === deployment.protocol
  )?.reason
