// Edits that must change nothing: mistakes of every kind in the text, and resources that cannot be opened.
import type { ReloadResult } from '@millrace/engine/api'
import type { ConfigModel, NodeModel, PipelineModel, Settings } from '../config-model.js'
import { outputsOf, takenKeys, withOption } from '../config-model.js'
import { MAIN_FILE, renderConfig } from '../render-config.js'
import type { EditContext } from './edit.js'
import { isPattern, someOutput } from './edit.js'

export interface BrokenEdit {
  readonly kind: string
  readonly result: ReloadResult
  /**
   * What is written to disk, by file name; undefined if the file is removed. `model` is a copy of the running
   * configuration.
   */
  write(model: ConfigModel, context: EditContext): ReadonlyMap<string, string | undefined>
}

const MIB = 1024 * 1024

export const BROKEN_EDITS: readonly BrokenEdit[] = [
  text('half of the file', (whole) => whole.slice(0, endOfHalf(whole))),
  text('an empty file', () => ''),
  text('1 MiB of braces', () => '{'.repeat(MIB)),
  text('more than 1 MiB', (whole) => `${whole}#${' '.repeat(MIB)}\n`),
  text('an alias bomb', aliasBomb),
  text('not YAML', (whole) => `${whole}\n\t- : [}`),
  text('control characters', (whole) => `${whole}\u0000\u0007`),
  text('another version', (whole) => whole.replace('version: 1', 'version: 99')),
  text('a section that does not exist', (whole) => `${whole}nonsense: { a: 1 }\n`),
  { kind: 'the file is removed', result: 'invalid', write: () => new Map([[MAIN_FILE, undefined]]) },
  changed('an unknown node', 'invalid', (node) => {
    node.from = 'mian'
  }),
  changed('an unknown option', 'invalid', (node) => {
    node.options = { ...node.options, colour: 'red' }
  }),
  changed('an unknown listener', 'invalid', (node) => {
    node.options = { ...node.options, listener: 'wbe' }
  }),
  changed('a bad value', 'invalid', (node) => {
    node.options = withOption(node.options, 'window.duration', 'soon')
  }),
  changed('an unknown auth provider', 'invalid', (node) => {
    node.options = { ...node.options, auth: 'nobody' }
  }),
  changed('a path that is taken', 'invalid', (node, model) => {
    const other = outputsOf(model).find((each) => each.node !== node)?.node
    node.options = { ...node.options, path: other?.options['path'] ?? '', listener: other?.options['listener'] ?? '' }
  }),
  badPreamble('a missing preamble file', 'invalid', 'nowhere.ts'),
  badPreamble('a preamble that is not a stream', 'failed', MAIN_FILE),
  whole('a cycle', 'invalid', (model) => {
    const pipeline = model.pipelines.find(({ transforms }) => transforms.length > 0)
    const [first] = pipeline?.transforms ?? []
    if (pipeline === undefined || first === undefined) return
    pipeline.transforms.push({
      ...first,
      id: 'cycle',
      firstId: undefined,
      was: undefined,
      from: first.id,
      options: {},
    })
    first.from = 'cycle'
  }),
  whole('an address in use', 'failed', (model, { busyPort }) => {
    model.listeners = { ...model.listeners, taken: { address: `127.0.0.1:${busyPort}` } }
  }),
  whole('a listener moves to an address in use', 'failed', (model, { busyPort }) => {
    model.listeners = { ...model.listeners, web: { ...model.listeners['web'], address: `127.0.0.1:${busyPort}` } }
  }),
  input('a pattern with two stars', 'invalid', 'tcp', { streams: '*-*' }),
  input('a listener of another protocol', 'invalid', 'tcp', { listener: 'web' }),
  input('a command that is a text', 'invalid', 'exec', { command: 'ffmpeg -i in.mp4' }),
  input('a group that is no group', 'invalid', 'udp', { address: '127.0.0.1:5000', interface: 'lo' }),
  input('a program that does not exist', 'failed', 'exec', { command: ['./nowhere.sh'] }),
  input('a UDP port in use', 'failed', 'udp', ({ busyUdpPort }) => ({ address: `127.0.0.1:${busyUdpPort}` })),
  input('a file in place of a unix socket', 'failed', 'unix', { path: MAIN_FILE }),
  whole('a path for all copies', 'invalid', (model) => {
    const [node] = model.pipelines.find(isPattern)?.outputs ?? []
    if (node !== undefined) node.options = withOption(node.options, 'path', '/same/for/all.ts')
  }),
  whole('the key of a stream in an ordinary pipeline', 'invalid', (model, context) => {
    const found = someOutput(model, context, (_, of) => !isPattern(of))
    if (found !== undefined) found.node.options = withOption(found.node.options, 'path', '/tv/${stream}.ts')
  }),
  whole('two inputs at one UDP address', 'invalid', (model) => {
    for (const pipeline of model.pipelines) {
      if (pipeline.name !== 'radio' && pipeline.name !== 'prog') continue
      const options = { address: '127.0.0.1:5000' }
      pipeline.inputs = pipeline.inputs.map((node) => ({ ...node, type: 'udp', options }))
    }
  }),
  whole('the state folder moves', 'refused', (model) => {
    model.engine = { ...model.engine, stateDir: 'elsewhere' }
  }),
]

