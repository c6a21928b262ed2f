// Which view the address asks for: `#/pipelines/live`, `#/nodes/live/src`. Names are encoded, so that any can be there.

export type PageRoute =
  | { readonly view: 'overview' | 'viewers' | 'events' | 'log' }
  | { readonly view: 'pipeline' | 'pattern' | 'node'; readonly name: string }

const LISTS = ['viewers', 'events', 'log'] as const

export function readRoute(hash: string): PageRoute {
  const [, first = '', ...rest] = hash.split('/')
  const name = decode(rest.join('/'))
  const list = LISTS.find((each) => each === first)
  if (list !== undefined) return { view: list }
  if (name === '') return { view: 'overview' }
  if (first === 'pipelines') return { view: 'pipeline', name }
  if (first === 'patterns') return { view: 'pattern', name }
  return first === 'nodes' ? { view: 'node', name } : { view: 'overview' }
}

export function hrefOf(route: PageRoute): string {
  if (route.view === 'overview') return '#/'
  if (!('name' in route)) return `#/${route.view}`
  return `#/${route.view}s/${route.name.split('/').map(encodeURIComponent).join('/')}`
}

/** Where an id of a node, or of all copies (`cam@*`), leads. */
export function hrefOfId(id: string): string {
  return id.endsWith('@*') ? hrefOf({ view: 'pattern', name: id.slice(0, -2) }) : hrefOf({ view: 'node', name: id })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
