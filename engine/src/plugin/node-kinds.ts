// The kinds of nodes, and the YAML section of each.

/** In the order in which data passes them; services and listeners do not handle stream data. */
export const NODE_KINDS = ['input', 'transform', 'output', 'service', 'listener'] as const

export type NodeKind = (typeof NODE_KINDS)[number]

/** What plugins define: nodes, and providers of access decisions, which are not nodes. */
export const DEFINITION_KINDS = [...NODE_KINDS, 'auth'] as const

export type DefinitionKind = (typeof DEFINITION_KINDS)[number]

export const SECTION_OF: Readonly<Record<NodeKind, string>> = {
  input: 'inputs',
  transform: 'transforms',
  output: 'outputs',
  service: 'services',
  listener: 'listeners',
}

/** The YAML section of what plugins define. */
export function sectionOf(kind: DefinitionKind): string {
  return kind === 'auth' ? 'auth' : SECTION_OF[kind]
}

/** Kinds that make up a pipeline. */
export const PIPELINE_KINDS = ['input', 'transform', 'output'] as const satisfies readonly NodeKind[]