function text(kind: string, change: (whole: string) => string): BrokenEdit {
  return {
    kind,
    result: 'invalid',
    write(model) {
      const files = renderConfig(model)
      return new Map(files).set(MAIN_FILE, change(files.get(MAIN_FILE) ?? ''))
    },
  }
}

function whole(
  kind: string,
  result: ReloadResult,
  change: (model: ConfigModel, context: EditContext) => void,
): BrokenEdit {
  return {
    kind,
    result,
    write(model, context) {
      change(model, context)
      return renderConfig(model)
    },
  }
}

/** Of a pattern pipeline, only where a copy can try it. */
function badPreamble(kind: string, result: ReloadResult, preamble: string): BrokenEdit {
  return whole(kind, result, (model, context) => {
    const isTried = (of: PipelineModel): boolean => !isPattern(of) || (of.isBase && takenKeys(of).length > 0)
    const node = someOutput(model, context, (_, of) => isTried(of))?.node
    if (node !== undefined) node.options = { ...node.options, preamble }
  })
}

/** Gives any one input of this type other options; publishers keep those that are not named. */
function input(
  kind: string,
  result: ReloadResult,
  type: string,
  options: Settings | ((context: EditContext) => Settings),
): BrokenEdit {
  return whole(kind, result, (model, context) => {
    const nodes = model.pipelines.flatMap(({ inputs }) => inputs).filter((node) => node.type === type)
    const node = context.random.pick(nodes)
    const changed = typeof options === 'function' ? options(context) : options
    node.options = type === 'tcp' ? { ...node.options, ...changed } : changed
  })
}

/** Changes any one output. */
function changed(
  kind: string,
  result: ReloadResult,
  change: (node: NodeModel, model: ConfigModel) => void,
): BrokenEdit {
  return whole(kind, result, (model, context) => {
    const node = someOutput(model, context)?.node
    if (node !== undefined) change(node, model)
  })
}

/** Inside the last quotes or braces of the first half, so the remaining text is never a valid shorter configuration. */
export function endOfHalf(whole: string): number {
  const middle = Math.floor(whole.length / 2)
  const open = Math.max(whole.lastIndexOf('{ ', middle), whole.lastIndexOf(' "', middle))
  return open + 2
}

function aliasBomb(): string {
  const levels = Array.from({ length: 20 }, (_, level) => {
    const item = level === 0 ? 'lol' : `*a${level - 1}`
    return `  l${level}: &a${level} [${Array.from({ length: 10 }, () => item).join(', ')}]`
  })
  return ['version: 1', 'defaults:', ...levels, ''].join('\n')
}
