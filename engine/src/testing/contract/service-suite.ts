// What every service has to pass.
import type { Suite } from './check.js'
import { nodeSuite } from './node-suite.js'
import { livesOn, stopsWhileHanging, takesEvents, takesRequests } from './service-checks.js'

export const serviceSuite: Suite = {
  ...nodeSuite,
  stress: [takesEvents, takesRequests, stopsWhileHanging, livesOn],
}
