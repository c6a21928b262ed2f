// The path of a node in the control API, from its id as users write it.

/** Undefined if the text is not pipeline/node. */
export function nodePath(id: string): string | undefined {
  const slash = id.indexOf('/')
  const [pipeline, node] = [id.slice(0, slash), id.slice(slash + 1)]
  if (slash <= 0 || node === '') return undefined
  return `/api/v1/pipelines/${encodeURIComponent(pipeline)}/nodes/${encodeURIComponent(node)}`
}

/** The same for services too: pipeline/node, or services/name. */
export function ownerPath(id: string): string | undefined {
  if (!id.startsWith('services/')) return nodePath(id)
  const name = id.slice('services/'.length)
  return name === '' ? undefined : `/api/v1/services/${encodeURIComponent(name)}`
}
