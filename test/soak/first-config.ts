// The configuration that a soak starts with and returns to: pipelines whose viewers receive every byte, one that may
// drop packets, and one that relays another.
import type { ConfigModel, NodeModel, PipelineModel, Settings } from './config-model.js'

/** Path of the output that no edit touches, by pipeline. */
export function referencePath(pipeline: string): string {
  return `/${pipeline}/reference.ts`
}

export const FAST_CLIP = 'fast.ts'
export const MULTI_CLIPS = ['multi.ts', 'multi-b.ts'] as const
export const CARD_CLIP = 'testcard.ts'
/** The listener of the reference outputs: its address never changes. */
export const FIXED_LISTENER = 'fixed'

export interface FirstPorts {
  readonly api: number
  readonly fixed: number
  readonly web: number
  readonly more: number
}

export function firstConfig({ api, fixed, web, more }: FirstPorts): ConfigModel {
  const upstream = `http://127.0.0.1:${fixed}${referencePath('fast')}`
  return {
    layout: { indent: 2, isFlow: true, isReversed: false, comment: 0 },
    engine: {
      api: { address: `127.0.0.1:${api}` },
      stateDir: 'state',
      drain: '5s',
      log: { level: 'info' },
    },
    listeners: {
      [FIXED_LISTENER]: { address: `127.0.0.1:${fixed}` },
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
      node('reference', 'http-ts', 'main', { listener: FIXED_LISTENER, path: referencePath(name) }),
      node('ts', 'http-ts', 'gops', { listener: 'web', path: `/${name}/ts.ts` }),
      node('alt', 'http-ts', 'check', { listener: 'more', path: `/${name}/alt.ts` }),
      node('third', 'http-ts', 'gops', { listener: 'web', path: `/${name}/third.ts` }),
    ],
  }
}

function node(id: string, type: string, from: string | undefined, options: Settings): NodeModel {
  return { id, firstId: id, type, from, was: undefined, options }
}

/** The first configuration, with everything that still runs renamed back to its original id. */
export function backToFirst(first: ConfigModel, now: ConfigModel): ConfigModel {
  const back = structuredClone(first)
  for (const pipeline of back.pipelines) {
    const current = now.pipelines.find(({ name }) => name === pipeline.name)
    if (current === undefined) continue
    for (const part of ['inputs', 'transforms', 'outputs'] as const) {
      pipeline[part] = pipeline[part].map((node) => {
        const is = current[part].find(({ firstId }) => firstId === node.firstId)
        return is === undefined || is.id === node.id ? node : { ...node, was: is.id }
      })
    }
  }
  return back
}
