// Renders the model of a configuration to the text of its files: main file, included file, templates, and the secret.
import type { ConfigModel, NodeModel, PipelineModel, Settings, Value } from './config-model.js'

export const MAIN_FILE = 'pipeline.yaml'
const INCLUDED_FILE = 'channels.yaml'
export const SECRET_FILE = 'anna.secret'

const PLAIN = /^[a-z][a-zA-Z0-9-]*$/
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n'])

/** Texts by file name. */
export function renderConfig(model: ConfigModel): ReadonlyMap<string, string> {
  const { layout } = model
  const included = model.pipelines.filter(({ place }) => place === 'included')
  const here = model.pipelines.filter(({ place }) => place !== 'included')
  const templates = here.filter(({ place }) => place === 'template')
  const main: Settings = {
    version: 1,
    ...(included.length === 0 ? {} : { include: [INCLUDED_FILE] }),
    engine: model.engine,
    listeners: model.listeners,
    auth: model.auth,
    secrets: { anna: { file: SECRET_FILE } },
    ...(Object.keys(model.defaults).length === 0 ? {} : { defaults: model.defaults }),
    services: model.services,
    ...(templates.length === 0 ? {} : { templates: ordered(templates, layout, templateOf) }),
    pipelines: ordered(here, layout, (pipeline) =>
      pipeline.place === 'template' ? useOf(pipeline) : wholeOf(pipeline),
    ),
  }
  const files = new Map([[SECRET_FILE, `${model.password}\n`]])
  if (included.length > 0) {
    files.set(INCLUDED_FILE, renderYaml({ pipelines: ordered(included, layout, wholeOf) }, layout))
  }
  return files.set(MAIN_FILE, renderYaml(main, layout))
}

function ordered(
  pipelines: readonly PipelineModel[],
  { isReversed }: ConfigModel['layout'],
  render: (pipeline: PipelineModel) => Settings,
): Settings {
  const entries = pipelines.map((pipeline) => [pipeline.name, render(pipeline)] as const)
  return Object.fromEntries(isReversed ? entries.toReversed() : entries)
}

function wholeOf({ description, inputs, transforms, outputs }: PipelineModel): Settings {
  return {
    description,
    inputs: named(inputs),
    ...(transforms.length === 0 ? {} : { transforms: named(transforms) }),
    outputs: named(outputs),
  }
}

/** The same, with its description and the options of its first input as parameters. */
function templateOf(pipeline: PipelineModel): Settings {
  const whole = wholeOf({ ...pipeline, description: '${param:text}' })
  const [input] = pipeline.inputs
  if (input === undefined) return whole
  const placeholders = Object.fromEntries(Object.keys(input.options).map((key) => [key, `\${param:${key}}`]))
  const inputs = named([{ ...input, options: placeholders }, ...pipeline.inputs.slice(1)])
  const parameters = Object.fromEntries([...Object.keys(placeholders), 'text'].map((key) => [key, {}]))
  return { parameters, ...whole, inputs }
}

function useOf(pipeline: PipelineModel): Settings {
  return { template: pipeline.name, with: { ...pipeline.inputs[0]?.options, text: pipeline.description } }
}

function named(nodes: readonly NodeModel[]): Settings {
  return Object.fromEntries(
    nodes.map(({ id, type, from, was, options }) => [
      id,
      { type, ...(was === undefined ? {} : { was }), ...(from === undefined ? {} : { from }), ...options },
    ]),
  )
}

function renderYaml(settings: Settings, layout: ConfigModel['layout']): string {
  const { comment } = layout
  const head = comment === 0 ? [] : [`# edit ${comment}: "quotes", {braces} and a: colon`]
  return [...head, ...blockLines(settings, layout, 0), ''].join('\n')
}

/** Maps of maps are written as blocks, maps without nested maps between braces. */
function blockLines(settings: Settings, layout: ConfigModel['layout'], depth: number): string[] {
  const space = ' '.repeat(depth * layout.indent)
  return Object.entries(settings).flatMap(([key, value]) => {
    const isNode = !isMap(value) || (layout.isFlow && !Object.values(value).some(isMap))
    if (isNode || Object.keys(value as Settings).length === 0) return [`${space}${key}: ${flow(value)}`]
    return [`${space}${key}:`, ...blockLines(value as Settings, layout, depth + 1)]
  })
}

function flow(value: Value): string {
  if (Array.isArray(value)) return `[${value.map((item: Value) => flow(item)).join(', ')}]`
  if (isMap(value)) {
    const entries = Object.entries(value).map(([key, item]) => `${key}: ${flow(item)}`)
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
  }
  if (typeof value !== 'string') return JSON.stringify(value)
  return PLAIN.test(value) && !WORDS.has(value) ? value : JSON.stringify(value)
}

function isMap(value: Value): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
