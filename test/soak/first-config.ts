// The configuration with which a soak begins, and to which it comes back: pipelines whose viewers get every byte, one
// that is told to leave some out, and one that relays another.
import type { ConfigModel, NodeModel, PipelineModel, Settings } from './config-model.js'

/** Paths of the outputs that no edit touches, by pipeline. */
export function witnessPath(pipeline: string): string {
  return `/${pipeline}/witness.ts`
}

export const FAST_CLIP = 'fast.ts'
export const MULTI_CLIPS = ['multi.ts', 'multi-b.ts'] as const
export const CARD_CLIP = 'testcard.ts'
/** The listener of witnesses: its address never changes. */
export const STILL_LISTENER = 'still'

export interface FirstPorts {
  readonly api: number
  readonly still: number
  readonly web: number
  readonly more: number
}

export function firstConfig({ api, still, web, more }: FirstPorts): ConfigModel {
  const upstream = `http://127.0.0.1:${still}${witnessPath('fast')}`
  return {
    layout: { indent: 2, isFlow: true, isReversed: false, comment: 0 },
    engine: {
      api: { address: `127.0.0.1:${api}` },
      stateDir: 'state',
      drain: '5s',
      log: { level: 'info' },
    },
    listeners: {
      [STILL_LISTENER]: { address: `127.0.0.1:${still}` },
      web: { address: `127.0.0.1:${web}` },
      more: { address: `127.0.0.1:${more}` },
    },
    auth: { viewers: { type: 'basic', users: { anna: '${secret:anna}' } } },
    defaults: {},
    services: { metrics: { type: 'prometheus', listener: 'api', path: '/metrics' } },
    pipelines: [
      pipeline('card', { isExact: true }, 'file', fileInput(CARD_CLIP)),
      pipeline('fast', { isExact: true }, 'file', fileInput(FAST_CLIP)),
      pipeline('multi', { isExact: false, clips: MULTI_CLIPS }, 'file', fileInput(MULTI_CLIPS[0])),
      pipeline('relay', { isExact: true, isRelay: true }, 'http', { url: upstream }),
    ],
    password: 'first password',
  }
}

export function fileInput(path: string): Settings {
  return { path, loop: true }
}

interface Traits {
  readonly isExact: boolean
  readonly clips?: readonly string[]
  readonly isRelay?: boolean
}

function pipeline(
  name: string,
  { isExact, clips = [], isRelay = false }: Traits,
  type: string,
  options: Settings,
): PipelineModel {
  return {
    name,
    isBase: true,
    isExact,
    clips,
    isRelay,
    description: `pipeline ${name}`,
    place: 'plain',
    inputs: [node('main', type, undefined, options)],
    transforms: [node('check', 'ts-validate', 'main', {}), node('gops', 'gop', 'check', {})],
    outputs: [
      node('witness', 'http-ts', 'main', { listener: STILL_LISTENER, path: witnessPath(name) }),
      node('ts', 'http-ts', 'gops', { listener: 'web', path: `/${name}/ts.ts` }),
      node('alt', 'http-ts', 'check', { listener: 'more', path: `/${name}/alt.ts` }),
      node('third', 'http-ts', 'gops', { listener: 'web', path: `/${name}/third.ts` }),
    ],
  }
}

function node(id: string, type: string, from: string | undefined, options: Settings): NodeModel {
  return { id, home: id, type, from, was: undefined, options }
}

/** The first configuration, with everything that still runs brought back under the name that it had. */
export function backToFirst(first: ConfigModel, now: ConfigModel): ConfigModel {
  const back = structuredClone(first)
  for (const pipeline of back.pipelines) {
    const current = now.pipelines.find(({ name }) => name === pipeline.name)
    if (current === undefined) continue
    for (const part of ['inputs', 'transforms', 'outputs'] as const) {
      pipeline[part] = pipeline[part].map((node) => {
        const is = current[part].find(({ home }) => home === node.home)
        return is === undefined || is.id === node.id ? node : { ...node, was: is.id }
      })
    }
  }
  return back
}
