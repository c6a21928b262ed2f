import { NEVER, Observable, throwError } from 'rxjs'
import type { Received, Source } from '../../plugin/contract.js'
import { defineInput } from '../../plugin/define.js'
import { inputOn, kitError, nothing, received, testBreaks, Wire } from './broken.test.kit.js'
import * as checks from './input-checks.js'

const { takesBytes, holdsBack, toleratesSilence, survivesHanging } = checks
const wire = new Wire()
const settings = { send: wire.send }

/** An input that does this with what the wire brings. */
function reading(take: (bytes: Uint8Array, emit: (bytes: Uint8Array) => void) => void) {
  return inputOn(
    wire,
    (ready) =>
      new Observable((subscriber) => {
        ready()
        return wire.sent.subscribe((bytes) => {
          try {
            take(bytes, (part) => subscriber.next(part))
          } catch (error) {
            subscriber.error(error)
          }
        })
      }),
  )
}

const isNoise = (bytes: Uint8Array): boolean => bytes.length > 188 && bytes[0] !== 0x47

/** An input that can be held, in its own way. */
function held(open: (ready: () => void) => Pick<Source<Received>, 'chunks' | 'hold'>) {
  return defineInput({
    ...inputOn(wire),
    open: (_options$, context) => ({ ...open(() => context.ready()), [Symbol.asyncDispose]: nothing }),
  })
}

testBreaks(checks, [
  {
    check: takesBytes,
    name: 'an input that throws at noise',
    definition: reading((bytes, emit) => {
      if (isNoise(bytes)) throw new RangeError('offset is out of bounds')
      emit(bytes)
    }),
    settings,
    message: /after a truncated stream it has failed without a code: offset is out of bounds/,
  },
  {
    check: takesBytes,
    name: 'an input that calls noise a bug',
    definition: reading((bytes, emit) => {
      if (isNoise(bytes)) throw kitError('KIT_BUG', 'odd')
      emit(bytes)
    }),
    settings,
    message: /it reports a bug: KIT_BUG odd/,
  },
  {
    check: takesBytes,
    name: 'an input that receives nothing after noise',
    definition: deaf(),
    settings,
    message: /after a truncated stream it does not receive a good stream any more/,
  },
  {
    check: takesBytes,
    name: 'an error that nobody catches',
    definition: reading((bytes, emit) => {
      if (isNoise(bytes)) void Promise.reject(new Error('lost'))
      emit(bytes)
    }),
    settings,
    message: /it has thrown where nobody catches it \(wrap callbacks in context.guard, and wait for promises\): lost/,
  },
  {
    check: holdsBack,
    name: 'an input that ignores a hold',
    definition: held((ready) => ({
      chunks: new Observable((subscriber) => {
        ready()
        const timer = setInterval(() => subscriber.next(new Uint8Array(188)), 0)
        return () => clearInterval(timer)
      }),
      hold: () => ({ [Symbol.dispose]: () => undefined }),
    })),
    settings,
    message: /it emits while it is held/,
  },
  {
    check: holdsBack,
    name: 'an input that drops while it is held',
    definition: held(dropping),
    settings,
    message: /bytes sent while it was held, 0 came/,
  },
  {
    check: holdsBack,
    name: 'an input that keeps everything while it is held',
    definition: held(keeping),
    settings,
    message: /it keeps 2\d\.\d MiB while it is held: stop reading/,
  },
  {
    check: toleratesSilence,
    name: 'an input that makes up bytes',
    definition: defineInput({
      ...inputOn(wire),
      open: (_options$, context, { clock }) => ({
        chunks: new Observable((subscriber) => {
          context.ready()
          const timer = clock.every(1000, () => subscriber.next(new Uint8Array(188)))
          return () => timer[Symbol.dispose]()
        }),
        [Symbol.asyncDispose]: nothing,
      }),
    }),
    settings,
    message: /it has emitted bytes that nobody has sent/,
  },
  {
    check: toleratesSilence,
    name: 'an input that fails without a code when nothing comes',
    definition: inputOn(wire, () => throwError(() => new Error('timed out'))),
    settings,
    message: /after silence it has failed without a code: timed out/,
  },
  {
    check: survivesHanging,
    name: 'an input that waits for ever',
    definition: inputOn(wire, () => NEVER),
    settings: { hanging: {} },
    message: /it waits for its upstream for more than 120 s/,
  },
  {
    check: survivesHanging,
    name: 'an input that cannot stop while it waits',
    definition: defineInput({
      ...inputOn(wire),
      open: () => ({ chunks: NEVER, [Symbol.asyncDispose]: async () => new Promise(() => undefined) }),
    }),
    settings: { hanging: {} },
    message: /it was not disposed within 1 s/,
  },
])

function deaf() {
  let isDeaf = false
  return reading((bytes, emit) => {
    isDeaf ||= isNoise(bytes)
    if (!isDeaf) emit(bytes)
  })
}

function dropping(ready: () => void): Pick<Source<Received>, 'chunks' | 'hold'> {
  let isHeld = false
  return {
    chunks: new Observable((subscriber) =>
      received(wire, ready).subscribe((bytes) => !isHeld && subscriber.next(bytes)),
    ),
    hold() {
      isHeld = true
      return { [Symbol.dispose]: () => void (isHeld = false) }
    },
  }
}

function keeping(ready: () => void): Pick<Source<Received>, 'chunks' | 'hold'> {
  const kept: Received[] = []
  let isHeld = false
  let emit: (item: Received) => void = () => undefined
  return {
    chunks: new Observable((subscriber) => {
      emit = (item) => subscriber.next(item)
      return received(wire, ready).subscribe((item) => {
        if (!isHeld) emit(item)
        else kept.push(item instanceof Uint8Array ? new Uint8Array(item) : item)
      })
    }),
    hold() {
      isHeld = true
      return {
        [Symbol.dispose]: () => {
          isHeld = false
          for (const item of kept.splice(0)) emit(item)
        },
      }
    },
  }
}
