// A configuration as plain data: what the generator of edits changes, and what is rendered to YAML.

export type Value = string | number | boolean | null | readonly Value[] | Settings
export interface Settings {
  readonly [key: string]: Value
}

export interface NodeModel {
  id: string
  /** Its id in the first configuration; undefined for nodes that came later. */
  readonly firstId: string | undefined
  readonly type: string
  /** Of inputs undefined. */
  from: string | undefined
  was: string | undefined
  options: Settings
}

export interface PipelineModel {
  readonly name: string
  /** Of the first configuration: it is never removed. */
  readonly isBase: boolean
  /** Every byte of the input reaches every viewer: nothing in it is ever told to leave packets out. */
  readonly isExact: boolean
  /** Clips that its file input may play; none where the source never changes. */
  readonly clips: readonly string[]
  /** Its input is another pipeline's output, by HTTP. */
  readonly isRelay: boolean
  description: string
  /** In which file, and how, it is written down. Nothing else depends on it. */
  place: 'plain' | 'included' | 'template'
  inputs: NodeModel[]
  transforms: NodeModel[]
  outputs: NodeModel[]
}

export interface ConfigModel {
  /** How it is written down; nothing else depends on it. */
  layout: { indent: 2 | 4; isFlow: boolean; isReversed: boolean; comment: number }
  engine: Settings
  listeners: Readonly<Record<string, Settings>>
  auth: Readonly<Record<string, Settings>>
  defaults: Settings
  services: Readonly<Record<string, Settings>>
  pipelines: PipelineModel[]
  /** What stands in the file of the secret `anna`. */
  password: string
}

export function nodesOf(pipeline: PipelineModel): readonly NodeModel[] {
  return [...pipeline.inputs, ...pipeline.transforms, ...pipeline.outputs]
}

/** `pipeline/node` of every output, with what it was called in this edit where that differs. */
export function outputsOf(
  model: ConfigModel,
): readonly { id: string; was: string; node: NodeModel; of: PipelineModel }[] {
  return model.pipelines.flatMap((of) =>
    of.outputs.map((node) => ({ id: `${of.name}/${node.id}`, was: `${of.name}/${node.was ?? node.id}`, node, of })),
  )
}

/** With `clients.max` as the path of a nested option; undefined takes it away. */
export function withOption(settings: Settings, path: string, value: Value | undefined): Settings {
  const [head = '', ...rest] = path.split('.')
  const { [head]: old, ...others } = settings
  const inner = rest.length === 0 ? value : withOption((old as Settings | undefined) ?? {}, rest.join('.'), value)
  const isEmpty = inner === undefined || (rest.length > 0 && Object.keys(inner as Settings).length === 0)
  if (isEmpty) return others
  return old === undefined ? { ...others, [head]: inner } : { ...settings, [head]: inner }
}

export function optionOf(settings: Settings, path: string): Value | undefined {
  let value: Value | undefined = settings
  for (const step of path.split('.')) value = (value as Settings | undefined)?.[step]
  return value
}

/** The text of an option; empty where it has none. */
export function textOf(settings: Settings | undefined, path: string): string {
  const value = settings === undefined ? undefined : optionOf(settings, path)
  return typeof value === 'string' ? value : ''
}
