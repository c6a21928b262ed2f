// What renditions are called in URIs: by the ports that they come from, so that a name means the same over restarts.

/** `inlets`: ids `pipeline/node.port`. One alone is `main`. */
export function renditionNames(inlets: readonly string[]): readonly string[] {
  if (inlets.length === 1) return ['main']
  const ports = inlets.map(portOf)
  const isClear = new Set(ports).size === ports.length
  return isClear ? ports : inlets.map((id) => `${nodeOf(id)}-${id.slice(id.lastIndexOf('.') + 1)}`)
}

/** `out` says nothing: the name of the node then. */
function portOf(id: string): string {
  const port = id.slice(id.lastIndexOf('.') + 1)
  return port === 'out' ? nodeOf(id) : port
}

function nodeOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1, id.lastIndexOf('.'))
}
