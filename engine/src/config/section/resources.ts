// The resources that a node declares with `exclusive`: read, compared, and written as text.
import { normalize } from 'node:path'
import type { NodeSettings } from '../../graph/graph.js'
import { STREAM_TEXT } from '../../graph/stream-keys.js'
import { collide, parseBindAddress } from '../../listen/bind-address.js'
import type { Resource } from '../../plugin/resource.js'

/** In a path of a pattern pipeline: any part of a segment. No path that is requested has it. */
const ANY = '\0'

type HttpResource = Extract<Resource, { readonly kind: 'http' }>

/**
 * The resources of a node with these options. Throws what `exclusive` throws, a TypeError if it returns anything else,
 * LISTEN_BAD_ADDRESS.
 */
export function readResources({ definition, options }: Pick<NodeSettings, 'definition' | 'options'>): Resource[] {
  const resources: readonly unknown[] = definition.exclusive?.(options) ?? []
  return resources.map((resource) => {
    if (!isResource(resource)) throw new TypeError(`${JSON.stringify(resource)} is not a resource`)
    if (resource.kind === 'udp' || resource.kind === 'tcp') parseBindAddress(resource.address)
    return resource
  })
}

/** What all copies of a node hold together. `streams`: the keys that they have; undefined for an ordinary node. */
export function ofCopies(resource: Resource, streams: string | undefined): Resource {
  if (streams === undefined || resource.kind !== 'http') return resource
  return { ...resource, path: resource.path.replaceAll(STREAM_TEXT, streams.replace('*', ANY)) }
}

/** No two nodes can hold one each at the same time. */
export function resourcesOverlap(a: Resource, b: Resource): boolean {
  if (a.kind === 'http') return b.kind === 'http' && a.listener === b.listener && pathsOverlap(a, b)
  if (a.kind === 'file') return b.kind === 'file' && normalize(a.path) === normalize(b.path)
  if (a.kind === 'device') return b.kind === 'device' && a.name === b.name
  if (b.kind !== a.kind || (a.shared === true && b.shared === true)) return false
  return collide(parseBindAddress(a.address), parseBindAddress(b.address)) === 'certainly'
}

/**
 * Keys by which overlapping resources find each other in an index: two that overlap have a key in common, the one in
 * `held` and the other in `asked`.
 */
export function resourceKeys(resource: Resource): {
  readonly held: readonly string[]
  readonly asked: readonly string[]
} {
  if (resource.kind === 'http') return httpKeys(resource)
  const place =
    resource.kind === 'file' ? normalize(resource.path) : 'name' in resource ? resource.name : portOf(resource)
  const keys = [`${resource.kind} ${place}`]
  return { held: keys, asked: keys }
}

function portOf({ address }: Extract<Resource, { readonly address: string }>): number {
  return parseBindAddress(address).port
}

/** A path is indexed below each folder above it, where a prefix finds it, and looks there for prefixes itself. */
function httpKeys({ listener, path, prefix = false }: HttpResource): ReturnType<typeof resourceKeys> {
  const key = (place: string, at: string): string => `${place} ${listener} ${at}`
  const folders = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1))
  const [own, below] = [key('at', path), folders.map((folder) => key('below', folder))]
  const [all, patterns] = [`http ${listener}`, `patterns ${listener}`]
  if (path.includes(ANY)) return { held: [patterns, all], asked: [all] }
  return {
    held: [own, ...below, ...(prefix ? [key('prefix', path)] : []), all],
    asked: [own, patterns, ...folders.map((folder) => key('prefix', folder)), ...(prefix ? [key('below', path)] : [])],
  }
}

/** The text that follows "needs" in a message. */
export function renderResource(resource: Resource): string {
  switch (resource.kind) {
    case 'http':
      return `path ${resource.path.replaceAll(ANY, '*')}${resource.prefix === true ? '*' : ''} of listener "${resource.listener}"`
    case 'file':
      return `file ${resource.path}`
    case 'device':
      return resource.name
    default:
      return `${resource.kind.toUpperCase()} ${resource.address}`
  }
}

function pathsOverlap(a: HttpResource, b: HttpResource): boolean {
  if (a.path.includes(ANY) || b.path.includes(ANY)) return segmentsOverlap(a, b)
  return a.path === b.path || isBelow(a, b) || isBelow(b, a)
}

/** Some path is in both. Of a segment with several gaps, only the text before the first and after the last counts. */
function segmentsOverlap(a: HttpResource, b: HttpResource): boolean {
  const [first, second] = [segmentsOf(a), segmentsOf(b)]
  if ((a.prefix ?? false) !== (b.prefix ?? false) && (goesFirst(a) || goesFirst(b))) return false
  const common = Math.min(first.length, second.length)
  const isLonger = first.length - second.length
  // A prefix is not below itself: `/a` is another path than `/a/`.
  if (isLonger === 0 ? (a.prefix ?? false) !== (b.prefix ?? false) : (isLonger > 0 ? b : a).prefix !== true)
    return false
  return first.slice(0, common).every((segment, index) => canBeSame(segment, second[index] ?? ''))
}

/** Of a prefix, without the empty segment at its end. */
function segmentsOf({ path, prefix = false }: HttpResource): readonly string[] {
  const segments = path.split('/').slice(1)
  return prefix ? segments.slice(0, -1) : segments
}

function canBeSame(a: string, b: string): boolean {
  const [gapA, gapB] = [a.includes(ANY), b.includes(ANY)]
  if (!gapA && !gapB) return a === b
  const [headA, headB] = [a, b].map((text) => text.split(ANY)[0] ?? '') as [string, string]
  const [tailA, tailB] = [a, b].map((text) => text.split(ANY).at(-1) ?? '') as [string, string]
  if (!gapA) return a.length > headB.length + tailB.length && a.startsWith(headB) && a.endsWith(tailB)
  if (!gapB) return b.length > headA.length + tailA.length && b.startsWith(headA) && b.endsWith(tailA)
  const headsFit = headA.startsWith(headB) || headB.startsWith(headA)
  return headsFit && (tailA.endsWith(tailB) || tailB.endsWith(tailA))
}

function isBelow(path: HttpResource, { path: above, prefix = false }: HttpResource): boolean {
  return prefix && path.path.startsWith(above) && !goesFirst(path)
}

/** An exact path wins over prefixes. */
function goesFirst({ prefix = false, overPrefix = false }: HttpResource): boolean {
  return overPrefix && !prefix
}

/** Plugins in JavaScript can return anything. */
function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null) return false
  const { kind, listener, path, prefix, offline, address, name } = value as Readonly<Record<string, unknown>>
  if (kind === 'http') {
    const isPlace = typeof listener === 'string' && typeof path === 'string' && (prefix !== true || path.endsWith('/'))
    return isPlace && isOfflineAnswer(offline)
  }
  if (kind === 'udp' || kind === 'tcp') return typeof address === 'string'
  return kind === 'file' ? typeof path === 'string' : kind === 'device' && typeof name === 'string'
}

function isOfflineAnswer(value: unknown): boolean {
  if (value === undefined) return true
  if (typeof value !== 'object' || value === null) return false
  const { waitForMs = 0, status = 503, cors = '' } = value as Readonly<Record<string, unknown>>
  const isStatus = Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599
  // A line end would begin another header.
  const isLine = typeof cors === 'string' && !/[\r\n\0]/.test(cors)
  return typeof waitForMs === 'number' && waitForMs >= 0 && isStatus && isLine
}
