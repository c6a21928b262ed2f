import { NEVER, Observable } from 'rxjs'
import { inputOn, testBreaks, Wire } from './broken.test.kit.js'
import * as checks from './publisher-check.js'
import { defineInput } from '../../plugin/define.js'

const input = inputOn(new Wire())
const settings = { publishing: {} }

testBreaks(checks, [
  {
    check: checks.takesPublishers,
    name: 'publishers() that is never ready',
    definition: defineInput({ ...input, publishers: () => NEVER }),
    settings,
    message: /publishers\(\) has not called context.ready\(\)/,
  },
  {
    check: checks.takesPublishers,
    name: 'publishers() that leaves a timer',
    definition: defineInput({
      ...input,
      publishers: (_options$, context, { clock }) =>
        new Observable(() => {
          clock.every(1000, () => undefined)
          context.ready()
        }),
    }),
    settings,
    message: /unsubscribed from, it has left[^]*a timer of CLOCK \(every 1000 ms/,
  },
])
