// What every transform has to pass.
import type { Suite } from './check.js'
import { nodeSuite } from './node-suite.js'
import {
  continuesStream,
  hasNoQueue,
  survivesSilence,
  swapsCleanly,
  takesBurst,
  takesDamage,
  waitsForSlowReader,
} from './reading-checks.js'

export const transformSuite: Suite = {
  ...nodeSuite,
  base: [...nodeSuite.base, continuesStream, swapsCleanly],
  stress: [takesDamage, hasNoQueue, takesBurst, waitsForSlowReader, survivesSilence],
}
