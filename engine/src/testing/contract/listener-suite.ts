// What every listener has to pass.
import type { Suite } from './check.js'
import { clientsLeave, junk, silentClients, stopsWithClients } from './listener-checks.js'
import { nodeSuite } from './node-suite.js'

export const listenerSuite: Suite = {
  ...nodeSuite,
  close: [...nodeSuite.close, stopsWithClients],
  stress: [clientsLeave, silentClients, junk],
}
