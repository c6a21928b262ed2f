// What every node has to pass, whatever its kind.
import type { Suite } from './check.js'
import { leavesNothing, reportsOnce, stopsBeforeReady, stopsInFlow } from './close-checks.js'
import { manifest, metricNames, pure, texts } from './definition-checks.js'
import {
  becomesReady,
  connectsMetrics,
  guardsCallbacks,
  hidesSecrets,
  isAlone,
  refusesWrong,
  runsCommands,
  takesLive,
} from './open-checks.js'

export const nodeSuite: Pick<Suite, 'base' | 'close'> = {
  base: [
    ...[texts, metricNames, manifest, pure],
    ...[becomesReady, refusesWrong, takesLive, connectsMetrics, hidesSecrets, isAlone, guardsCallbacks, runsCommands],
  ],
  close: [leavesNothing, stopsBeforeReady, stopsInFlow, reportsOnce],
}
