// A configuration as plain data: edits change it, and it is rendered to YAML.

export type Value = string | number | boolean | null | readonly Value[] | Settings
export interface Settings {
  readonly [key: string]: Value
}

export interface NodeModel {
  id: string
  /** Its id in the first configuration; undefined for nodes added later. */
  readonly firstId: string | undefined
  readonly type: string
  /** Undefined for inputs. */
  from: string | undefined
  was: string | undefined
  options: Settings
}

export interface PipelineModel {
  readonly name: string
  /** Part of the first configuration: it is never removed. */
  readonly isBase: boolean
  /** Every byte of the input reaches every viewer: no node in it is ever configured to drop packets. */
  readonly isExact: boolean
  /** Clips that its file input may play; empty if the source never changes. */
  readonly clips: readonly string[]
  /** Its input is another pipeline's output, over HTTP. */
  readonly isRelay: boolean
  /** Of a pattern pipeline: the keys that are published as long as it takes them. Undefined for ordinary pipelines. */
  readonly keys: readonly string[] | undefined
  description: string
  /** In which file, and in which form, it is written. Nothing else depends on it. */
  place: 'plain' | 'included' | 'template'
  inputs: NodeModel[]
  transforms: NodeModel[]
  outputs: NodeModel[]
}

export interface ConfigModel {
  /** How it is written; nothing else depends on it. */
  layout: { indent: 2 | 4; isFlow: boolean; isReversed: boolean; comment: number }
  engine: Settings
  listeners: Readonly<Record<string, Settings>>
  auth: Readonly<Record<string, Settings>>
  defaults: Settings
  services: Readonly<Record<string, Settings>>
  pipelines: PipelineModel[]
  /** The content of the file of the secret `anna`. */
  password: string
}

export function nodesOf(pipeline: PipelineModel): readonly NodeModel[] {
  return [...pipeline.inputs, ...pipeline.transforms, ...pipeline.outputs]
}

/** `pipeline/node` of every output, with its id before this edit if it was renamed. */
export function outputsOf(
  model: ConfigModel,
): readonly { id: string; was: string; node: NodeModel; of: PipelineModel }[] {
  return model.pipelines.flatMap((of) =>
    of.outputs.map((node) => ({ id: `${of.name}/${node.id}`, was: `${of.name}/${node.was ?? node.id}`, node, of })),
  )
}

/** Outputs whose viewers connect over HTTP. */
export function httpOutputsOf(model: ConfigModel): ReturnType<typeof outputsOf> {
  return outputsOf(model).filter(({ node }) => node.type === 'http-ts')
}

/** An output of one channel: of an ordinary pipeline, or of the copy for one key. */
export interface Place {
  /** Id of the output in the configuration. */
  readonly output: string
  readonly key: string | undefined
  /** The pipeline, or its copy, as the engine names it. */
  readonly channel: string
  readonly node: NodeModel
  readonly of: PipelineModel
}

export function placesOf(model: ConfigModel): readonly Place[] {
  return httpOutputsOf(model).flatMap(({ id, node, of }) =>
    takenKeys(of).map((key) => ({ output: id, key, channel: copyName(of.name, key), node, of })),
  )
}

/** The published keys that the pipeline takes; one undefined for an ordinary pipeline. */
export function takenKeys({ keys, inputs }: PipelineModel): readonly (string | undefined)[] {
  if (keys === undefined) return [undefined]
  const streams = textOf(inputs[0]?.options, 'streams').replace('*', '')
  const pattern = new RegExp(`^(?:${textOf(inputs[0]?.options, 'keys') || '.*'})$`)
  return keys.filter((key) => key.startsWith(streams) && pattern.test(key))
}

export function copyName(pipeline: string, key: string | undefined): string {
  return key === undefined ? pipeline : `${pipeline}@${key}`
}

/** Names of the listeners that speak HTTP. */
export function httpListeners({ listeners }: ConfigModel): readonly string[] {
  return Object.keys(listeners).filter((name) => listeners[name]?.['protocol'] === undefined)
}

/** `path` may name a nested option, such as `clients.max`; undefined removes the option. */
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

/** An option that is a string; empty if it is not set. */
export function textOf(settings: Settings | undefined, path: string): string {
  const value = settings === undefined ? undefined : optionOf(settings, path)
  return typeof value === 'string' ? value : ''
}
