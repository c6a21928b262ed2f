// Pattern pipelines: which pipelines are one, what their nodes must be like, and the copy for one key. A copy is read
// from the same YAML like every pipeline, with `${stream}` filled in.
import type { NodeSettings, Pipeline } from '../../graph/graph.js'
import { copyName, nodeName } from '../../graph/node-id.js'
import { isStreamPattern, STREAM_TEXT } from '../../graph/stream-keys.js'
import { coreOf, keysOf, kindOf, type Schema, schemaAt } from '../../plugin/option-kind.js'
import { SECTION_OF } from '../../plugin/node-kinds.js'
import type { Registry } from '../../plugin/registry.js'
import type { SecretMask } from '../../graph/secret-mask.js'
import { configError } from '../report/config-errors.js'
import { Problems } from '../report/diagnostic.js'
import { STREAM } from '../source/interpolate.js'
import { TimeSlice } from '../source/time-slice.js'
import type { YamlMap } from '../source/yaml-tree.js'
import { fillTemplate } from '../template/fill-template.js'
import { reportStreams } from '../template/read-templates.js'
import { resourcesOf } from './check-exclusive.js'
import type { DraftNode, DraftPipeline } from './draft-node.js'
import { titleOf } from './draft-node.js'
import { settingsOf } from './link-nodes.js'
import type { Defaults } from './read-defaults.js'
import { readNodes } from './read-nodes.js'
import { renderResource } from './resources.js'

export interface CopySources {
  readonly registry: Registry
  readonly defaults: Defaults
  readonly mask: SecretMask
}

/** The first input with a pattern in `streams` makes its pipeline a pattern pipeline. */
export function isPatternPipeline(pipeline: YamlMap): boolean {
  return patternInputsOf(pipeline).length > 0
}

function patternInputsOf(pipeline: YamlMap): readonly YamlMap[] {
  const inputs = pipeline.entries.get(SECTION_OF.input)?.value
  if (inputs?.kind !== 'map') return []
  return [...inputs.entries.values()].flatMap(({ value }) => {
    if (value.kind !== 'map') return []
    const streams = value.entries.get('streams')?.value
    const isPattern = streams?.kind === 'scalar' && typeof streams.value === 'string' && isStreamPattern(streams.value)
    return isPattern ? [value] : []
  })
}

/** It listens before there is a key. */
function reportInInputs(pipeline: YamlMap, problems: Problems): void {
  for (const { entries } of patternInputsOf(pipeline)) {
    for (const [name, { value }] of entries) {
      if (name !== 'description')
        reportStreams(value, 'in the input that takes the streams, of which there is one', problems)
    }
  }
}

/** The pipeline with the text in place of each `${stream}`. In an ordinary one, each is a mistake. */
export function withStreamText(pipeline: YamlMap, title: string, problems: Problems): YamlMap {
  if (isPatternPipeline(pipeline)) {
    reportInInputs(pipeline, problems)
    return fillStream(pipeline, STREAM_TEXT, problems)
  }
  reportStreams(pipeline, `in ${title}, which has no input with a pattern in "streams"`, problems)
  return pipeline
}

/** The nodes know which keys their copies have; mistakes that concern the copies are reported. */
export function asPattern(
  nodes: readonly DraftNode[],
  map: YamlMap,
  problems: Problems,
): Pick<DraftPipeline, 'nodes' | 'pattern'> {
  const [input, ...more] = nodes.filter(({ publish }) => publish !== undefined && isStreamPattern(publish.streams))
  const drafts = nodes.map((node) => (node === input ? node : { ...node, pattern: input?.publish?.streams }))
  if (input === undefined) return { nodes: drafts }
  const others = nodes.filter((node) => node !== input && node.publish !== undefined && !more.includes(node))
  for (const { kind, name: other, place } of [...more, ...others]) {
    const message = `${titleOf(kind, other)} takes published streams, and so does "${input.name}", whose streams make copies of the pipeline`
    const help = 'give it a pipeline of its own'
    problems.report('CONFIG_STREAM', place, message, { help })
  }
  for (const node of drafts) {
    if (node === input) continue
    checkResources(node, problems)
    if (node.kind === 'output') checkAddresses(node, problems)
  }
  return { nodes: drafts, pattern: { input, map } }
}

/** The nodes of a pattern pipeline, which know their copies. They are read together, since most keys need all of them. */
export function copyingNodes({ name, nodes }: Pipeline, map: YamlMap, sources: CopySources): readonly NodeSettings[] {
  let last: { readonly key: string; readonly copies: Promise<ReadonlyMap<string, NodeSettings>> } | undefined
  return nodes.map((node) => ({
    ...node,
    async copy(key) {
      if (last?.key !== key) last = { key, copies: readCopies(name, map, key, sources) }
      return (await last.copies).get(nodeName(node.id)) ?? node
    },
  }))
}

/** By name; rejects with CONFIG_STREAM. */
async function readCopies(
  name: string,
  from: YamlMap,
  key: string,
  { registry, defaults, mask }: CopySources,
): Promise<ReadonlyMap<string, NodeSettings>> {
  const problems = new Problems(mask)
  const owner = copyName(name, key)
  const map = fillStream(from, key, problems)
  const drafts = await readNodes(owner, map, { registry, defaults, problems }, new TimeSlice())
  const nodes = drafts.flatMap((draft) => settingsOf(draft, mask) ?? [])
  if (!problems.hasErrors) return new Map(nodes.map((node) => [nodeName(node.id), node]))
  const [first] = problems.list([]).filter(({ severity }) => severity === 'error')
  const at = first === undefined ? {} : { at: `${first.file}:${first.line}:${first.column}` }
  throw configError('CONFIG_STREAM', first?.message ?? 'an option does not take the key', at)
}

/** Each text with a `${stream}` stays one text, whatever the key is. */
function fillStream(map: YamlMap, text: string, problems: Problems): YamlMap {
  const value = { kind: 'scalar', place: map.place, value: text, unresolved: false } as const
  return fillTemplate(map, { values: new Map([[STREAM, { key: map.place, value }]]), problems })
}

function checkResources(node: DraftNode, problems: Problems): void {
  for (const resource of resourcesOf(node, problems)) {
    const place = 'path' in resource ? resource.path : 'address' in resource ? resource.address : resource.name
    if (place.includes(STREAM_TEXT)) continue
    const message = `${titleOf(node.kind, node.name)} needs ${renderResource(resource)}, which only one stream could have`
    const help = 'put the key of the stream into it, as in /live/${stream}.ts'
    problems.report('CONFIG_STREAM', node.place, message, { help })
  }
}

/** An output that sends to one address would send all streams there at once. */
function checkAddresses({ definition, kind, name, options, ok, place }: DraftNode, problems: Problems): void {
  if (definition === undefined || !ok) return
  const schema: Schema = definition.options
  for (const key of keysOf(schema)) {
    const option = schemaAt(schema, [key])
    const value = (options as Readonly<Record<string, unknown>>)[key]
    if (option === undefined || kindOf(coreOf(option))?.name !== 'address') continue
    if (typeof value !== 'string' || value.includes(STREAM_TEXT)) continue
    const message = `${titleOf(kind, name)} would send every stream to ${key} ${value}`
    const help =
      'put the key of the stream into it, as in 239.1.2.${stream}:5000, with `keys` of the input that fit there'
    problems.report('CONFIG_STREAM', place, message, { help })
  }
}
