// What an output knows of its viewers beside their sessions, which the engine keeps. It outlives the node: a reload hands
// it to the next one.
import { PlayerReports } from '../cmcd/player-reports.js'
import type { Grants } from './grants.js'
import { SessionKeys } from './session-keys.js'

export class KnownViewers {
  readonly grants: Grants
  readonly keys = new SessionKeys()
  readonly reports = new PlayerReports()

  constructor(grants: Grants) {
    this.grants = grants
  }

  /** Call it now and then. */
  sweep(): void {
    this.grants.expire()
    this.reports.sweep()
  }
}
