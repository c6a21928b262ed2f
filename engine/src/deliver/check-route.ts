// What a plugin passes to delivery is checked where the plugin calls: wrong options would fail later, in the code of the
// engine that serves a viewer.
import type { LiveEntry, LiveRouteOptions } from '../plugin/live-route.js'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
/** Of a header. */
const isLine: Check = (value) => typeof value === 'string' && !/[\r\n\0]/.test(value)
const isFunction: Check = (value) => typeof value === 'function'
const isBytes: Check = (value) => value instanceof Uint8Array
const isAmount: Check = (value) => typeof value === 'number' && value >= 0
const isPositive: Check = (value) => typeof value === 'number' && value > 0
const isErrorStatus: Check = (value) => Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599
const optional = (check: Check): Check => {
  return (value) => value === undefined || check(value)
}
const oneOf = (...values: readonly string[]): Check => {
  return (value) => values.includes(value as string)
}

const OPTIONS: readonly (readonly [path: string, check: Check])[] = [
  ['id', isText],
  ['listener', isText],
  ['path', isText],
  ['contentType', isLine],
  ['start', oneOf('keyframe', 'now', 'burst')],
  ['burstMs', isAmount],
  ['lead', isBytes],
  ['window.durationMs', isPositive],
  ['window.sizeBytes', isPositive],
  ['window.keepUnread', optional((value) => typeof value === 'boolean')],
  ['slow', oneOf('skip', 'disconnect')],
  ['stallTimeoutMs', isPositive],
  ['offline.waitForMs', isAmount],
  ['offline.status', isErrorStatus],
  ['offline.endAfterMs', isPositive],
  ['auth', optional((value) => Array.isArray(value) && value.every(isText))],
  ['cors', optional(isLine)],
  ['catchUpBytes', isPositive],
  ['aliasForMs', optional(isAmount)],
]

/** Throws TypeError naming the option. */
export function checkRouteOptions(options: LiveRouteOptions): void {
  for (const [path, check] of OPTIONS) {
    if (!check(valueAt(options, path))) throw new TypeError(`option ${path} of a live route is wrong`)
  }
}

/** Throws TypeError. */
export function checkEntry({ bytes, receivedAtMs, join }: LiveEntry): void {
  if (!isBytes(bytes) || typeof receivedAtMs !== 'number') throw new TypeError('not an entry of a live route')
  if (join === undefined) return
  if (!isFunction(join.preamble) || !isFunction(join.bridge) || !isAmount(join.heldBytes)) {
    throw new TypeError('the join of an entry has no preamble, no bridge or no size')
  }
}

function valueAt(options: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((value, key) => (value as Readonly<Record<string, unknown>> | null | undefined)?.[key], options)
}
