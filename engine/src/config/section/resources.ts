// The resources that a node declares with `exclusive`: read, compared, and written as text.
import { normalize } from 'node:path'
import type { NodeSettings } from '../../graph/graph.js'
import { collide, parseBindAddress } from '../../listen/bind-address.js'
import type { Resource } from '../../plugin/resource.js'

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

/** No two nodes can hold one each at the same time. */
export function resourcesOverlap(a: Resource, b: Resource): boolean {
  if (a.kind === 'http') return b.kind === 'http' && a.listener === b.listener && pathsOverlap(a, b)
  if (a.kind === 'file') return b.kind === 'file' && normalize(a.path) === normalize(b.path)
  if (a.kind === 'device') return b.kind === 'device' && a.name === b.name
  return b.kind === a.kind && collide(parseBindAddress(a.address), parseBindAddress(b.address)) === 'certainly'
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
  return {
    held: [own, ...below, ...(prefix ? [key('prefix', path)] : [])],
    asked: [own, ...folders.map((folder) => key('prefix', folder)), ...(prefix ? [key('below', path)] : [])],
  }
}

/** The text that follows "needs" in a message. */
export function renderResource(resource: Resource): string {
  switch (resource.kind) {
    case 'http':
      return `path ${resource.path}${resource.prefix === true ? '*' : ''} of listener "${resource.listener}"`
    case 'file':
      return `file ${resource.path}`
    case 'device':
      return resource.name
    default:
      return `${resource.kind.toUpperCase()} ${resource.address}`
  }
}

function pathsOverlap(a: HttpResource, b: HttpResource): boolean {
  return a.path === b.path || isBelow(a, b) || isBelow(b, a)
}

function isBelow(path: HttpResource, { path: above, prefix = false }: HttpResource): boolean {
  return prefix && path.path.startsWith(above)
}

/** Plugins in JavaScript can return anything. */
function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null) return false
  const { kind, listener, path, prefix, address, name } = value as Readonly<Record<string, unknown>>
  if (kind === 'http') {
    return typeof listener === 'string' && typeof path === 'string' && (prefix !== true || path.endsWith('/'))
  }
  if (kind === 'udp' || kind === 'tcp') return typeof address === 'string'
  return kind === 'file' ? typeof path === 'string' : kind === 'device' && typeof name === 'string'
}
