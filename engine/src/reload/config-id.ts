// A short hash of what a configuration means, independent of its order and layout.
import { createHash } from 'node:crypto'
import { comparedConfig } from '../config/effective-config.js'
import type { Graph } from '../graph/graph.js'

const HEX_DIGITS = 8

/**
 * Secrets are left out: the id is shown everywhere, and a password could be guessed from it. A reload compares them
 * nevertheless.
 */
export function configId(graph: Graph): string {
  const text = JSON.stringify(comparedConfig(graph), sortKeys)
  return createHash('sha256').update(text).digest('hex').slice(0, HEX_DIGITS)
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
