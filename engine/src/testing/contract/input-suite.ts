// What every input has to pass.
import type { Suite } from './check.js'
import { holdsBack, survivesHanging, takesBytes, toleratesSilence } from './input-checks.js'
import { nodeSuite } from './node-suite.js'
import { takesPublishers } from './publisher-check.js'

export const inputSuite: Suite = {
  base: nodeSuite.base,
  close: [...nodeSuite.close, takesPublishers],
  stress: [takesBytes, holdsBack, toleratesSilence, survivesHanging],
}
