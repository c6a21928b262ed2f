// What every output has to pass.
import type { Suite } from './check.js'
import { nodeSuite } from './node-suite.js'
import {
  continuesStream,
  hasNoQueue,
  survivesSilence,
  takesBurst,
  takesDamage,
  waitsForSlowReader,
} from './reading-checks.js'

export const outputSuite: Suite = {
  ...nodeSuite,
  base: [...nodeSuite.base, continuesStream],
  stress: [takesDamage, hasNoQueue, takesBurst, waitsForSlowReader, survivesSilence],
}
