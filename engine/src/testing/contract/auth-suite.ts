// What every auth provider has to pass.
import type { AuthDefinition } from '../../plugin/auth-definition.js'
import {
  answersLate,
  decides,
  endsWhileAsked,
  keepsSecrets,
  leavesNoTrace,
  outlivesHanging,
  readsMetrics,
  takesLiveOptions,
  takesMany,
  takesOddClients,
} from './auth-checks.js'
import type { Suite } from './check.js'
import { manifest, metricNames, texts } from './definition-checks.js'

export const authSuite: Suite<AuthDefinition> = {
  base: [texts, metricNames, manifest, decides, takesLiveOptions, readsMetrics, keepsSecrets],
  close: [leavesNoTrace, endsWhileAsked, answersLate],
  stress: [takesOddClients, takesMany, outlivesHanging],
}
